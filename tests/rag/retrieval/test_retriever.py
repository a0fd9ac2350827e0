import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.archive.protocol import Archive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.catalogue.term_vectors import (
    TERM_VECTORS_SCHEMA,
    add_term_vector,
    read_term_vectors,
)
from citewire.index.embedding import Vector, Vectors
from citewire.index.lexical.fuzzy import compare_trigrams
from citewire.index.text.analysis import analyze
from citewire.index.types import Article, Filters
from citewire.rag.retrieval.ranking import WEIGHTS, QueryTerms, rank
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.types import Question

BRIDGE = Article("bridge", "A bridge", "The bridge opened in 1894.", "Wire", None, date(2024, 1, 1))
RIVER = Article("river", "A river", "The Vire rose in the night.", "Post")
TOWER = Article("tower", "A tower", "The tower leans.", "Post", None, date(2023, 1, 1))

Unit = Callable[..., Vectors]
legs = st.dictionaries(st.integers(1, 9), st.tuples(st.floats(-1, 1), st.floats(0, 50)), max_size=9)
BRIDGE_OPENED = QueryTerms(analyze("When did the bridge open?"), {"bridg": 2.0, "open": 1.0}, {})


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
    archive: Archive, encoded: Callable[..., EncodedArticle], unit: Unit
) -> HybridRetriever:
    """Over three passages, of which the question's vector is nearest to the tower's."""
    archive.put(
        [
            encoded(BRIDGE, unit((1, 2))),
            encoded(RIVER, unit((-1, 1))),
            encoded(TOWER, unit((5, 1))),
        ]
    )
    return HybridRetriever(OneQuestion(unit((1, 0))[0]), archive)


def found(retriever: HybridRetriever, question: Question, limit: int = 10) -> list[str]:
    return [hit.passage.article.id for hit in retriever.retrieve(question, limit).hits]


def test_words_and_meaning_together_decide(retriever: HybridRetriever) -> None:
    assert found(retriever, Question("When did the bridge open?")) == ["bridge", "tower", "river"]


def test_without_a_common_word_the_nearest_comes_first(retriever: HybridRetriever) -> None:
    assert found(retriever, Question("Qui?")) == ["tower", "bridge", "river"]


def test_no_more_than_the_limit_is_found(retriever: HybridRetriever) -> None:
    assert found(retriever, Question("When did the bridge open?"), limit=1) == ["bridge"]


def test_a_hit_has_its_fused_score_and_its_own_cosine(retriever: HybridRetriever) -> None:
    hits = retriever.retrieve(Question("When did the bridge open?"), 2).hits
    cosines = [1 / 5**0.5, 5 / 26**0.5]
    assert [hit.similarity for hit in hits] == pytest.approx(cosines, abs=1e-5)
    # The second shares no word with the question: its cosine, the largest, is all it has.
    # The first has all of them, one ("opened") in another form.
    others = sum(WEIGHTS) - WEIGHTS.cosine - WEIGHTS.exact / 2 - WEIGHTS.fuzzy
    best = WEIGHTS.cosine * cosines[0] / cosines[1] + others
    assert [hit.score for hit in hits] == pytest.approx([1, WEIGHTS.cosine / best], abs=1e-5)


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
    retriever: HybridRetriever, filters: Filters, articles: list[str]
) -> None:
    assert found(retriever, Question("When did the bridge open?", filters)) == articles


def test_an_empty_archive_has_no_hits(archive: Archive, unit: Unit) -> None:
    retriever = HybridRetriever(OneQuestion(unit((1, 0))[0]), archive)
    assert retriever.retrieve(Question("Who?"), 10).hits == []


def scores_of(
    terms: QueryTerms,
    texts: Mapping[int, str],
    cosines: Mapping[int, float],
    bm25: Mapping[int, float],
) -> dict[int, float]:
    """The scores of candidates with these texts, whose words are kept and read as always."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(TERM_VECTORS_SCHEMA)
        for passage, text in texts.items():
            add_term_vector(connection, passage, analyze(text))
        matches = terms.match(read_term_vectors(connection, list(texts)))
    return rank(terms, matches, cosines, bm25)


def texts_of(ids: Iterable[int]) -> dict[int, str]:
    return dict.fromkeys(ids, "A bridge. The bridge opened in 1894.")


@given(legs)
def test_scores_are_from_zero_to_one_and_the_best_is_one(
    legs: dict[int, tuple[float, float]],
) -> None:
    cosines = {passage: cosine for passage, (cosine, _) in legs.items()}
    bm25 = {passage: score for passage, (_, score) in legs.items()}
    scores = scores_of(BRIDGE_OPENED, texts_of(legs), cosines, bm25)
    assert scores.keys() == legs.keys()
    assert all(0 <= score <= 1 for score in scores.values())
    assert not scores or max(scores.values()) == 1


@given(legs)
def test_of_the_same_words_what_both_searches_prefer_is_never_behind(
    legs: dict[int, tuple[float, float]],
) -> None:
    cosines = {passage: cosine for passage, (cosine, _) in legs.items()}
    bm25 = {passage: score for passage, (_, score) in legs.items()}
    scores = scores_of(BRIDGE_OPENED, texts_of(legs), cosines, bm25)
    for one in legs:
        for other in legs:
            if cosines[one] >= cosines[other] and bm25[one] >= bm25[other]:
                assert scores[one] >= scores[other]


def test_a_name_said_together_goes_before_its_halves_said_apart() -> None:
    texts = {
        1: "Park met Jin in Seoul, and the weather was fine for a long and pleasant day.",
        2: "Park Jin was in Seoul, and the weather was fine for a long and pleasant day.",
    }
    same = dict.fromkeys(texts, 0.5)
    terms = QueryTerms(analyze("Park Jin"), {"park": 1.0, "jin": 2.0}, {})
    scores = scores_of(terms, texts, same, same)
    assert scores[2] > scores[1]


def test_a_name_in_another_spelling_goes_before_a_stranger() -> None:
    texts = {1: "Rossini spoke in Tripoli.", 2: "Gaddafi spoke in Tripoli."}
    same = dict.fromkeys(texts, 0.5)
    asked = analyze("Where did Gaddifi speak?")
    terms = QueryTerms(asked, {"gaddifi": 6.0, "speak": 2.0}, {"gaddafi": {"gaddifi": 0.5}})
    scores = scores_of(terms, texts, same, same)
    assert scores[2] > scores[1]


def test_the_word_itself_counts_more_than_one_that_looks_alike() -> None:
    texts = {1: "The composition was long.", 2: "They composed for long.", 3: "They sang for long."}
    same = dict.fromkeys(texts, 0.5)
    asked = analyze("Who composed?")
    terms = QueryTerms(
        asked, {"compos": 2.0}, {"composit": {"compos": compare_trigrams("compos", "composit")}}
    )
    scores = scores_of(terms, texts, same, same)
    assert scores[2] > scores[1] > scores[3]


def test_an_article_is_found_by_another_form_of_its_words(
    retriever: HybridRetriever,
    catalogue: Catalogue,
    encoded: Callable[..., EncodedArticle],
    unit: Unit,
) -> None:
    catalogue.put(
        [
            encoded(Article("waltz", "", "Its composition took a year."), unit((1, 1))),
            encoded(Article("march", "", "Its rehearsal took a year."), unit((1, 1))),
        ]
    )
    in_order = found(retriever, Question("When was it composed?"))
    assert in_order.index("waltz") < in_order.index("march")


def test_each_search_says_what_it_found(retriever: HybridRetriever) -> None:
    found = retriever.retrieve(Question("When did the bridge open?"), 3).scored
    assert [each.scores.dense_rank for each in found] == [2, 1, 3]
    assert [each.scores.lexical_rank for each in found] == [1, None, None]
    assert found[0].scores.bm25 > 0
    assert [each.scores.bm25 for each in found[1:]] == [0, 0]
    assert [each.scores.cosine for each in found] == [each.hit.similarity for each in found]


def test_the_retrieval_says_what_was_searched(
    retriever: HybridRetriever, catalogue: Catalogue
) -> None:
    retrieval = retriever.retrieve(Question("When did the bridge open?"), 3)
    assert (retrieval.articles, retrieval.passages) == catalogue.counts() == (3, 3)
    assert retrieval.index_version == str(catalogue.state())


def test_more_than_are_ranked_for_a_reader_can_be_found(
    retriever: HybridRetriever, catalogue: Catalogue, encoded: Callable[..., EncodedArticle]
) -> None:
    articles = [Article(f"b{number}", "", f"Bridge {number} opened.") for number in range(80)]
    catalogue.put(encoded(article) for article in articles)
    question = Question("When did the bridge open?")
    assert len(retriever.retrieve(question, 70).hits) == 70


def test_both_searches_see_one_state_while_articles_are_added(
    retriever: HybridRetriever, catalogue: Catalogue, encoded: Callable[..., EncodedArticle]
) -> None:
    question = Question("When did the bridge open?")

    def add_articles() -> None:
        for number in range(25):
            catalogue.put([encoded(Article(f"b{number}", "", f"Bridge {number} opened."))])

    with ThreadPoolExecutor(1) as other:
        adding = other.submit(add_articles)
        while True:
            done = adding.done()
            retrieval = retriever.retrieve(question, 100)
            # So few that dense search proposes all there are.
            assert len(retrieval.hits) == retrieval.passages
            if done:
                break
        adding.result()
    assert retrieval.passages == 28
