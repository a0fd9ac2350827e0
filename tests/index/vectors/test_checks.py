from pathlib import Path

import pytest
from damages import DAMAGES

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.checks import check_index


@pytest.mark.parametrize("name", ["rows changed", "links changed", "manifest empty"])
def test_a_check_names_the_damaged_file(
    copied: Path, copied_catalogue: Catalogue, name: str
) -> None:
    assert check_index(copied / "vectors", copied_catalogue, FolderBackend()) == []
    DAMAGES[name](copied)
    (found,) = check_index(copied / "vectors", copied_catalogue, FolderBackend())
    assert {"rows": "vectors.npy", "link": "length.bin", "mani": "manifest"}[name[:4]] in found


def test_a_check_finds_an_index_that_chroma_cannot_search(
    copied: Path, copied_catalogue: Catalogue
) -> None:
    DAMAGES["database without rows"](copied)
    (found,) = check_index(copied / "vectors", copied_catalogue, FolderBackend())
    assert "Chroma does not find" in found
