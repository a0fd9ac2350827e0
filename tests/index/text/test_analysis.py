import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.text.analysis import MAX_TOKEN_CHARACTERS, analyze, analyze_piece


def stems(text: str) -> list[str]:
    return [token.stem for token in analyze(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bridges were opened", ["bridg", "open"]),
        ("Céline’s cafe\u0301", ["celin", "cafe"]),
        ("the ministers' guests", ["minist", "guest"]),
        ("O'Brien doesn't", ["obrien", "doesnt"]),
        ("1,200 people, 3.5 %", ["1200", "peopl", "3.5"]),
        ("a twenty-year plan", ["twenti", "year", "plan"]),
        ("the U.S. and the US", ["us", "us"]),
        ("who asked the WHO?", ["ask", "who"]),
        ("not without", ["not", "without"]),
        ("日本語", ["日本語"]),
        ("?! 👍🏽", []),
        ("", []),
    ],
)
def test_stop_words_endings_case_and_accents_are_left_out(text: str, found: list[str]) -> None:
    assert stems(text) == found


def test_a_token_keeps_its_form() -> None:
    assert [token.form for token in analyze("Bridges opened")] == ["bridges", "opened"]


def test_a_word_that_is_too_long_is_left_out() -> None:
    assert len(analyze("x" * MAX_TOKEN_CHARACTERS)) == 1
    assert analyze("x" * (MAX_TOKEN_CHARACTERS + 1)) == []


@given(st.text(max_size=80))
def test_stems_of_any_text_have_no_white_space(text: str) -> None:
    assert all(word.stem and not any(map(str.isspace, word.stem)) for word in analyze(text))


@given(
    st.text(max_size=200) | st.text("aU.S'\u2019é\u0301\u00a8\u2026\u3000 \x1c1,-_", max_size=60)
)
def test_analysing_piece_by_piece_gives_the_tokens_of_the_whole(text: str) -> None:
    assert analyze(text) == list(analyze_piece(text))
