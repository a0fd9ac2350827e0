"""Canonical text has one form, however the file was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.text.cleaning import canonicalize, render_markdown

NO_BREAK_SPACE = "\u00a0"

# Characters that cleaning treats specially, and ordinary letters.
AWKWARD = st.text(
    st.sampled_from(" \t\n\r\f\v\x00\x1b\x85\u00a0\u00ad\u200b\u2028\u2029\u3000\ufeff\u0301aeÅ.-"),
    max_size=60,
)


@given(AWKWARD | st.text(max_size=200))
def test_canonical_text_stays_as_it_is(text: str) -> None:
    once = canonicalize(text)

    assert canonicalize(once) == once


@given(AWKWARD | st.text(max_size=200))
def test_paragraphs_are_one_blank_line_apart(text: str) -> None:
    assert "\n\n\n" not in canonicalize(text)


@given(AWKWARD | st.text(max_size=200))
def test_lines_have_no_blanks_at_their_ends(text: str) -> None:
    lines = canonicalize(text).split("\n")

    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("one\u2028two\u2029three", "one\ntwo\nthree"),
        ("\ufeffSEOUL", "SEOUL"),
        ("mid\ufeffdle", "middle"),
        ("extra\u00addition", "extradition"),
        ("zero\u200bwidth", "zerowidth"),
        ("bell\x07 escape\x1b[1m nul\x00", "bell escape[1m nul"),
        ("c1\x9bcontrol", "c1control"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\u212bngstr\u00f6m", "\u00c5ngstr\u00f6m"),
        ("too   many \t blanks", "too many blanks"),
        ("end of line  \nnext", "end of line\nnext"),
        ("one\n\n\n\n\ntwo", "one\n\ntwo"),
        ("one\n \t\n \ntwo", "one\n\ntwo"),
        ("  \n\n around \n\n ", "around"),
        ("5\u00a0million", "5\u00a0million"),
        ("a\u00a0 b", "a\u00a0 b"),
        ("a\tb", "a\tb"),
        ("👩\u200d👧 stay together", "👩\u200d👧 stay together"),
        ("", ""),
        (" \r\n\x00\ufeff", ""),
    ],
)
def test_canonical_form(text: str, expected: str) -> None:
    assert canonicalize(text) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("plain words", "plain words"),
        ("*thin*, **fat**, ***both***", "thin, fat, both"),
        ("an [inner *link*](https://example.org 'title') here", "an inner link here"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("before ![a ship](ship.png) after", "before a ship after"),
        ("run `rm -rf` now", "run rm -rf now"),
        ("```sh\necho *hi*\n```", "echo *hi*"),
        ("    indented *code*", "indented *code*"),
        ("# Head\n\nBody", "Head\n\nBody"),
        ("Head\n====\nBody", "Head\n\nBody"),
        ("- one\n- two\n  - three", "one\n\ntwo\n\nthree"),
        ("1. one\n2. two", "one\n\ntwo"),
        ("> quoted\n> further", "quoted further"),
        ("soft\nbreak", "soft break"),
        ("hard  \nbreak", "hard\nbreak"),
        ("hard\\\nbreak", "hard\nbreak"),
        ("one\n\n***\n\ntwo", "one\n\ntwo"),
        ("| who | what |\n|---|---|\n| Park | met |", "who\n\nwhat\n\nPark\n\nmet"),
        ("<div class='ad'>\nBuy!\n</div>\n\ntext", "text"),
        ("a <b>bold</b> word<!-- aside -->", "a bold word"),
        ("<script>alert(1)</script>\n\ntext", "text"),
        (r"\*not thin\* &amp; 3 &lt; 4", "*not thin* & 3 < 4"),
        ("[text][ref]\n\n[ref]: https://example.org", "text"),
        ("", ""),
    ],
)
def test_markdown_reads_as_it_is_rendered(markdown: str, expected: str) -> None:
    assert render_markdown(markdown) == expected


@pytest.mark.timeout(20)
def test_long_run_of_blanks_that_are_kept_is_no_trap() -> None:
    text = f"x{NO_BREAK_SPACE * 200_000}y"
    assert canonicalize(text) == text


def test_blanks_before_a_line_ends_are_dropped() -> None:
    assert canonicalize(f"x {NO_BREAK_SPACE} \ny") == "x\ny"
