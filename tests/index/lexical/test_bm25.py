import math
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.lexical.bm25 import K1, LexicalIndex
from citewire.index.types import Article, Filters

ALL = Filters()
ARTICLES = [
    Article(
        "bridge", "The Vire", "The old bridges opened in 1894.", "Wire", None, date(2024, 1, 1)
    ),
    Article("café", "Trade", "Céline's cafe\u0301 closed. The Vire rose.", "Post"),
    Article("weather", "Weather", "It rained on the vire and on the vire."),
    Article("odd", "Odd", "NEAR AND OR NOT column:text ^start* who 👍🏽 日本語"),
]


@pytest.fixture(scope="module")
def lexical(
    tmp_path_factory: pytest.TempPathFactory, encoded: Callable[..., EncodedArticle]
) -> Iterator[LexicalIndex]:
    path: Path = tmp_path_factory.mktemp("lexical") / "catalogue.sqlite3"
    catalogue = open_catalogue(path, "create", encoder="encoder:made-up")
    catalogue.put(encoded(article) for article in ARTICLES)
    yield LexicalIndex(catalogue)
    catalogue.close()


@given(st.text(max_size=60) | st.text(alphabet="\"^*:(){}+-_'’ NEARORDa", max_size=40))
def test_no_question_is_a_syntax_error(lexical: LexicalIndex, question: str) -> None:
    found = lexical.search(question, 10, ALL)
    assert found.keys() <= {1, 2, 3, 4}
    assert all(score > 0 for score in found.values())


def test_a_question_of_very_many_words_is_searched(lexical: LexicalIndex) -> None:
    question = " ".join(chr(0x4E00 + number) for number in range(499)) + " 1894"
    assert lexical.search(question, 10, ALL).keys() == {1}


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("bridge", [1]),
        ("BRIDGES", [1]),
        ("celine", [2]),
        ("CAFÉ", [2]),
        ("Cafe\u0301", [2]),
        ("日本語", [4]),
        ("Who?", []),
        ("not or", [4]),
        ("tower", []),
        ("?", []),
    ],
)
def test_words_match_whatever_their_case_accents_and_ending(
    lexical: LexicalIndex, question: str, found: list[int]
) -> None:
    assert list(lexical.search(question, 10, ALL)) == found


def test_words_of_the_title_count(lexical: LexicalIndex) -> None:
    assert lexical.search("Vire", 10, ALL).keys() == {1, 2, 3}
    assert lexical.search("Trade", 10, ALL).keys() == {2}


def test_the_best_come_first(lexical: LexicalIndex) -> None:
    scores = list(lexical.search("Vire bridge trade rain", 10, ALL).values())
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_no_more_than_the_limit_is_found(lexical: LexicalIndex) -> None:
    assert len(lexical.search("Vire", 1, ALL)) == 1
    assert lexical.search("Vire", 0, ALL) == {}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(sources=frozenset({"Post"})), {2}),
        (Filters(sources=frozenset({"Post", "Wire"})), {1, 2}),
        (Filters(published_from=date(2024, 1, 1)), {1}),
        (Filters(published_to=date(2023, 12, 31)), set()),
        (Filters(sources=frozenset({"' OR 1=1 --"})), set()),
    ],
)
def test_filters_hold(lexical: LexicalIndex, filters: Filters, found: set[int]) -> None:
    assert lexical.search("Vire", 10, filters).keys() == found


def test_what_is_put_and_removed_meanwhile_is_seen_at_once(
    catalogue: Catalogue, encoded: Callable[..., EncodedArticle]
) -> None:
    lexical = LexicalIndex(catalogue)
    catalogue.put(encoded(article) for article in ARTICLES)
    assert lexical.search("Vire", 10, ALL).keys() == {1, 2, 3}
    catalogue.remove(["weather"])
    assert lexical.search("Vire", 10, ALL).keys() == {1, 2}
    catalogue.put([encoded(ARTICLES[2])])
    assert lexical.search("Vire", 10, ALL).keys() == {1, 2, 5}


def test_scores_are_bm25s(catalogue: Catalogue, encoded: Callable[..., EncodedArticle]) -> None:
    catalogue.put([encoded(Article("a", "", "ab ab. ")), encoded(Article("b", "", "cd ef. "))])
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    # Both passages are of mean length, so that length plays no part.
    expected = idf * 2 * (K1 + 1) / (2 + K1)
    assert LexicalIndex(catalogue).search("ab", 10, ALL) == pytest.approx({1: expected})


def test_a_filter_finds_the_best_of_what_it_leaves_however_rare(
    catalogue: Catalogue, encoded: Callable[..., EncodedArticle]
) -> None:
    """One passage in a thousand passes, behind many that match better."""
    articles = [
        Article(f"{number}", "", "The Vire rose. The Vire fell.", "Wire") for number in range(999)
    ]
    rare = Article("rare", "", "Of the Vire one word.", "Post", None, date(2024, 2, 3))
    catalogue.put(encoded(article) for article in [*articles, rare])
    lexical = LexicalIndex(catalogue)
    for filters in (
        Filters(sources=frozenset({"Post"})),
        Filters(published_from=date(2024, 2, 3), published_to=date(2024, 2, 3)),
    ):
        assert list(lexical.search("When did the Vire rise?", 10, filters)) == [1000]


def test_of_a_question_with_very_many_terms_none_is_missed(lexical: LexicalIndex) -> None:
    question = " ".join(chr(0x4E00 + number) for number in range(40)) + " 1894"
    assert list(lexical.search(question, 10, ALL)) == [1]
