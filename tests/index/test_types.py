from dataclasses import FrozenInstanceError, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.errors import InvalidInput
from citewire.index.types import Article, Filters, Passage, Span

ARTICLE = Article("bridge", "A bridge", "The bridge opened in 1894. It is old.")
PASSAGE = Passage(1, ARTICLE, Span(0, 26))

positions = st.integers(-3, 30)
spans = st.builds(
    lambda start, length: Span(start, start + length), st.integers(0, 20), st.integers(1, 20)
)


def members(span: Span) -> set[int]:
    return set(range(span.start, span.end))


@given(positions, positions)
def test_only_a_stretch_with_characters_is_a_span(start: int, end: int) -> None:
    if 0 <= start < end:
        assert len(Span(start, end)) == end - start
    else:
        with pytest.raises(InvalidInput):
            Span(start, end)


@given(st.text(min_size=40, max_size=40), spans)
def test_a_span_of_a_text_has_the_characters_at_its_positions(text: str, span: Span) -> None:
    assert list(span.of(text)) == [text[position] for position in range(span.start, span.end)]


def test_a_span_that_leaves_the_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="span ends at 6, the text at 5"):
        Span(0, 6).of("river")


@given(spans, spans)
def test_spans_overlap_when_they_share_a_position(one: Span, other: Span) -> None:
    assert one.overlaps(other) == bool(members(one) & members(other))


@given(spans, spans)
def test_a_span_contains_another_when_all_its_positions_are_inside(one: Span, other: Span) -> None:
    assert one.contains(other) == (members(other) <= members(one))


@given(spans, st.integers(0, 50))
def test_a_shifted_span_is_as_long_and_further_on(span: Span, by: int) -> None:
    assert members(span.shift(by)) == {position + by for position in members(span)}


def test_a_span_shifted_before_the_text_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Span(2, 4).shift(-3)


def test_values_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ARTICLE.text = "Something else."  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", " \n\t", "\u00a0"])
def test_an_article_without_a_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="bridge: an article needs a text"):
        replace(ARTICLE, text=text)


def test_an_article_without_an_id_is_refused() -> None:
    with pytest.raises(InvalidInput, match="needs an id"):
        replace(ARTICLE, id="")


@pytest.mark.parametrize("field", ["id", "title", "text", "source", "url", "author", "language"])
@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_an_article_with_a_character_that_cannot_be_stored_is_refused(
    field: str, character: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"character 1 is U\+{ord(character):04X}, not text"):
        replace(ARTICLE, **{field: f"a{character}"})


def test_the_digest_is_the_sha256_of_the_text_in_utf8() -> None:
    assert (
        replace(ARTICLE, text="Café").digest
        == "73473dcc12b763085904a5279d048c4d5b3b008c46f1f32443b99de04aa83a14"
    )


def test_a_passage_is_its_stretch_of_the_article() -> None:
    assert PASSAGE.text == "The bridge opened in 1894."


def test_a_passage_outside_of_its_article_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Passage(1, ARTICLE, Span(30, 99))


def test_filters_that_nothing_can_pass_are_refused() -> None:
    with pytest.raises(InvalidInput, match="later than"):
        Filters(published_from=date(2024, 1, 2), published_to=date(2024, 1, 1))


def test_one_day_is_a_range() -> None:
    assert Filters(published_from=date(2024, 1, 1), published_to=date(2024, 1, 1))


def test_filters_are_false_only_when_nothing_is_asked_of_an_article() -> None:
    some = [
        Filters(published_from=date(2024, 1, 1)),
        Filters(published_to=date(2024, 1, 1)),
        Filters(sources=frozenset({"Wire"})),
    ]
    assert [bool(filters) for filters in [Filters(), *some]] == [False, True, True, True]


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_a_source_that_cannot_be_stored_is_refused(character: str) -> None:
    with pytest.raises(InvalidInput, match="not text"):
        Filters(sources=frozenset({"Wire", f"a{character}"}))


def test_a_source_is_the_same_however_its_accents_are_written() -> None:
    assert Filters(sources=frozenset({"Le Figaro\u0301"})) == Filters(
        sources=frozenset({"Le Figar\u00f3"})
    )
