"""An archive opened read-only, while another process owns it or none can."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import ArchiveDamaged, ReadOnlyArchive
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.types import Article, Filters
from citewire.index.vectors.backends import FolderBackend, ReadOnlyBackend
from citewire.index.vectors.vector_index import VectorIndex

ENCODER = "encoder:made-up"
ROWS = np.eye(4, dtype=np.float32)

Encode = Callable[..., EncodedArticle]


def article(name: str) -> Article:
    return Article(name, "A title", "Some words.")


def test_it_is_read_when_its_owner_has_closed_it(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(article("a"))])
    catalogue.close()
    with closing(open_catalogue(catalogue.path, "read-only", encoder=ENCODER)) as reading:
        assert reading.article("a") == article("a")


def test_what_the_owner_commits_is_seen_at_once(catalogue: Catalogue, encoded: Encode) -> None:
    with closing(open_catalogue(catalogue.path, "read-only", encoder=ENCODER)) as reading:
        catalogue.put([encoded(article("a"))])
        assert reading.state() == catalogue.state()
        catalogue.remove(["a"])
        assert reading.counts() == (0, 0)


def test_it_cannot_be_changed(catalogue: Catalogue, encoded: Encode) -> None:
    with closing(open_catalogue(catalogue.path, "read-only", encoder=ENCODER)) as reading:
        with pytest.raises(ReadOnlyArchive, match="was opened read-only"):
            reading.put([encoded(article("a"))])
        assert catalogue.counts() == (0, 0)


def test_an_older_catalogue_is_left_to_its_owner(catalogue: Catalogue) -> None:
    with catalogue._file.writing() as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'words'")
    with pytest.raises(ReadOnlyArchive):
        open_catalogue(catalogue.path, "read-only", encoder=ENCODER)


def test_the_owners_index_is_shown_and_its_chroma_left_alone(
    catalogue: Catalogue, encoded: Encode, tmp_path: Path
) -> None:
    catalogue.put([encoded(article("a"), ROWS[:3])])
    with (
        closing(open_catalogue(catalogue.path, "read-only", encoder=ENCODER)) as reading,
        closing(VectorIndex(tmp_path / "vectors", catalogue, FolderBackend())) as owned,
        closing(
            VectorIndex(tmp_path / "vectors", reading, ReadOnlyBackend(FolderBackend()))
        ) as shown,
    ):
        owned.rebuild()
        shown.refresh()
        assert (shown.indexed_rows, shown.open_chroma()) == (3, False)
        catalogue.put([encoded(article("b"), ROWS[3:])])
        owned.rebuild()
        # The files that it has open are gone, and hold what they held.
        assert shown.search(ROWS[0], 9, Filters()) == owned.search(ROWS[0], 9, Filters())
        shown.refresh()
        assert shown.indexed_rows == 4
        with pytest.raises(ReadOnlyArchive):
            shown.rebuild()


def test_it_is_opened_at_any_moment_of_what_its_owner_does(
    catalogue: Catalogue, encoded: Encode
) -> None:
    many = np.ones((700, 4), np.float32)
    done = threading.Event()
    sealed = set()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            # Enough for a checkpoint and a seal every third time.
            catalogue.put([encoded(article(f"{number % 5}"), many)])
            sealed.add(catalogue.path.with_suffix(".seal").stat().st_mtime_ns)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        opened = 0
        while opened < 10 or len(sealed) < 3:
            opened += 1
            with closing(open_catalogue(catalogue.path, "read-only", encoder=ENCODER)) as reading:
                articles, passages = reading.counts()
                assert passages == 700 * articles
    finally:
        done.set()
        writer.join()


# -- where no process can write


@pytest.fixture
def closed(encoded: Encode) -> Iterator[Path]:
    """An archive in a folder that every user can get at."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "catalogue.sqlite3")
        with closing(open_catalogue(path, "create", encoder=ENCODER)) as catalogue:
            catalogue.put([encoded(article("a"), ROWS[:3])])
        yield path


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Act as a user who may only read the folder; root may write everywhere."""
    user = os.geteuid()
    folder.chmod(0o555)
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_read_and_not_changed(
    closed: Path, encoded: Encode
) -> None:
    with without_rights(closed.parent):
        with closing(open_catalogue(closed, "own", encoder=ENCODER)) as catalogue:
            assert (catalogue.read_only, catalogue.counts()) == (True, (1, 3))
            assert LexicalIndex(catalogue).search("words", 9, Filters()).keys() == {1, 2, 3}
            with pytest.raises(ReadOnlyArchive):
                catalogue.put([encoded(article("b"))])
        assert DataDirectory(closed.parent, command="ask").is_read_only
    assert not DataDirectory(closed.parent, command="ask").is_read_only
    with closing(open_catalogue(closed, "own", encoder=ENCODER)) as catalogue:
        catalogue.put([encoded(article("b"))])


def test_damage_in_a_folder_that_cannot_be_written_is_refused(closed: Path) -> None:
    content = bytearray(closed.read_bytes())
    content[-100] ^= 1
    closed.write_bytes(content)
    with (
        without_rights(closed.parent),
        pytest.raises(ArchiveDamaged, match="1 of its pages"),
    ):
        open_catalogue(closed, "own", encoder=ENCODER)
