import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.lexical.fuzzy import MIN_LIKENESS, beginning_of, likeness

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
def test_other_forms_and_spellings_look_alike(one: str, other: str) -> None:
    assert beginning_of(one) == beginning_of(other)
    assert likeness(one, other) >= MIN_LIKENESS


@pytest.mark.parametrize(
    ("one", "other"), [("compos", "compani"), ("gaddafi", "rossini"), ("transport", "translat")]
)
def test_words_that_only_begin_alike_do_not(one: str, other: str) -> None:
    assert likeness(one, other) < MIN_LIKENESS


@pytest.mark.parametrize("stem", ["1894", "war", "covid19"])
def test_numbers_and_short_words_have_no_relatives(stem: str) -> None:
    assert beginning_of(stem) is None


@given(stems, stems)
def test_likeness_is_mutual_and_whole_for_the_same_word(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) == likeness(other, one) <= 1
    assert likeness(one, one) == 1
