"""Open a catalogue: owned, begun where there is none, or only read."""

from pathlib import Path
from typing import Literal

from citewire.index.catalogue.catalogue import Catalogue, CatalogueFile
from citewire.index.catalogue.connections import may_change
from citewire.index.catalogue.read_only_file import ReadOnlyFile
from citewire.index.catalogue.writable_file import WritableFile

Mode = Literal["own", "create", "read-only"]


def open_catalogue(path: Path, mode: Mode, *, encoder: str) -> Catalogue:
    """Open a catalogue's file, whose vectors must be of this encoder.

    To `own` it, this process must own the data directory: it may change the file, and brings one
    of an older version up to date. One that cannot be written now is only read. `create` owns it
    too, and begins an empty one where there is none. `read-only` leaves it to another process.

    Raises:
        NotUsable: as WritableFile and ReadOnlyFile do.
    """
    return Catalogue(open_file(path, mode, encoder))


def open_file(path: Path, mode: Mode, encoder: str) -> CatalogueFile:
    """Open the file that a mode asks for."""
    if mode == "read-only" or (mode == "own" and not may_change(path)):
        return ReadOnlyFile(path, encoder=encoder)
    return WritableFile(path, encoder=encoder, create=mode == "create")
