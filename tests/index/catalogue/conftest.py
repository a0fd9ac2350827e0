import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.postings import rebuild_postings
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vectors
from citewire.index.types import Article

BRIDGE = Article("bridge.md", "The bridge", "The bridge opened in 1894. It is old.")
RIVER = Article("river.md", "The river", "The river rose in the night.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite3"


@pytest.fixture
def reopen(path: Path) -> Callable[..., Catalogue]:
    """Opens a catalogue to own it: that at `path`, or another one."""
    return lambda other=path: open_catalogue(other, "own", encoder="encoder:made-up")


@pytest.fixture
def two(
    catalogue: Catalogue,
    encoded: Callable[..., EncodedArticle],
    unit: Callable[..., Vectors],
) -> Catalogue:
    """A catalogue of two articles with one passage each."""
    catalogue.put([encoded(BRIDGE, unit((1, 0))), encoded(RIVER, unit((0, 1)))])
    return catalogue


@pytest.fixture
def copy_open() -> Callable[[Path, Path], Path]:
    """Copies a catalogue that is open into a folder, as a kill would leave it."""

    def copy(path: Path, folder: Path) -> Path:
        for file in path.parent.glob("catalogue.*"):
            if not file.name.endswith("-shm"):
                shutil.copyfile(file, folder / file.name)
        return folder / path.name

    return copy


@pytest.fixture
def check_lexical_index(path: Path) -> Callable[[], None]:
    """Raises AssertionError unless the postings are those of the stored passages."""

    def check() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            stored = read_all_postings(connection)
            connection.execute("BEGIN")
            rebuild_postings(connection)
            assert stored == read_all_postings(connection)
            connection.execute("ROLLBACK")

    return check


def read_all_postings(connection: sqlite3.Connection) -> dict[tuple[str, int], list[bytes]]:
    rows = connection.execute("SELECT term, block, entries FROM postings").fetchall()
    return {
        (term, block): sorted(entries[first : first + 3] for first in range(0, len(entries), 3))
        for term, block, entries in rows
    }
