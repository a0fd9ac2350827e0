"""Checks of a catalogue's file on opening: it exists, is as it was left, and fits the encoder."""

import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from citewire.index.catalogue.migrations import FIRST_SEALED, parse_schema, require_known
from citewire.index.catalogue.seal import Witness
from citewire.index.catalogue.state import CatalogueState, read_meta
from citewire.index.errors import ArchiveDamaged, ArchiveLost, NoArchive, WrongEncoder

# Keys of the table `meta` that are needed with every schema.
REQUIRED_META = {"archive_id", "version", "encoder"}


def require_file(path: Path, witness: Witness) -> None:
    """Raise NoArchive if there is no file; ArchiveLost if parts of an archive are left of it."""
    if path.exists():
        return
    left = witness.find_traces()
    if left:
        raise ArchiveLost(f"{path}: is gone, but {', '.join(left)} are left of it")
    raise NoArchive(f"{path}: there is no catalogue")


def require_unchanged(
    path: Path, witness: Witness, reading: AbstractContextManager[sqlite3.Connection]
) -> tuple[dict[str, str], bool]:
    """Return the table `meta`, and whether the file is sealed.

    Raises:
        ArchiveDamaged: it is no catalogue, or not as it was left.
        ArchiveTooNew: a newer version made it.
    """
    # Read first: a process that changes the file meanwhile goes on from there.
    noted = witness.read_acknowledged()
    with reading as connection:
        meta = read_meta(connection)
        require_known(meta, path)
        missing = REQUIRED_META - meta.keys()
        if missing:
            raise ArchiveDamaged(f"{path}: lacks its {', '.join(sorted(missing))}")
        # Checked for every schema: a flipped bit can make it an older one, and so can a backup.
        if parse_schema(meta) < FIRST_SEALED and not witness.has_sealed():
            return meta, False
        return meta, witness.require_unchanged(CatalogueState.from_meta(meta), noted)


def require_encoder(path: Path, meta: Mapping[str, str], encoder: str) -> None:
    """Raise WrongEncoder unless the stored vectors are this encoder's."""
    if meta["encoder"] != encoder:
        raise WrongEncoder(
            f"{path.parent}: was indexed with the encoder {meta['encoder']}, configured"
            f" is {encoder}; set CITEWIRE_ENCODER back or index into another data directory"
        )
