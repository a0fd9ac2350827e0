import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.text.chunking import (
    PassageSize,
    build_encoder_text,
    find_context,
    split_passages,
    split_sentences,
)
from citewire.index.types import Article, Span

FRAGMENTS = [
    "The bridge over the Vire opened in 1894. ",
    "Dr. Ruiz, of St. Mary's, paid $1.5 million! ",
    "“Really?” she asked. ",
    "Cafe\u0301 nai\u0308ve Zu\u0308rich. ",
    "ﬁne ﬂow ﬀ. ",
    "👩\u200d👩\u200d👧 👍🏽 ❤\ufe0f 🇫🇷. ",
    "これは文です。次の文。",
    "\n\n",
    "\n",
    "\u00a0",
    "\t",
    "x" * 60,
    "... ",
    "No. 5 ",
]
texts = st.one_of(
    st.text(max_size=200), st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)
)
languages = st.sampled_from(["en", "de", "fr", "ja", "no-such-language"])
sizes = st.integers(1, 80).flatmap(
    lambda characters: st.builds(
        PassageSize, st.just(characters), st.integers(0, min(characters - 1, 40))
    )
)


def visible(text: str) -> set[int]:
    return {position for position, character in enumerate(text) if not character.isspace()}


def covered(spans: list[Span]) -> set[int]:
    return {position for span in spans for position in range(span.start, span.end)}


@given(texts, languages)
def test_sentences_cover_every_visible_character(text: str, language: str) -> None:
    assert visible(text) <= covered(split_sentences(text, language))


@given(texts, languages)
def test_sentences_follow_each_other_without_overlap(text: str, language: str) -> None:
    assert all(one.end <= two.start for one, two in pairwise(split_sentences(text, language)))


@given(texts, languages)
def test_sentences_have_no_white_space_at_their_ends(text: str, language: str) -> None:
    found = [span.of(text) for span in split_sentences(text, language)]
    assert found == [sentence.strip() for sentence in found]


PROSE = "“It rained in Vire,” said Dr. Ruiz. The bridge, built in 1894, held. "


@pytest.mark.parametrize("gap", ["", "\n", "\n\n"])
def test_a_book_has_the_sentences_of_its_parts(gap: str) -> None:
    part = PROSE * 5 + gap
    found = [span.of(part * 300) for span in split_sentences(part * 300, "en")]
    assert found == [span.of(part) for span in split_sentences(part, "en")] * 300


def test_a_long_article_of_quotation_marks_does_not_keep_a_service_for_a_minute() -> None:
    began = time.process_time()
    split_sentences('"(“' * 60_000, "en")
    assert time.process_time() - began < 8


@given(texts, languages, sizes)
def test_passages_cover_every_visible_character(
    text: str, language: str, size: PassageSize
) -> None:
    assert visible(text) <= covered(split_passages(text, language, size))


@given(texts, languages, sizes)
def test_passages_are_within_the_size(text: str, language: str, size: PassageSize) -> None:
    assert all(len(span) <= size.characters for span in split_passages(text, language, size))


@given(texts, languages, sizes)
def test_every_passage_begins_and_ends_behind_the_one_before(
    text: str, language: str, size: PassageSize
) -> None:
    found = split_passages(text, language, size)
    assert all(one.start < two.start and one.end < two.end for one, two in pairwise(found))


@given(texts, languages, sizes)
def test_passages_begin_and_end_with_visible_characters(
    text: str, language: str, size: PassageSize
) -> None:
    found = [span.of(text) for span in split_passages(text, language, size)]
    assert found == [passage.strip() for passage in found]


@given(texts, languages, sizes)
def test_passages_share_at_most_the_overlap(text: str, language: str, size: PassageSize) -> None:
    found = split_passages(text, language, size)
    assert all(one.end - two.start <= size.overlap for one, two in pairwise(found))


@given(st.lists(st.sampled_from(FRAGMENTS[:3]), min_size=1, max_size=12).map("".join))
def test_passages_begin_and_end_where_sentences_do(text: str) -> None:
    starts, ends = zip(
        *((span.start, span.end) for span in split_sentences(text, "en")), strict=True
    )
    found = split_passages(text, "en", PassageSize(100, 40))
    assert {span.start for span in found} <= set(starts)
    assert {span.end for span in found} <= set(ends)


def test_a_sentence_that_fits_into_the_overlap_is_in_both_passages() -> None:
    text = "One is here. Two is here. Three is here."
    found = [span.of(text) for span in split_passages(text, "en", PassageSize(28, 13))]
    assert found == ["One is here. Two is here.", "Two is here. Three is here."]


def test_a_sentence_longer_than_the_overlap_is_in_one_passage() -> None:
    text = "One is here. Two is here. Three is here."
    found = [span.of(text) for span in split_passages(text, "en", PassageSize(28, 11))]
    assert found == ["One is here. Two is here.", "Three is here."]


def test_a_sentence_longer_than_a_passage_is_cut_at_white_space() -> None:
    text = "one two three four five"
    found = [span.of(text) for span in split_passages(text, "en", PassageSize(10, 0))]
    assert found == ["one two", "three", "four five"]


def test_a_word_longer_than_a_passage_is_cut() -> None:
    found = [
        span.of("abcdefghij") for span in split_passages("abcdefghij", "en", PassageSize(4, 0))
    ]
    assert found == ["abcd", "efgh", "ij"]


@pytest.mark.parametrize("overlap", [-1, 10, 11])
def test_an_overlap_as_long_as_the_passage_is_refused(overlap: int) -> None:
    with pytest.raises(ValueError, match="shorter than the passage"):
        PassageSize(10, overlap)


def test_an_abbreviation_does_not_end_a_sentence() -> None:
    text = "Dr. Ruiz met Mr. Park. They talked."
    found = [span.of(text) for span in split_sentences(text, "en")]
    assert found == ["Dr. Ruiz met Mr. Park.", "They talked."]


@given(texts.filter(str.strip), languages, st.data())
def test_what_surrounds_a_quote_contains_it(text: str, language: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    quote = Span(start, data.draw(st.integers(start + 1, len(text))))
    assert find_context(text, language, quote).contains(quote)


def test_a_quote_is_surrounded_by_its_sentence() -> None:
    text = "It rained. The bridge opened in 1894. It is old."
    assert find_context(text, "en", Span(32, 36)).of(text) == "The bridge opened in 1894."


def test_a_quote_that_crosses_sentences_is_surrounded_by_all_of_them() -> None:
    text = "It rained. The bridge opened in 1894. It is old. It fell."
    quote = Span(32, 40)
    assert find_context(text, "en", quote).of(text) == "The bridge opened in 1894. It is old."


def test_the_encoder_reads_the_headline_before_the_passage() -> None:
    article = Article("a", "A bridge", "It rained. It is old.")
    assert build_encoder_text(article, Span(11, 21)) == "A bridge. It is old."
