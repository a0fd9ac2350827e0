"""Sessions of browsers, which cannot send a key when they follow a link.

Signing in with a key sets an HttpOnly cookie: the time at which it expires, and an HMAC over that
and the key's hash. Nothing is stored; revoking a key ends its sessions. A session allows only
asking and reading, even where its key allows more.
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

from citewire.index.system.files import PRIVATE, write_atomically
from citewire.service.auth.keys import OPEN, Key, Keyring, KeyScope

# Seconds that a session is valid: a working day.
SESSION_SECONDS = 12 * 3600
SECRET_BYTES = 32
SECRET = re.compile(f"[0-9a-f]{{{2 * SECRET_BYTES}}}")
TOKEN = re.compile(r"(\d{1,12})\.([0-9a-f]{64})")
# Methods without side effects (RFC 9110 "safe"): exempt from the CSRF check.
SAFE_METHODS = frozenset(["GET", "HEAD"])
# Browsers accept a cookie of this prefix only over TLS and from this host (RFC 6265bis).
HOST_PREFIX = "__Host-"


class Sessions:
    """Issues and verifies sessions.

    The secret that signs them is stored in the folder of the file of keys, so that they survive
    a restart and hold for all services over one data directory; without that file, it lasts as
    long as the process.
    """

    def __init__(self, keys: Keyring = OPEN, clock: Callable[[], float] = time.time) -> None:
        self.keys = keys
        self._clock = clock

    def begin(self, key: Key) -> tuple[str, int]:
        """Return a token for the key, and when it expires, in seconds since 1970."""
        until = int(self._clock()) + SESSION_SECONDS
        return f"{until}.{self._sign(until, key)}", until

    def find(self, scope: Scope) -> tuple[Key, int] | None:
        """Return the key of a request's session and when that expires, None where there is none.

        The key has only the scope `ask`. CSRF check: a request with another method than the safe
        ones must come from a page of this service, since browsers send cookies with any.
        """
        headers = Headers(scope=scope)
        if scope["method"] not in SAFE_METHODS and not is_own_page(headers):
            return None
        cookies = cookie_parser(headers.get("cookie", ""))
        name = name_cookie(headers)
        token = TOKEN.fullmatch(cookies.get(HOST_PREFIX + name) or cookies.get(name, ""))
        if token is None or int(token[1]) <= self._clock():
            return None
        found = None
        # All are compared, each in constant time: the duration reveals nothing.
        for key in self.keys.all():
            if hmac.compare_digest(self._sign(int(token[1]), key), token[2]):
                found = key
        if found is None or KeyScope.ASK not in found.scopes:
            return None
        return replace(found, scopes=frozenset([KeyScope.ASK])), int(token[1])

    def _sign(self, until: int, key: Key) -> str:
        return hmac.digest(self._secret, f"{until}.{key.sha256}".encode(), "sha256").hex()

    @cached_property
    def _secret(self) -> bytes:
        file = self.keys.secret_file
        stored = None if file is None else read_or_make_secret(file)
        return stored or secrets.token_bytes(SECRET_BYTES)


def read_or_make_secret(path: Path) -> bytes | None:
    """Return the stored secret, made where there is no file; None where it cannot be stored."""
    try:
        if not path.exists():
            make_secret(path)
        text = path.read_text("ascii")
    except (OSError, UnicodeError):
        return None
    # A truncated secret could be guessed.
    return bytes.fromhex(text) if SECRET.fullmatch(text) else None


def make_secret(path: Path) -> None:
    """Store a new secret, unless another process did so first; raise OSError."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    write_atomically(aside, secrets.token_hex(SECRET_BYTES).encode("ascii"), mode=PRIVATE)
    with suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()


def is_own_page(headers: Headers) -> bool:
    """Say whether a page of this service sent the request; browsers send Origin with changes."""
    origin = headers.get("origin", "")
    return origin != "" and origin.partition("://")[2] == headers.get("host")


def name_cookie(headers: Headers) -> str:
    """Return the cookie's name, which has the port: the ports of a host share their cookies."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"citewire-{port}" if port.isascii() and port.isdigit() else "citewire"


def parse_bearer(headers: Headers) -> str | None:
    """Return the key in a request's Authorization header, None where there is none."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return secret if scheme.lower() == "bearer" else None
