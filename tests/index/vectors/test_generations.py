import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from damages import DAMAGES, change_byte, database, generation, manifest, run_sql
from exact_search import (
    ALL,
    ENCODER,
    QUESTIONS,
    ROWS,
    Encode,
    article,
    assert_finds_the_nearest,
    random_rows,
)

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.errors import NotUsable
from citewire.index.vectors.backends import FolderBackend, ReadOnlyBackend
from citewire.index.vectors.vector_index import VectorIndex


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_changes_no_result(
    copied: Path, copied_catalogue: Catalogue, encoded: Encode, damage: Callable[[Path], object]
) -> None:
    damage(copied)
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        copied_catalogue.put([encoded(article("new"), QUESTIONS[:1])])
        assert_finds_the_nearest(index, copied_catalogue)
        # Verification finds any damage, and Chroma does not search its files.
        assert not index.open_chroma()
        assert index.is_stale()
        assert_finds_the_nearest(index, copied_catalogue)


@pytest.mark.parametrize(
    "name",
    [
        "rows changed",
        "vectors cut",
        "folder missing",
        "everything missing",
        "database garbage",
        "manifest garbage",
        "manifest of no type",
    ],
)
def test_a_rebuild_repairs_damage(copied: Path, copied_catalogue: Catalogue, name: str) -> None:
    DAMAGES[name](copied)
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        index.rebuild()
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as again:
        assert (again.indexed_rows, again.scanned_rows()) == (ROWS, 0)
        assert_finds_the_nearest(again, copied_catalogue)


def test_damaged_rows_are_not_used(copied: Path, copied_catalogue: Catalogue) -> None:
    change_byte(generation(copied) / "rows" / "vectors.npy")
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        assert (index.indexed_rows, index.scanned_rows(), index.is_stale()) == (0, ROWS, True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: database(folder).write_bytes(b"garbage " * 5000),
        lambda folder: run_sql(database(folder), "DROP TABLE segments"),
    ],
)
def test_damage_under_an_open_index_changes_no_result(
    copied: Path, copied_catalogue: Catalogue, damage: Callable[[Path], object]
) -> None:
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        assert index.open_chroma()
        damage(copied)
        assert_finds_the_nearest(index, copied_catalogue)
        assert (index.uses_chroma, index.is_stale()) == (False, True)


def test_a_sound_index_is_opened_again(copied: Path, copied_catalogue: Catalogue) -> None:
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        assert (index.indexed_rows, index.scanned_rows(), index.is_stale()) == (ROWS, 0, False)
        assert_finds_the_nearest(index, copied_catalogue)


def test_the_index_of_another_archive_is_not_used(
    copied: Path, catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(article("other"), random_rows(ROWS, seed=6))])
    with closing(VectorIndex(copied / "vectors", catalogue, FolderBackend())) as index:
        assert index.indexed_rows == 0
        assert_finds_the_nearest(index, catalogue)


def test_the_index_of_a_later_state_is_not_used_after_the_catalogue_was_set_back(
    copied: Path, copied_catalogue: Catalogue, encoded: Encode, tmp_path: Path
) -> None:
    copied_catalogue.close()
    for file in copied.glob("catalogue.*"):
        shutil.copyfile(file, tmp_path / file.name)
    backup = tmp_path / "catalogue.sqlite3"
    copied_catalogue = open_catalogue(copied / "catalogue.sqlite3", "own", encoder=ENCODER)
    copied_catalogue.put([encoded(article("b"), QUESTIONS)])
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        index.rebuild()
    copied_catalogue.close()
    with (
        closing(open_catalogue(backup, "own", encoder=ENCODER)) as restored,
        closing(VectorIndex(copied / "vectors", restored, FolderBackend())) as index,
    ):
        assert index.indexed_rows == 0
        # The new passages get the ids of those that the index still has.
        restored.put([encoded(article("c"), random_rows(20, seed=7))])
        assert_finds_the_nearest(index, restored)


def test_the_manifest_names_the_state_that_is_shown(
    copied: Path, copied_catalogue: Catalogue
) -> None:
    fields = json.loads(manifest(copied).read_text().splitlines()[0])
    state = copied_catalogue.state()
    assert (fields["archive_id"], fields["version"]) == (state.archive_id, state.version)


def test_an_index_that_cannot_be_written_is_an_error_and_the_catalogue_is_searched(
    catalogue: Catalogue, tmp_path: Path, encoded: Encode
) -> None:
    (tmp_path / "vectors").write_text("a file where a folder should be")
    item = encoded(article("a"), random_rows(1, seed=1))
    catalogue.put([item])
    index = VectorIndex(tmp_path / "vectors", catalogue, FolderBackend())
    with pytest.raises(NotUsable, match="all articles are stored"):
        index.rebuild()
    assert list(index.search(item.vectors[0], 1, ALL)) == [1]


def test_a_rebuild_after_deletions_is_not_stale(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article(name), random_rows(10, seed=5)) for name in "abc"])
    index.rebuild()
    catalogue.remove(["a"])
    assert index.is_stale()
    index.rebuild()
    assert not index.is_stale()


def test_closing_ends_a_rebuild_and_leaves_the_old_generation(
    copied: Path, copied_catalogue: Catalogue, encoded: Encode
) -> None:
    # 5000 rows take seconds to build.
    copied_catalogue.put([encoded(article("b"), random_rows(5000, seed=8))])
    index = VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())
    with ThreadPoolExecutor(1) as pool:
        rebuilt = pool.submit(index.rebuild)
        while len(list((copied / "vectors").glob("generation-*"))) < 2:
            assert not rebuilt.done()
        index.close()
        with pytest.raises(NotUsable, match="asked to stop"):
            rebuilt.result()
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as again:
        assert (again.indexed_rows, again.scanned_rows()) == (ROWS, 5000)


def test_a_reader_in_an_older_state_shows_the_newer_generation_afterwards(
    copied: Path, copied_catalogue: Catalogue, encoded: Encode
) -> None:
    path = copied / "catalogue.sqlite3"
    backend = ReadOnlyBackend(FolderBackend())
    with (
        closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as owned,
        closing(open_catalogue(path, "read-only", encoder=ENCODER)) as catalogue,
        closing(VectorIndex(copied / "vectors", catalogue, backend)) as replica,
    ):
        with catalogue.reading():
            assert catalogue.counts() == (1, ROWS)
            copied_catalogue.put([encoded(article("new"), QUESTIONS[:1])])
            owned.rebuild()
            replica.refresh()
            assert_finds_the_nearest(replica, catalogue)
        replica.refresh()
        assert (replica.indexed_rows, replica.scanned_rows()) == (ROWS + 1, 0)
