"""Sessions of browsers, which can send no key when they follow a link.

Whoever signs in with a key gets a cookie that scripts cannot read: until when it holds, and a
signature over that and the key's hash. Nothing is stored of it; a key that is revoked takes its
sessions along. A session is good for asking and reading alone, whatever else its key may do.
"""

import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from citewire.service.auth.keys import OPEN, Key, Keyring, KeyScope

# A working day: long enough to be asked for the key once.
SESSION_SECONDS = 12 * 3600
SECRET_BYTES = 32
SECRET = re.compile(f"[0-9a-f]{{{2 * SECRET_BYTES}}}")
TOKEN = re.compile(r"(\d{1,12})\.([0-9a-f]{64})")
# What has changed nothing when another site made the browser send it.
SAFE_METHODS = frozenset(["GET", "HEAD"])
# A cookie of this prefix was set over TLS, by this very host.
HOST_PREFIX = "__Host-"


class Sessions:
    """Gives out sessions for keys, and knows them again.

    The secret that signs them lies beside the file of keys, so that they outlive a restart and
    that services over one data directory know each other's; without that file it lasts as long as
    the process.
    """

    def __init__(self, keys: Keyring = OPEN, clock: Callable[[], float] = time.time) -> None:
        self.keys = keys
        self._clock = clock

    def begin(self, key: Key) -> tuple[str, int]:
        """Return what stands for the key from now on, and until when, in seconds since 1970."""
        until = int(self._clock()) + SESSION_SECONDS
        return f"{until}.{self._signature(until, key)}", until

    def find(self, scope: Scope) -> tuple[Key, int] | None:
        """Return the key that a request's cookie stands for, and until when; None for none.

        The key is cut down to asking. Anything but reading must come from a page of this
        service: a cookie goes along with whatever the browser is made to send.
        """
        headers = Headers(scope=scope)
        if scope["method"] not in SAFE_METHODS and not own_page(headers):
            return None
        cookies = cookie_parser(headers.get("cookie", ""))
        name = cookie_name(headers)
        token = TOKEN.fullmatch(cookies.get(HOST_PREFIX + name) or cookies.get(name, ""))
        if token is None or int(token[1]) <= self._clock():
            return None
        found = None
        # All are compared, each in constant time: how long it takes tells nothing.
        for key in self.keys.all():
            if hmac.compare_digest(self._signature(int(token[1]), key), token[2]):
                found = key
        if found is None or KeyScope.ASK not in found.scopes:
            return None
        return replace(found, scopes=frozenset([KeyScope.ASK])), int(token[1])

    def _signature(self, until: int, key: Key) -> str:
        return hmac.digest(self._secret, f"{until}.{key.sha256}".encode(), "sha256").hex()

    @cached_property
    def _secret(self) -> bytes:
        file = self.keys.secret_file
        kept = None if file is None else kept_secret(file)
        return kept or secrets.token_bytes(SECRET_BYTES)


def kept_secret(path: Path) -> bytes | None:
    """Return the file's secret, made where there is no file; None where none can be kept."""
    try:
        if not path.exists():
            make_secret(path)
        text = path.read_text("ascii")
    except (OSError, UnicodeError):
        return None
    # One that was cut short would be guessed.
    return bytes.fromhex(text) if SECRET.fullmatch(text) else None


def make_secret(path: Path) -> None:
    """Put a new secret into the file, unless another process was faster; raise OSError."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(SECRET_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    with suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()


def own_page(headers: Headers) -> bool:
    """Say whether a page of this service sent the request: browsers tell with all but reads."""
    origin = headers.get("origin", "")
    return origin != "" and origin.partition("://")[2] == headers.get("host")


def cookie_name(headers: Headers) -> str:
    """Return the cookie's name, which has the port: cookies of all ports of a host are one."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"citewire-{port}" if port.isascii() and port.isdigit() else "citewire"


def bearer_secret(headers: Headers) -> str | None:
    """Return the key that a request's Authorization header holds, None for none."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return secret if scheme.lower() == "bearer" else None
