from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.errors import (
    ArchiveDamaged,
    ArchiveLost,
    NoArchive,
    WrongEncoder,
)
from citewire.index.types import Article

ENCODER = "encoder:made-up"
BRIDGE = Article("bridge.md", "The bridge", "The bridge opened in 1894. It is old.")

Encode = Callable[..., EncodedArticle]
Reopen = Callable[..., Catalogue]


def test_two_archives_have_different_names(tmp_path: Path) -> None:
    names = set()
    for file in ("one.sqlite3", "two.sqlite3"):
        with closing(open_catalogue(tmp_path / file, "create", encoder=ENCODER)) as made:
            names.add(made.state().archive_id)
    assert len(names) == 2


def test_creating_where_an_archive_is_opens_it(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    with closing(open_catalogue(path, "create", encoder=ENCODER)) as again:
        assert again.state() == catalogue.state()


def test_a_missing_catalogue_is_no_archive(reopen: Reopen) -> None:
    with pytest.raises(NoArchive, match=r"catalogue\.sqlite3"):
        reopen()


def test_another_encoder_is_refused_by_name(catalogue: Catalogue, path: Path) -> None:
    with pytest.raises(WrongEncoder, match=r"encoder:other.*CITEWIRE_ENCODER"):
        open_catalogue(path, "own", encoder="encoder:other")


def test_another_encoder_is_refused_when_indexing(catalogue: Catalogue, path: Path) -> None:
    with pytest.raises(WrongEncoder):
        open_catalogue(path, "create", encoder="encoder:other")


@pytest.mark.parametrize("content", [b"", b"garbage", b"garbage " * 1000], ids=len)
def test_a_file_that_is_no_catalogue_is_refused(path: Path, content: bytes, reopen: Reopen) -> None:
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=r"catalogue\.sqlite3"):
        reopen()


def test_a_file_that_is_no_catalogue_is_not_overwritten(path: Path) -> None:
    path.write_bytes(b"garbage " * 1000)
    with pytest.raises(ArchiveDamaged):
        open_catalogue(path, "create", encoder=ENCODER)
    assert path.read_bytes() == b"garbage " * 1000


def test_no_archive_is_created_where_one_was_lost(two: Catalogue, path: Path) -> None:
    two.close()
    path.unlink()
    for create in (True, False):
        with pytest.raises(ArchiveLost, match=r"is gone, but catalogue\.seal.*restore.*move away"):
            open_catalogue(path, "create" if create else "own", encoder=ENCODER)
    assert not path.exists()


def test_an_empty_file_in_the_place_of_an_archive_is_not_filled(two: Catalogue, path: Path) -> None:
    two.close()
    path.write_bytes(b"")
    with pytest.raises(ArchiveLost, match="is empty, but"):
        open_catalogue(path, "create", encoder=ENCODER)


def test_a_lost_archive_that_never_held_anything_is_created_again(
    path: Path, reopen: Reopen
) -> None:
    open_catalogue(path, "create", encoder=ENCODER).close()
    path.unlink()
    open_catalogue(path, "create", encoder=ENCODER).close()
    reopen().close()


@pytest.mark.parametrize("encoder", ["encoder:it's", "encoder:'); DROP TABLE articles; --"])
def test_an_encoder_may_have_any_name(tmp_path: Path, encoder: str) -> None:
    path = tmp_path / "named.sqlite3"
    open_catalogue(path, "create", encoder=encoder).close()
    reopened = open_catalogue(path, "own", encoder=encoder)
    assert reopened.counts() == (0, 0)
    reopened.close()
