import time
from contextlib import closing
from pathlib import Path

from damages import change_byte, index_file
from exact_search import assert_finds_the_nearest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.checks import check_index
from citewire.index.vectors.maintenance import Maintenance
from citewire.index.vectors.vector_index import VectorIndex


def test_an_index_under_maintenance_repairs_itself(
    copied: Path, copied_catalogue: Catalogue
) -> None:
    change_byte(index_file(copied, "data_level0.bin"))
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        with Maintenance.for_owner(index, copied_catalogue):
            deadline = time.monotonic() + 120
            while not index.uses_chroma and time.monotonic() < deadline:
                assert_finds_the_nearest(index, copied_catalogue)
                time.sleep(0.05)
            assert (index.uses_chroma, index.is_stale()) == (True, False)
            assert_finds_the_nearest(index, copied_catalogue)
        assert check_index(copied / "vectors", copied_catalogue, FolderBackend()) == []
