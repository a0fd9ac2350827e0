"""Which state of which archive a catalogue holds: its table `meta`, of keys and values."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from citewire.index.errors import ArchiveDamaged


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """Which archive this is and how far it has come; `version` grows with every change."""

    archive_id: str
    version: int

    def __str__(self) -> str:
        return f"{self.archive_id[:8]}-{self.version}"

    @classmethod
    def from_meta(cls, meta: Mapping[str, str]) -> "CatalogueState":
        """Return the state that the table `meta` names; raise ArchiveDamaged if it names none."""
        try:
            return cls(meta["archive_id"], int(meta["version"]))
        except (KeyError, ValueError) as error:
            raise ArchiveDamaged("the catalogue lacks its archive_id or version") from error


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the table `meta`."""
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())


def read_state(connection: sqlite3.Connection) -> CatalogueState:
    """Return the state that the connection sees."""
    return CatalogueState.from_meta(read_meta(connection))
