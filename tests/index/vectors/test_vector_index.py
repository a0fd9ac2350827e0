import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vector, Vectors
from citewire.index.errors import NotUsable
from citewire.index.types import Article, Filters
from citewire.index.vectors.backend import Candidate, IndexWriter
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.checks import check_index
from citewire.index.vectors.chroma_server import ChromaServer
from citewire.index.vectors.maintenance import Maintenance
from citewire.index.vectors.rows import FOLDER, Rows, map_rows
from citewire.index.vectors.vector_index import VectorIndex

ENCODER = "encoder:made-up"
DIMENSION = 16
ROWS = 300
ALL = Filters()
WIRE = Filters(sources=frozenset({"Wire"}))

Encode = Callable[..., EncodedArticle]


def random_rows(count: int, seed: int, dimension: int = DIMENSION) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


QUESTIONS = random_rows(20, seed=1)
ONE_ROW = random_rows(1, seed=2)
SOME_ROWS = random_rows(ROWS, seed=3)


def article(name: str, source: str = "Wire", published: date | None = None) -> Article:
    return Article(name, "A title", "Some words.", source=source, published=published)


def nearest(catalogue: Catalogue, question: Vector, limit: int, filters: Filters) -> list[int]:
    """What an index must find, by comparing with every vector that passes."""
    ids, vectors = catalogue.vectors(catalogue.matching_passages(filters))
    order = np.argsort(-(vectors @ question), kind="stable")[:limit] if ids else []
    return [ids[row] for row in order]


def assert_finds_the_nearest(
    index: VectorIndex, catalogue: Catalogue, filters: Filters = ALL
) -> None:
    found = [list(index.search(question, 5, filters)) for question in QUESTIONS]
    assert found == [nearest(catalogue, question, 5, filters) for question in QUESTIONS]


@pytest.fixture
def index(catalogue: Catalogue, tmp_path: Path) -> Iterator[VectorIndex]:
    opened = VectorIndex(tmp_path / "vectors", catalogue, FolderBackend())
    yield opened
    opened.close()


# -- searching


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
    found = index.similarities(SOME_ROWS[1], [2, 99])
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


def test_a_replaced_article_is_found_by_its_new_vectors_alone(
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


def test_what_a_killed_rebuild_left_is_removed(
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


# -- filters


@dataclass(frozen=True, slots=True)
class Wide:
    """An archive in which nearly all passages pass the filter WIRE, but none of the nearest."""

    catalogue: Catalogue
    index: VectorIndex
    vectors: Vectors


@pytest.fixture(scope="module", params=["catalogue", "rows", "chroma"])
def wide(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, encoded: Encode
) -> Iterator[Wide]:
    folder = tmp_path_factory.mktemp("wide")
    catalogue = open_catalogue(folder / "catalogue.sqlite3", "create", encoder=ENCODER)
    vectors = random_rows(3000, seed=5, dimension=4)
    # The other source is nearer to the first axis than anything of the first source.
    near = vectors[:, 0].argsort()[::-1][:200]
    catalogue.put(
        [
            encoded(article("far", "Wire"), np.delete(vectors, near, axis=0)),
            encoded(article("near", "Post"), vectors[near]),
        ]
    )
    index = VectorIndex(folder / "vectors", catalogue, FolderBackend())
    if request.param != "catalogue":
        index.rebuild()
    if request.param == "chroma":
        assert index.open_chroma()
    yield Wide(catalogue, index, vectors)
    index.close()
    catalogue.close()


def test_a_filter_that_many_pass_is_exact(wide: Wide) -> None:
    axis = np.array([1, 0, 0, 0], np.float32)
    assert list(wide.index.search(axis, 5, WIRE)) == nearest(wide.catalogue, axis, 5, WIRE)


def test_a_filter_that_few_pass_is_exact(wide: Wide) -> None:
    axis = np.array([-1, 0, 0, 0], np.float32)
    post = Filters(sources=frozenset({"Post"}))
    assert list(wide.index.search(axis, 5, post)) == nearest(wide.catalogue, axis, 5, post)


class Forgetful:
    """An index that names the nearest twenty, and of those behind them only every other one."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def nearest(self, vector: Vector, limit: int) -> dict[int, float]:
        scores = self._rows.scores(vector)
        order = np.argsort(-scores)
        named = [*order[:20], *order[20 : 2 * limit : 2]][:limit]
        return {int(self._rows.ids[row]): float(scores[row]) for row in named}

    def close(self) -> None:
        pass


class ForgetfulBackend:
    """A backend of folders whose indexes forget."""

    kind = FolderBackend.kind
    read_only = False
    server: ChromaServer | None = None

    def writer(self) -> IndexWriter:
        return FolderBackend().writer()

    def verify(self, candidate: Candidate) -> None:
        FolderBackend().verify(candidate)

    def open(self, candidate: Candidate) -> Forgetful:
        return Forgetful(map_rows(candidate.folder / FOLDER))


def test_a_filter_is_exact_where_an_index_overlooks_what_lies_far(
    catalogue: Catalogue, tmp_path: Path, encoded: Encode
) -> None:
    catalogue.put(
        [
            encoded(article("a", "Wire"), SOME_ROWS[: ROWS // 2]),
            encoded(article("b", "Post"), SOME_ROWS[ROWS // 2 :]),
        ]
    )
    with closing(VectorIndex(tmp_path / "vectors", catalogue, ForgetfulBackend())) as index:
        index.rebuild()
        assert index.open_chroma()
        for question in QUESTIONS:
            found = list(index.search(question, 30, WIRE))
            assert found == nearest(catalogue, question, 30, WIRE)


@pytest.mark.parametrize(
    "filters",
    [
        WIRE,
        Filters(sources=frozenset({"Wire", "Post"})),
        Filters(published_from=date(2024, 1, 1)),
        Filters(published_to=date(2024, 1, 1), sources=frozenset({"Post"})),
    ],
)
def test_filters_hold_for_old_and_new_passages(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode, filters: Filters
) -> None:
    catalogue.put(
        [
            encoded(article("a", "Wire"), SOME_ROWS[:100]),
            encoded(article("b", "Post", date(2024, 1, 1)), SOME_ROWS[100:200]),
        ]
    )
    index.rebuild()
    catalogue.put([encoded(article("c", "Wire", date(2024, 1, 2)), SOME_ROWS[200:])])
    assert_finds_the_nearest(index, catalogue, filters)


def test_a_filter_that_nothing_passes_finds_nothing(
    catalogue: Catalogue, index: VectorIndex, encoded: Encode
) -> None:
    catalogue.put([encoded(article("a"), SOME_ROWS)])
    index.rebuild()
    assert index.search(QUESTIONS[0], 5, Filters(sources=frozenset({"Nobody"}))) == {}


# -- damage


@pytest.fixture(scope="module")
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


def generation(folder: Path) -> Path:
    (found,) = (folder / "vectors").glob("generation-*")
    return found


def index_file(folder: Path, name: str) -> Path:
    (found,) = generation(folder).glob(f"*/{name}")
    return found


def database(folder: Path) -> Path:
    return generation(folder) / "chroma.sqlite3"


def manifest(folder: Path) -> Path:
    return folder / "vectors" / "current.json"


def change_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def run_sql(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def change_manifest(folder: Path, old: str, new: str) -> None:
    text = manifest(folder).read_text()
    assert old in text
    manifest(folder).write_text(text.replace(old, new))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "rows changed": lambda folder: change_byte(generation(folder) / "rows" / "vectors.npy"),
    "rows cut": lambda folder: os.truncate(generation(folder) / "rows" / "ids.npy", 200),
    "rows missing": lambda folder: (generation(folder) / "rows" / "vectors.npy").unlink(),
    "vectors changed": lambda folder: change_byte(index_file(folder, "data_level0.bin")),
    "links changed": lambda folder: change_byte(index_file(folder, "length.bin")),
    "vectors cut": lambda folder: os.truncate(index_file(folder, "data_level0.bin"), 1000),
    "names missing": lambda folder: index_file(folder, "index_metadata.pickle").unlink(),
    "folder missing": lambda folder: shutil.rmtree(generation(folder)),
    "index missing": lambda folder: shutil.rmtree(index_file(folder, "header.bin").parent),
    "everything missing": lambda folder: shutil.rmtree(folder / "vectors"),
    "database missing": lambda folder: database(folder).unlink(),
    "database empty": lambda folder: database(folder).write_bytes(b""),
    "database garbage": lambda folder: database(folder).write_bytes(b"garbage " * 5000),
    "database cut": lambda folder: os.truncate(database(folder), 50_000),
    "database without rows": lambda folder: run_sql(
        database(folder), "DELETE FROM embeddings WHERE embedding_id < '2'"
    ),
    "database without collection": lambda folder: run_sql(
        database(folder), "DELETE FROM collections"
    ),
    # Chroma panics on this one.
    "database with other columns": lambda folder: run_sql(
        database(folder), "ALTER TABLE embeddings_queue_config RENAME config_json_str TO other"
    ),
    "manifest empty": lambda folder: manifest(folder).write_text(""),
    "manifest garbage": lambda folder: manifest(folder).write_bytes(b"\xff{"),
    "manifest of nothing": lambda folder: manifest(folder).write_text("{}"),
    "manifest a list": lambda folder: manifest(folder).write_text("[]"),
    "manifest with one row less": lambda folder: change_manifest(
        folder, '"rows": 300', '"rows": 299'
    ),
    "manifest with more passages": lambda folder: change_manifest(
        folder, '"last_passage": 300', '"last_passage": 900'
    ),
    "manifest of no type": lambda folder: change_manifest(
        folder, '"folder": "', '"folder": null, "was": "'
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_changes_no_result(
    copied: Path, copied_catalogue: Catalogue, encoded: Encode, damage: Callable[[Path], object]
) -> None:
    damage(copied)
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        copied_catalogue.put([encoded(article("new"), QUESTIONS[:1])])
        assert_finds_the_nearest(index, copied_catalogue)
        # Whatever is damaged, Chroma's trial finds it, and its files are not asked.
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
def test_a_rebuild_heals_damage(copied: Path, copied_catalogue: Catalogue, name: str) -> None:
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


def test_an_index_that_cannot_be_written_is_said_and_done_without(
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


def test_searches_go_on_from_whole_states_while_the_index_is_rebuilt(
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


def test_closing_ends_a_rebuild_and_leaves_the_old_generation(
    copied: Path, copied_catalogue: Catalogue, encoded: Encode
) -> None:
    # So many take seconds to be built.
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


@pytest.mark.parametrize("name", ["rows changed", "links changed", "manifest empty"])
def test_an_examination_names_what_is_damaged(
    copied: Path, copied_catalogue: Catalogue, name: str
) -> None:
    assert check_index(copied / "vectors", copied_catalogue, FolderBackend()) == []
    DAMAGES[name](copied)
    (found,) = check_index(copied / "vectors", copied_catalogue, FolderBackend())
    assert {"rows": "vectors.npy", "link": "length.bin", "mani": "manifest"}[name[:4]] in found


def test_an_index_that_chroma_cannot_search_is_found_out(
    copied: Path, copied_catalogue: Catalogue
) -> None:
    DAMAGES["database without rows"](copied)
    (found,) = check_index(copied / "vectors", copied_catalogue, FolderBackend())
    assert "Chroma does not find" in found


def test_an_index_under_maintenance_repairs_itself(
    copied: Path, copied_catalogue: Catalogue
) -> None:
    change_byte(index_file(copied, "data_level0.bin"))
    with closing(VectorIndex(copied / "vectors", copied_catalogue, FolderBackend())) as index:
        with Maintenance.by_owner(index, copied_catalogue):
            deadline = time.monotonic() + 120
            while not index.uses_chroma and time.monotonic() < deadline:
                assert_finds_the_nearest(index, copied_catalogue)
                time.sleep(0.05)
            assert (index.uses_chroma, index.is_stale()) == (True, False)
            assert_finds_the_nearest(index, copied_catalogue)
        assert check_index(copied / "vectors", copied_catalogue, FolderBackend()) == []
