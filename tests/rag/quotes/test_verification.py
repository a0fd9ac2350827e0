"""Whether a quote is in the archive is decided by the texts themselves."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.text.chunking import PassageSize, split_passages
from citewire.index.types import Article
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.quotes.verification import MAX_MATCHES, Status, Verifier, find_whole_words
from citewire.rag.types import Citation

BRIDGE = Article(
    "bridge.md",
    "The bridge",
    "The mayor opened the bridge on Thursday. “It is ours,” he said.\n\nIt rained\u00a0all day. The"
    " crowd of two thousand people went home.",
)
ECHO = Article("echo.md", "The echo", "Papers wrote that the mayor opened the bridge on Thursday.")
JAPAN = Article("japan.md", "日本", "市長は橋を開いた。雨が降った。", language="ja")
NOWHERE: tuple[tuple[str, int, int], ...] = ()
# Passages so short that quotes go across many of them.
SHORT = PassageSize(40, 0)


def cut(article: Article, size: PassageSize = SHORT) -> EncodedArticle:
    spans = tuple(split_passages(article.text, article.language, size))
    return EncodedArticle(article, "/news", spans, np.ones((len(spans), 2), np.float32))


@contextmanager
def holding(*articles: Article) -> Iterator[Verifier]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalogue.sqlite3")
        with closing(open_catalogue(path, "create", encoder="none")) as catalogue:
            catalogue.put([cut(article) for article in articles])
            with closing(
                VectorIndex(Path(folder, "vectors"), catalogue, FolderBackend())
            ) as vectors:
                yield Verifier(EmbeddedArchive(catalogue, vectors))


@pytest.fixture(scope="module")
def verifier() -> Iterator[Verifier]:
    with holding(BRIDGE, ECHO, JAPAN) as opened:
        yield opened


def quoted(*places: Citation) -> list[tuple[str, str]]:
    return [(place.article.id, place.text) for place in places]


def test_quote_is_exact_where_it_stands_letter_by_letter(verifier: Verifier) -> None:
    verdict = verifier.verify("mayor opened the bridge on Thursday.")

    assert verdict.status is Status.EXACT
    assert quoted(*verdict.matches) == [
        ("bridge.md", "mayor opened the bridge on Thursday."),
        ("echo.md", "mayor opened the bridge on Thursday."),
    ]
    assert verdict.matches[0].context.of(BRIDGE.text) == "The mayor opened the bridge on Thursday."


def test_quote_across_passages_and_paragraphs_is_found(verifier: Verifier) -> None:
    quote = BRIDGE.text[4:120]

    assert quoted(*verifier.verify(quote).matches) == [("bridge.md", quote)]


@pytest.mark.parametrize(
    "quote", ["It rained all day.", "he said. It\trained", " opened  the\nbridge "]
)
def test_other_white_space_has_its_own_status(verifier: Verifier, quote: str) -> None:
    verdict = verifier.verify(quote)

    assert verdict.status is Status.WHITESPACE_ONLY
    assert verdict.matches[0].text.split() == quote.split()


def test_quote_of_another_article_is_misattributed(verifier: Verifier) -> None:
    verdict = verifier.verify("Papers wrote that", "bridge.md")

    assert verdict.status is Status.MISATTRIBUTED
    assert quoted(*verdict.matches) == [("echo.md", "Papers wrote that")]


def test_quote_is_searched_for_only_in_the_named_article_when_it_is_there(
    verifier: Verifier,
) -> None:
    verdict = verifier.verify("mayor opened the bridge", "echo.md")

    assert verdict.status is Status.EXACT
    assert quoted(*verdict.matches) == [("echo.md", "mayor opened the bridge")]


def test_quote_said_to_be_of_an_article_that_is_not_there_is_misattributed(
    verifier: Verifier,
) -> None:
    assert verifier.verify("Papers wrote", "made-up.md").status is Status.MISATTRIBUTED


@pytest.mark.parametrize(
    "quote",
    [
        "the mayor closed the bridge on Thursday",
        "The Mayor opened the bridge",
        '"It is ours," he said',
        "bridge.md",
        "The echo Papers",
        "said.It rained",
    ],
)
def test_other_words_case_and_typography_are_not_exact(verifier: Verifier, quote: str) -> None:
    verdict = verifier.verify(quote)

    assert verdict.status is Status.NOT_FOUND
    assert verdict.matches == ()


@pytest.mark.parametrize(
    ("quote", "closest"),
    [
        ("The MAYOR opened the bridge on", "The mayor opened the bridge on"),
        ('"It is ours," he said', "“It is ours,” he said"),
        ("Papers wrote that the Mayor opened", "Papers wrote that the mayor opened"),
    ],
)
def test_a_quote_with_other_typography_is_shown_as_closest(
    verifier: Verifier, quote: str, closest: str
) -> None:
    found = verifier.verify(quote).closest

    assert found is not None
    assert found.text == closest


@pytest.mark.parametrize("quote", ["ayor open", "雨が降", "“", "，", "o", "y."])
def test_quotes_without_a_whole_word_are_scanned_for(verifier: Verifier, quote: str) -> None:
    expected = any(quote in article.text for article in (BRIDGE, ECHO, JAPAN))

    assert (verifier.verify(quote).status is Status.EXACT) == expected


def test_no_more_places_are_shown_than_can_be_read() -> None:
    many = Article("many", "Many", "so it was. " * 50)
    with holding(many) as verifier:
        verdict = verifier.verify("so it was")

    assert (len(verdict.matches), verdict.more) == (MAX_MATCHES, True)


@pytest.mark.parametrize(
    "quote", ['" OR 1', "text : bridge", "NEAR(a b)", "%", "_", "*", "\\", "'"]
)
def test_quotes_are_no_query_language(verifier: Verifier, quote: str) -> None:
    expected = any(quote in article.text for article in (BRIDGE, ECHO, JAPAN))

    assert (verifier.verify(quote).status is Status.EXACT) == expected


SENTENCES = st.lists(
    st.lists(
        st.sampled_from(
            "the Mayor's arms-trade naïve U.S. 31,000 running ran café’s (Park) “yes” n° 日本 a"
            " co-operate didn't x_y e\u0301t\u00e9 \u0130zmir and/or 9.5% and".split()
        ),
        min_size=1,
        max_size=8,
    ).map(lambda words: " ".join(words) + "."),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60)
@given(st.lists(SENTENCES.map(" ".join), min_size=1, max_size=3), st.data())
def test_every_stretch_of_an_article_is_found_and_nothing_else(
    texts: list[str], data: st.DataObject
) -> None:
    articles = [Article(str(number), "T", text) for number, text in enumerate(texts)]
    text = data.draw(st.sampled_from(texts))
    start = data.draw(st.integers(0, len(text) - 1))
    quote = text[start : data.draw(st.integers(start + 1, len(text)))]
    if data.draw(st.booleans()):
        quote = data.draw(st.permutations(quote.split()).map(" ".join))
    if not quote.strip():
        return
    with holding(*articles) as verifier:
        verdict = verifier.verify(quote)

    holders = {article.id for article in articles if quote in article.text}
    if len(verdict.matches) < MAX_MATCHES:
        exact = verdict.matches if verdict.status is Status.EXACT else ()
        assert {match.article.id for match in exact} == holders
    for match in verdict.matches:
        assert match.text.split() == quote.split()
        assert match.article.text[match.span.start : match.span.end] == match.text


def test_word_in_very_many_passages_is_not_looked_up_but_found(
    encoded: Callable[..., EncodedArticle],
) -> None:
    with holding(Article("a", "A", "one two three. " * 2500), BRIDGE) as verifier:
        assert verifier.verify("one two three. one").status is Status.EXACT
        assert verifier.verify("one three two one").status is Status.NOT_FOUND


def test_words_at_the_ends_may_be_pieces() -> None:
    assert find_whole_words("gton said so") == ["said"]
    assert find_whole_words("gton said") == []
