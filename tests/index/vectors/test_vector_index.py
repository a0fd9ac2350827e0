from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from exact_search import (
    ALL,
    QUESTIONS,
    ROWS,
    SOME_ROWS,
    Encode,
    article,
    assert_finds_the_nearest,
    nearest,
    random_rows,
)

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex


@pytest.mark.parametrize("rows", [1, 2, 99, 101, 2500])
def test_the_index_finds_the_nearest_of_any_number_of_passages(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode, rows: int
) -> None:
    catalogue.put([encoded(article("a"), random_rows(rows, seed=rows))])
    index.rebuild()
    assert (index.indexed_rows, index.scanned_rows()) == (rows, 0)
    assert_finds_the_nearest(index, catalogue)
    assert index.open_chroma()
    assert_finds_the_nearest(index, catalogue)


def test_an_index_on_a_bad_sector_is_passed_over(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode, tmp_path: Path
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    (vectors,) = tmp_path.glob("vectors/generation-*/rows/vectors.npy")
    vectors.unlink()
    # It opens, and reading it fails: there is nothing at this process's address 0.
    vectors.symlink_to("/proc/self/mem")
    with closing(VectorIndex(tmp_path / "vectors", catalogue, FolderBackend())) as opened:
        assert opened.indexed_rows == 0
        assert_finds_the_nearest(opened, catalogue)


def test_scores_are_cosines(catalogue: Catalogue, index: VectorIndex, encoded: Encode) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    found = index.search(QUESTIONS[0], 5, ALL)
    expected = [float(SOME_ROWS[number - 1] @ QUESTIONS[0]) for number in found]
    assert list(found.values()) == pytest.approx(expected, abs=1e-5)


def test_an_empty_archive_has_nothing_near(index: VectorIndex) -> None:
    assert index.search(QUESTIONS[0], 5, ALL) == {}


def test_an_emptied_archive_has_nothing_near(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    catalogue.remove(["a"])
    before = index.search(QUESTIONS[0], 5, ALL)
    index.rebuild()
    assert (before, index.search(QUESTIONS[0], 5, ALL), index.indexed_rows) == ({}, {}, 0)


def test_a_limit_of_zero_finds_nothing(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    assert index.search(QUESTIONS[0], 0, ALL) == {}


def test_a_limit_beyond_the_archive_finds_all(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS[:40])])
    index.rebuild()
    assert index.search(QUESTIONS[0], 1000, ALL).keys() == set(range(1, 41))


def test_similarities_are_of_the_passages_that_exist(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS[:3])])
    index.rebuild()
    found = index.compute_similarities(SOME_ROWS[1], [2, 99])
    assert found == {2: pytest.approx(1.0, abs=1e-5)}


def test_threads_find_the_same(catalogue: Catalogue, index: VectorIndex, encoded: Encode) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    catalogue.put([encoded(article("b"), random_rows(20, seed=4))])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda question: list(index.search(question, 5, ALL)), QUESTIONS))
    assert found == [nearest(catalogue, question, 5, ALL) for question in QUESTIONS]


# -- changes


def test_an_addition_is_found_before_any_rebuild(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    catalogue.put([encoded(article("new"), QUESTIONS[:1])])
    assert next(iter(index.search(QUESTIONS[0], 5, ALL))) == ROWS + 1
    assert_finds_the_nearest(index, catalogue)


def test_a_deletion_is_gone_before_any_rebuild(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("near"), np.repeat(QUESTIONS[:1], 30, axis=0))])
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    catalogue.remove(["near"])
    found = index.search(QUESTIONS[0], 5, ALL)
    assert len(found) == 5
    assert_finds_the_nearest(index, catalogue)


def test_a_replaced_article_is_found_only_by_its_new_vectors(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS), encoded(article("b"), QUESTIONS[:1])])
    index.rebuild()
    catalogue.put([encoded(article("b"), QUESTIONS[1:2])])
    old, new = (index.search(question, 1, ALL) for question in QUESTIONS[:2])
    assert ROWS + 1 not in old
    assert list(new) == [ROWS + 2]


def test_an_index_is_stale_when_a_tenth_has_changed(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS[:100])])
    stale = [index.is_stale()]
    index.rebuild()
    stale.append(index.is_stale())
    catalogue.put([encoded(article("ten"), SOME_ROWS[:10])])
    stale.append(index.is_stale())
    catalogue.put([encoded(article("one"), SOME_ROWS[:1])])
    stale.append(index.is_stale())
    assert stale == [True, False, False, True]


def test_deletions_make_an_index_stale(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS[:80]), encoded(article("b"), SOME_ROWS[:20])])
    index.rebuild()
    catalogue.remove(["b"])
    assert index.is_stale()


def test_a_rebuild_leaves_one_generation_with_everything(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode, tmp_path: Path
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    (first,) = (tmp_path / "vectors").glob("generation-*")
    catalogue.put([encoded(article("b"), QUESTIONS)])
    index.rebuild()
    (second,) = (tmp_path / "vectors").glob("generation-*")
    assert first != second
    assert (index.indexed_rows, index.scanned_rows()) == (ROWS + 20, 0)
    assert_finds_the_nearest(index, catalogue)


def test_an_emptied_archive_leaves_no_old_generation(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode, tmp_path: Path
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    catalogue.remove(["a"])
    index.rebuild()
    assert list((tmp_path / "vectors").glob("generation-*/chroma.sqlite3")) == []


def test_the_remains_of_a_killed_rebuild_are_removed(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode, tmp_path: Path
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    index.close()
    left = tmp_path / "vectors" / "generation-unfinished"
    left.mkdir()
    (left / "chroma.sqlite3").write_bytes(b"half")
    with closing(VectorIndex(tmp_path / "vectors", catalogue, FolderBackend())) as again:
        assert (left.exists(), again.indexed_rows) == (False, ROWS)


def test_searches_see_whole_states_while_the_index_is_rebuilt(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    assert index.open_chroma()
    with ThreadPoolExecutor(3) as pool:
        rebuilt = pool.submit(index.rebuild)
        rounds = 0
        while not rebuilt.done() or rounds < 3:
            # The same article over and over: one version of it is found at any time.
            catalogue.put([encoded(article("b"), QUESTIONS)])
            for question in QUESTIONS:
                with catalogue.reading():
                    found = list(index.search(question, 5, ALL))
                    assert found == nearest(catalogue, question, 5, ALL)
            rounds += 1
        rebuilt.result()
    assert_finds_the_nearest(index, catalogue)
