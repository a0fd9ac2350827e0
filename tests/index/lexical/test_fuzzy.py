import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.lexical.fuzzy import MIN_SIMILARITY, expansion_prefix, similarity

stems = st.text(alphabet="abcdefgh", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("compos", "composit"),
        ("gaddafi", "gaddifi"),
        ("democraci", "democrat"),
        ("expel", "expelle"),
    ],
)
def test_other_forms_and_spellings_are_similar(one: str, other: str) -> None:
    assert expansion_prefix(one) == expansion_prefix(other)
    assert similarity(one, other) >= MIN_SIMILARITY


@pytest.mark.parametrize(
    ("one", "other"), [("compos", "compani"), ("gaddafi", "rossini"), ("transport", "translat")]
)
def test_words_with_only_the_same_beginning_are_not_similar(one: str, other: str) -> None:
    assert similarity(one, other) < MIN_SIMILARITY


@pytest.mark.parametrize("stem", ["1894", "war", "covid19"])
def test_numbers_and_short_words_are_not_expanded(stem: str) -> None:
    assert expansion_prefix(stem) is None


@given(stems, stems)
def test_similarity_is_symmetric_and_one_for_the_same_word(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) == similarity(other, one) <= 1
    assert similarity(one, one) == 1
