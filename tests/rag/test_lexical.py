from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.catalogue import Catalogue
from rag.lexical import LexicalIndex, match_expression
from rag.tables import EncodedArticle
from rag.types import Article, Filters

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
    catalogue = Catalogue(path, encoder="encoder:made-up", create=True)
    catalogue.put(encoded(article) for article in ARTICLES)
    yield LexicalIndex(catalogue)
    catalogue.close()


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("who met Park Jin?", '"met" OR "Park" OR "Jin"'),
        ("Who was it?", '"Who" OR "was" OR "it"'),
        ("not the bridge", '"not" OR "bridge"'),
        ("river River river", '"river" OR "River"'),
        ("Céline's café", '"Céline\'s" OR "café"'),
        ('"quoted" AND NEAR(a b)*', '"quoted" OR "NEAR" OR "b"'),
        ("?!", None),
        ("x" * 65, None),
    ],
)
def test_any_telling_word_is_asked_for_in_quotes(question: str, expression: str | None) -> None:
    assert match_expression(question) == expression


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
        ("Who?", [4]),
        ("tower", []),
        ("?", []),
    ],
)
def test_words_match_whatever_their_case_accents_and_ending(
    lexical: LexicalIndex, question: str, found: list[int]
) -> None:
    assert list(lexical.search(question, 10, ALL)) == found


def test_a_word_of_the_title_says_more_than_one_of_the_text(lexical: LexicalIndex) -> None:
    assert list(lexical.search("Vire", 10, ALL)) == [1, 3, 2]


def test_the_best_come_first(lexical: LexicalIndex) -> None:
    scores = list(lexical.search("Vire bridge trade rain", 10, ALL).values())
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_no_more_than_the_limit_is_found(lexical: LexicalIndex) -> None:
    assert list(lexical.search("Vire", 1, ALL)) == [1]
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
