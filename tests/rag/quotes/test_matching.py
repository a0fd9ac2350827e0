"""Quotes are found with exact offsets, also where the texts were folded to find them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.errors import InvalidInput
from citewire.index.types import Span
from citewire.rag.quotes.matching import (
    MAX_QUOTE_CHARACTERS,
    find_folded,
    find_respaced,
    find_verbatim,
    fold,
    require_quote,
)

# Letters that fold to none, one, two or three, and all kinds of white space.
TRICKY = st.text("aA é\u0301ßﬁ\u0130…“”’-—\u00a0\n\t Ⅻ👩\u200d🚀\u0645", min_size=1, max_size=60)
WORDS = st.lists(st.text("abé.’—👩", min_size=1, max_size=4), min_size=1, max_size=6)
BLANKS = st.text(" \n\t\u00a0\u2003", min_size=1, max_size=3)


@st.composite
def stretches(draw: st.DrawFn) -> tuple[str, Span]:
    text = draw(TRICKY)
    start = draw(st.integers(0, len(text) - 1))
    return text, Span(start, draw(st.integers(start + 1, len(text))))


@given(stretches())
def test_every_stretch_of_a_text_is_found_where_it_stands(case: tuple[str, Span]) -> None:
    text, span = case
    found = list(find_verbatim(text, span.of(text)))

    assert span in found
    assert {each.of(text) for each in found} == {span.of(text)}


@given(WORDS, st.data())
def test_words_are_found_across_any_white_space(words: list[str], data: st.DataObject) -> None:
    def join() -> str:
        parts = [word + data.draw(BLANKS) for word in words[:-1]]
        return "".join([*parts, words[-1]])

    before = data.draw(st.text("xyz \n", max_size=5))
    there = join()
    text = before + there + data.draw(st.text("xyz \n", max_size=5))
    quote = data.draw(st.just("") | BLANKS) + join() + data.draw(st.just("") | BLANKS)

    assert Span(len(before), len(before) + len(there)) in list(find_respaced(text, quote))


@given(TRICKY, WORDS)
def test_a_found_span_has_the_quotes_words_and_no_others(text: str, words: list[str]) -> None:
    for span in find_respaced(text, " ".join(words)):
        assert span.of(text).split() == words


@given(stretches())
def test_folded_stretch_is_found_and_folds_to_the_same(case: tuple[str, Span]) -> None:
    text, span = case
    quote = span.of(text).strip()
    wanted = fold(quote).text.strip()
    found = list(find_folded(text, quote.swapcase().swapcase()))

    for each in found:
        assert wanted in fold(each.of(text)).text
    if wanted:
        assert found or wanted not in fold(text).text


@given(TRICKY)
def test_folded_characters_come_from_where_they_say(text: str) -> None:
    folded = fold(text)

    assert len(folded.origins) == len(folded.text) + 1
    assert folded.origins == sorted(folded.origins)
    for place, character in enumerate(folded.text):
        assert character in fold(text[folded.origins[place]]).text


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("He said: “I don’t know.”", '"i DON\'T know."', "“I don’t know.”"),
        ("1939–1945", "1939-1945", "1939–1945"),
        ("The Café\u0301 closed", "cafe", "Café\u0301"),
        ("Wait… what", "wait... what", "Wait… what"),
        ("Die Straße war leer", "STRASSE", "Straße"),
        ("a\n\nb", "A B", "a\n\nb"),
    ],
)
def test_typography_is_seen_through(text: str, quote: str, found: str) -> None:
    assert [span.of(text) for span in find_folded(text, quote)] == [found]


def test_decomposed_quote_is_another_text_that_is_alike() -> None:
    text = "The café closed."
    quote = unicodedata.normalize("NFD", "café")

    assert not list(find_verbatim(text, quote))
    assert [span.of(text) for span in find_folded(text, quote)] == ["café"]


def test_quote_of_only_marks_is_found_nowhere() -> None:
    assert not list(find_folded("abc", "\u0301"))


def test_overlapping_places_are_all_found() -> None:
    assert list(find_verbatim("aaa", "aa")) == [Span(0, 2), Span(1, 3)]


@pytest.mark.parametrize("quote", ["", " \n", "a\0b", "\ud800", "a" * (MAX_QUOTE_CHARACTERS + 1)])
def test_a_text_that_is_no_quote_is_refused(quote: str) -> None:
    with pytest.raises(InvalidInput, match="quote"):
        require_quote(quote)
