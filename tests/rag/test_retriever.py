from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.catalogue import Catalogue
from rag.lexical import LexicalIndex
from rag.protocols import Vector, Vectors
from rag.retriever import Retriever, fuse
from rag.tables import EncodedArticle
from rag.types import Article, Filters, Question
from rag.vectors import VectorIndex

BRIDGE = Article("bridge", "A bridge", "The bridge opened in 1894.", "Wire", None, date(2024, 1, 1))
RIVER = Article("river", "A river", "The Vire rose in the night.", "Post")
TOWER = Article("tower", "A tower", "The tower leans.", "Post", None, date(2023, 1, 1))

Unit = Callable[..., Vectors]
cosine_scores = st.dictionaries(st.integers(1, 9), st.floats(-1, 1), max_size=9)
bm25_scores = st.dictionaries(st.integers(1, 9), st.floats(0, 50), max_size=9)


class OneQuestion:
    """An encoder that knows one vector for every question."""

    identity = "encoder:made-up"

    def __init__(self, vector: Vector) -> None:
        self._vector = vector

    def encode_question(self, _text: str) -> Vector:
        return self._vector

    def encode_passages(self, _texts: Sequence[str]) -> Vectors:
        raise NotImplementedError


@pytest.fixture
def retriever(
    catalogue: Catalogue, encoded: Callable[..., EncodedArticle], unit: Unit, tmp_path: Path
) -> Iterator[Retriever]:
    """Over three passages, of which the question's vector is nearest to the tower's."""
    catalogue.put(
        [
            encoded(BRIDGE, unit((1, 2))),
            encoded(RIVER, unit((-1, 1))),
            encoded(TOWER, unit((5, 1))),
        ]
    )
    with closing(VectorIndex(tmp_path / "vectors", catalogue)) as vectors:
        encoder = OneQuestion(unit((1, 0))[0])
        yield Retriever(encoder, vectors, LexicalIndex(catalogue), catalogue)


def found(retriever: Retriever, question: Question, limit: int = 10) -> list[str]:
    return [hit.passage.article.id for hit in retriever.retrieve(question, limit)]


def test_words_and_meaning_together_decide(retriever: Retriever) -> None:
    assert found(retriever, Question("When did the bridge open?")) == ["bridge", "tower", "river"]


def test_without_a_common_word_the_nearest_comes_first(retriever: Retriever) -> None:
    assert found(retriever, Question("Qui?")) == ["tower", "bridge", "river"]


def test_no_more_than_the_limit_is_found(retriever: Retriever) -> None:
    assert found(retriever, Question("When did the bridge open?"), limit=1) == ["bridge"]


def test_a_hit_has_its_fused_score_and_its_own_cosine(retriever: Retriever) -> None:
    hits = retriever.retrieve(Question("When did the bridge open?"), 2)
    cosines = [1 / 5**0.5, 5 / 26**0.5]
    assert [hit.similarity for hit in hits] == pytest.approx(cosines, abs=1e-5)
    expected = [0.5 + 0.5 * cosines[0] / cosines[1], 0.5]
    assert [hit.score for hit in hits] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("filters", "articles"),
    [
        (Filters(sources=frozenset({"Post"})), ["tower", "river"]),
        (Filters(published_to=date(2023, 12, 31)), ["tower"]),
        (Filters(published_from=date(2023, 12, 31)), ["bridge"]),
        (Filters(sources=frozenset({"Nobody"})), []),
    ],
)
def test_filters_hold_for_words_and_meaning(
    retriever: Retriever, filters: Filters, articles: list[str]
) -> None:
    assert found(retriever, Question("When did the bridge open?", filters)) == articles


def test_an_empty_archive_has_no_hits(catalogue: Catalogue, unit: Unit, tmp_path: Path) -> None:
    with closing(VectorIndex(tmp_path / "vectors", catalogue)) as vectors:
        retriever = Retriever(
            OneQuestion(unit((1, 0))[0]), vectors, LexicalIndex(catalogue), catalogue
        )
        assert retriever.retrieve(Question("Who?"), 10) == []


@given(cosine_scores, bm25_scores)
def test_fused_scores_are_from_zero_to_one(
    cosines: dict[int, float], bm25: dict[int, float]
) -> None:
    assert all(0 <= score <= 1 for score in fuse(cosines, bm25).values())


@given(cosine_scores, bm25_scores)
def test_every_passage_with_a_cosine_gets_a_score(
    cosines: dict[int, float], bm25: dict[int, float]
) -> None:
    assert fuse(cosines, bm25).keys() == cosines.keys()


@given(cosine_scores, bm25_scores)
def test_what_both_legs_prefer_is_never_behind(
    cosines: dict[int, float], bm25: dict[int, float]
) -> None:
    fused = fuse(cosines, bm25)
    for one in fused:
        for other in fused:
            if cosines[one] >= cosines[other] and bm25.get(one, 0) >= bm25.get(other, 0):
                assert fused[one] >= fused[other]


def test_best_in_both_legs_is_one() -> None:
    assert fuse({1: 0.4, 2: 0.2, 3: -0.1}, {1: 7.0, 3: 3.5}) == {1: 1.0, 2: 0.25, 3: 0.25}
