from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from exact_search import (
    ENCODER,
    QUESTIONS,
    ROWS,
    SOME_ROWS,
    WIRE,
    Encode,
    article,
    assert_finds_the_nearest,
    nearest,
    random_rows,
)

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.embedding import Vector, Vectors
from citewire.index.types import Filters
from citewire.index.vectors.backend import IndexWriter, StoredIndex
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.chroma_server import ChromaServer
from citewire.index.vectors.rows import FOLDER, Rows, map_rows
from citewire.index.vectors.vector_index import VectorIndex


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
    """An index that finds the nearest twenty, and of those after them only every other one."""

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
    """A backend of folders whose indexes are Forgetful."""

    kind = FolderBackend.kind
    read_only = False
    server: ChromaServer | None = None

    def writer(self) -> IndexWriter:
        return FolderBackend().writer()

    def verify(self, stored: StoredIndex) -> None:
        FolderBackend().verify(stored)

    def open(self, stored: StoredIndex) -> Forgetful:
        return Forgetful(map_rows(stored.folder / FOLDER))


def test_a_filter_is_exact_where_an_index_overlooks_distant_passages(
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
