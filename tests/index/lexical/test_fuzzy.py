import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.lexical.fuzzy import MIN_SIMILARITY, choose_prefix, compare_trigrams

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
    assert choose_prefix(one) == choose_prefix(other)
    assert compare_trigrams(one, other) >= MIN_SIMILARITY


@pytest.mark.parametrize(
    ("one", "other"), [("compos", "compani"), ("gaddafi", "rossini"), ("transport", "translat")]
)
def test_words_with_only_the_same_beginning_are_not_similar(one: str, other: str) -> None:
    assert compare_trigrams(one, other) < MIN_SIMILARITY


@pytest.mark.parametrize("stem", ["1894", "war", "covid19"])
def test_numbers_and_short_words_are_not_expanded(stem: str) -> None:
    assert choose_prefix(stem) is None


@given(stems, stems)
def test_similarity_is_symmetric_and_one_for_the_same_word(one: str, other: str) -> None:
    assert 0 <= compare_trigrams(one, other) == compare_trigrams(other, one) <= 1
    assert compare_trigrams(one, one) == 1
