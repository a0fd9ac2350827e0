from pathlib import Path

import pytest

from citewire.index.catalogue.seal import LOCK_BYTE, Witness
from citewire.index.catalogue.state import CatalogueState
from citewire.index.errors import ArchiveDamaged

PAGE = 65536
STATE = CatalogueState("archive", 1)


def test_the_page_that_sqlite_never_uses_may_be_anything(tmp_path: Path) -> None:
    """A file that grows over a gibibyte gets it unwritten and unlogged, between two others."""
    file = tmp_path / "catalogue.sqlite3"
    with file.open("wb") as stream:
        # Sparse: it takes no room.
        stream.truncate(LOCK_BYTE + 2 * PAGE)
        witness = Witness(file)
        witness.begin(CatalogueState("archive", 0))
        witness.seal(STATE, PAGE)
        stream.seek(LOCK_BYTE)
        stream.write(b"anything")
        stream.flush()
        assert witness.require_unchanged(STATE, STATE)
        stream.seek(LOCK_BYTE + PAGE)
        stream.write(b"anything")
        stream.flush()
        with pytest.raises(ArchiveDamaged, match="1 of its pages"):
            witness.require_unchanged(STATE, STATE)
    witness.close()
