import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from exact_search import ENCODER, SOME_ROWS, Encode, article

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex


@pytest.fixture
def index(catalogue: Catalogue, tmp_path: Path) -> Iterator[VectorIndex]:
    opened = VectorIndex(tmp_path / "vectors", catalogue, FolderBackend())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory, encoded: Encode) -> Path:
    """A folder with a catalogue and a sound index over it, closed."""
    folder = tmp_path_factory.mktemp("sound")
    catalogue = open_catalogue(folder / "catalogue.sqlite3", "create", encoder=ENCODER)
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index = VectorIndex(folder / "vectors", catalogue, FolderBackend())
    index.rebuild()
    index.close()
    catalogue.close()
    return folder


@pytest.fixture
def copied(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "copied"))


@pytest.fixture
def copied_catalogue(copied: Path) -> Iterator[Catalogue]:
    opened = open_catalogue(copied / "catalogue.sqlite3", "own", encoder=ENCODER)
    yield opened
    opened.close()
