"""Who may use the service: keys with scopes, of which only hashes are stored."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from filelock import FileLock

from citewire.index.errors import InvalidInput, NotUsable
from citewire.index.system.files import PRIVATE, write_atomically

KEY_PREFIX = "citewire_"
# 256 bits from the system's generator: a plain hash of it cannot be guessed back.
KEY_BYTES = 32
MAX_NAME_CHARACTERS = 100
SECRET_FILE = "sessions.secret"


class KeyScope(StrEnum):
    """What a key is good for."""

    ASK = "ask"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is stored: never itself, only its hash.

    `per_minute` bounds how many requests it may make; None means as many as it likes.
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


class KeyFile:
    """The file of keys; changes take effect at once in a service that runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def secret_file(self) -> Path:
        """Where what signs the sessions of browsers is kept: beside it."""
        return self._path.with_name(SECRET_FILE)

    def exists(self) -> bool:
        """Say whether there is such a file, and so whether keys are asked for."""
        return self._path.exists()

    def keys(self) -> list[Key]:
        """Return all keys, in the order in which they were made.

        Raises:
            NotUsable: the file cannot be read, or holds something else.
        """
        try:
            stored = json.loads(self._path.read_text("utf-8")) if self.exists() else {"keys": []}
            return [key_of(item) for item in stored["keys"]]
        except (OSError, ValueError, KeyError, TypeError, InvalidInput) as error:
            raise NotUsable(f"{self._path}: not a file of keys: {error}") from error

    def add(self, name: str, scopes: Iterable[KeyScope], per_minute: int | None = None) -> str:
        """Make a key and return it: this once, since only its hash is kept.

        Raises:
            InvalidInput: the name is taken or not one, or there is no scope.
            NotUsable: the file cannot be written.
        """
        secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        key = Key(name, frozenset(scopes), sha256_of(secret), created, per_minute)
        with self._changing() as keys:
            if name in [known.name for known in keys]:
                raise InvalidInput(f"there is a key named {name} already; revoke it first")
            keys.append(key)
        return secret

    def revoke(self, name: str) -> None:
        """Remove the key of this name; raise InvalidInput when there is none."""
        with self._changing() as keys:
            left = [key for key in keys if key.name != name]
            if len(left) == len(keys):
                raise InvalidInput(f"there is no key named {name}")
            keys[:] = left

    def stamp(self) -> tuple[int, int, int] | None:
        """Return what differs when the file has changed; None when there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _changing(self) -> "Changing":
        return Changing(self, self._path)


class Changing:
    """A change of the file: the keys as they are, written back when all went well."""

    def __init__(self, file: KeyFile, path: Path) -> None:
        self._file = file
        self._path = path
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._keys: list[Key] = []

    def __enter__(self) -> list[Key]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=10)
        except OSError as error:  # A lock's time-out is one as well.
            raise NotUsable(f"{self._path}: cannot be written: {error}") from error
        try:
            self._keys = self._file.keys()
        except NotUsable:
            self._lock.release()
            raise
        return self._keys

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                write_atomically(self._path, json_of(self._keys).encode(), mode=PRIVATE)
        except OSError as error:
            raise NotUsable(f"{self._path}: cannot be written: {error}") from error
        finally:
            self._lock.release()


class Keyring:
    """The keys that a service accepts: one from its environment, and those of a file.

    Once keys are asked for, they stay asked for: a file that vanishes opens nothing.
    """

    def __init__(self, file: KeyFile | None = None, api_key: str | None = None) -> None:
        self._file = file
        self._own = []
        if api_key is not None:
            self._own = [Key("CITEWIRE_API_KEY", frozenset(KeyScope), sha256_of(api_key))]
        self._stamp: tuple[int, int, int] | None = None
        self._stored: list[Key] = []
        self._required = api_key is not None
        if file is not None and file.exists():
            self._reload()

    @property
    def secret_file(self) -> Path | None:
        """Where what signs sessions is kept, None where nothing is."""
        return None if self._file is None else self._file.secret_file

    @property
    def required(self) -> bool:
        """Say whether requests need a key."""
        self._look_again()
        return self._required

    def find(self, secret: str) -> Key | None:
        """Return the key that this is, None when it is none."""
        digest = sha256_of(secret)
        found = None
        # All are compared, each in constant time: how long it takes tells nothing.
        for key in self.all():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def all(self) -> list[Key]:
        """Return every key that is good at this moment."""
        self._look_again()
        return [*self._own, *self._stored]

    def _look_again(self) -> None:
        if self._file is None or self._file.stamp() == self._stamp:
            return
        try:
            self._reload()
        except NotUsable:
            # Whoever broke the file has locked everyone out, and let no one in.
            self._stored = []

    def _reload(self) -> None:
        assert self._file is not None
        self._stamp = self._file.stamp()
        self._required |= self._stamp is not None
        self._stored = self._file.keys()


OPEN = Keyring()


def sha256_of(secret: str) -> str:
    """Hash the key: hashes of equal length compare in constant time."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def key_of(stored: dict[str, Any]) -> Key:
    """Read a key as it is stored; raise KeyError, TypeError, ValueError or InvalidInput."""
    return Key(
        name=stored["name"],
        scopes=frozenset(KeyScope(scope) for scope in stored["scopes"]),
        sha256=stored["sha256"],
        created=stored["created"],
        per_minute=stored["per_minute"],
    )


def json_of(keys: Iterable[Key]) -> str:
    """Return the keys as they are stored."""
    stored = [
        {
            "name": key.name,
            "scopes": sorted(key.scopes),
            "sha256": key.sha256,
            "created": key.created,
            "per_minute": key.per_minute,
        }
        for key in keys
    ]
    return json.dumps({"keys": stored}, indent=2) + "\n"


def table(keys: Iterable[Key]) -> str:
    """Return the keys as lines for a person."""
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
