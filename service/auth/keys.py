"""Who may use the service: keys with scopes, of which only hashes are stored."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from filelock import FileLock

from citewire.index.errors import InvalidInput, NotUsable
from citewire.index.system.files import PRIVATE, write_atomically

KEY_PREFIX = "citewire_"
# Random bytes from the system: a plain hash of 256 bits, without salt or stretching, cannot be
# reversed.
KEY_BYTES = 32
MAX_NAME_CHARACTERS = 100
# File name, in the folder of the file of keys.
SECRET_FILE = "sessions.secret"
LOCK_TIMEOUT_SECONDS = 10


class KeyScope(StrEnum):
    """The actions that a key allows."""

    ASK = "ask"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is stored: its hash, never the key itself.

    `per_minute` bounds its requests, None does not.
    """

    name: str
    scopes: frozenset[KeyScope]
    sha256: str
    created: str = ""
    per_minute: int | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= MAX_NAME_CHARACTERS or not self.name.isprintable():
            raise InvalidInput(
                f"a key's name has 1 to {MAX_NAME_CHARACTERS} printable characters: {self.name!r}"
            )
        if not self.scopes:
            raise InvalidInput(f"the key {self.name} needs a scope: {', '.join(KeyScope)}")
        if self.per_minute is not None and self.per_minute < 1:
            raise InvalidInput(f"the key {self.name} may make {self.per_minute} requests a minute")

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Key":
        """Read a key as it is stored; raise KeyError, TypeError, ValueError or InvalidInput."""
        return cls(
            name=stored["name"],
            scopes=frozenset(KeyScope(scope) for scope in stored["scopes"]),
            sha256=stored["sha256"],
            created=stored["created"],
            per_minute=stored["per_minute"],
        )

    def to_json(self) -> dict[str, object]:
        """Return the key as it is stored."""
        return {
            "name": self.name,
            "scopes": sorted(self.scopes),
            "sha256": self.sha256,
            "created": self.created,
            "per_minute": self.per_minute,
        }


class KeyFile:
    """The file of keys; a running service notices changes at its next request."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def secret_file(self) -> Path:
        """The path of the secret that signs browsers' sessions."""
        return self._path.with_name(SECRET_FILE)

    def exists(self) -> bool:
        """Say whether there is such a file, and so whether keys are required."""
        return self._path.exists()

    def keys(self) -> list[Key]:
        """Return all keys, in the order of their creation.

        Raises:
            NotUsable: the file cannot be read, or is no file of keys.
        """
        try:
            stored = json.loads(self._path.read_text("utf-8")) if self.exists() else {"keys": []}
            return [Key.from_json(item) for item in stored["keys"]]
        except (OSError, ValueError, KeyError, TypeError, InvalidInput) as error:
            raise NotUsable(f"{self._path}: not a file of keys: {error}") from error

    def add(self, name: str, scopes: Iterable[KeyScope], per_minute: int | None = None) -> str:
        """Make a key and return it; only its hash is kept.

        Raises:
            InvalidInput: the name is taken or unusable, or there is no scope.
            NotUsable: the file cannot be written.
        """
        secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        key = Key(name, frozenset(scopes), hash_secret(secret), created, per_minute)
        with self._changing() as keys:
            if name in [known.name for known in keys]:
                raise InvalidInput(f"there is a key named {name} already; revoke it first")
            keys.append(key)
        return secret

    def revoke(self, name: str) -> None:
        """Remove the key of this name; raise InvalidInput where there is none."""
        with self._changing() as keys:
            left = [key for key in keys if key.name != name]
            if len(left) == len(keys):
                raise InvalidInput(f"there is no key named {name}")
            keys[:] = left

    def stamp(self) -> tuple[int, int, int] | None:
        """Return (mtime, size, inode), to notice changes; None where there is no file."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    @contextmanager
    def _changing(self) -> Iterator[list[Key]]:
        """Yield the keys, locked, and write them back where no error is raised."""
        with self._locked():
            keys = self.keys()
            yield keys
            content = json.dumps({"keys": [key.to_json() for key in keys]}, indent=2) + "\n"
            try:
                write_atomically(self._path, content.encode(), mode=PRIVATE)
            except OSError as error:
                raise NotUsable(f"{self._path}: cannot be written: {error}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self._path.with_name(self._path.name + ".lock"))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=LOCK_TIMEOUT_SECONDS)
        except OSError as error:  # A lock's time-out is one as well.
            raise NotUsable(f"{self._path}: cannot be written: {error}") from error
        try:
            yield
        finally:
            lock.release()


class Keyring:
    """The keys that a service accepts: one from its environment, and those of a file.

    Once keys are required, they stay required: removing the file does not open the service.
    """

    def __init__(self, file: KeyFile | None = None, api_key: str | None = None) -> None:
        self._file = file
        self._own = []
        if api_key is not None:
            self._own = [Key("CITEWIRE_API_KEY", frozenset(KeyScope), hash_secret(api_key))]
        self._stamp: tuple[int, int, int] | None = None
        self._stored: list[Key] = []
        self._required = api_key is not None
        if file is not None and file.exists():
            self._reload(file)

    @property
    def secret_file(self) -> Path | None:
        """The path of the secret that signs sessions, None where there is no file of keys."""
        return None if self._file is None else self._file.secret_file

    @property
    def is_required(self) -> bool:
        """Whether requests need a key."""
        self._refresh()
        return self._required

    def find(self, secret: str) -> Key | None:
        """Return the key whose secret this is, None where there is none."""
        digest = hash_secret(secret)
        found = None
        # All are compared, each in constant time: the duration reveals nothing.
        for key in self.all():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def all(self) -> list[Key]:
        """Return the keys that are valid now."""
        self._refresh()
        return [*self._own, *self._stored]

    def _refresh(self) -> None:
        if self._file is None or self._file.stamp() == self._stamp:
            return
        try:
            self._reload(self._file)
        except NotUsable:
            # A broken file shuts everyone out; it lets no one in.
            self._stored = []

    def _reload(self, file: KeyFile) -> None:
        self._stamp = file.stamp()
        self._required |= self._stamp is not None
        self._stored = file.keys()


OPEN = Keyring()


def hash_secret(secret: str) -> str:
    """Hash a key; hashes have equal lengths, and so compare in constant time."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def render_keys(keys: Iterable[Key]) -> str:
    """Return the keys as aligned lines.

    Not by rich, whose tables are cut to the width of a terminal: scripts read these as well.
    """
    rows = [
        (
            key.name,
            ", ".join(sorted(key.scopes)),
            "" if key.per_minute is None else f"{key.per_minute} a minute",
            f"made {key.created}",
        )
        for key in keys
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
