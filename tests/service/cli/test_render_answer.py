"""Answers on a terminal: the words are marked, and nothing in them acts on the terminal."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest

from citewire.index.types import Article
from citewire.rag.types import Answer, Answers, Citation, Closest, NoAnswer, Reason
from citewire.service.cli.render_answer import render_response
from citewire.service.cli.terminal import Style
from citewire.service.wire.convert import convert_result

PLAIN = Style(colours=False)
COLOURED = Style(colours=True)
CODES = re.compile(r"\x1b\[[012]m")
Cite = Callable[[Article, str, str], Citation]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def shown(result: Answers | NoAnswer, style: Style = PLAIN) -> str:
    return render_response(convert_result(result, "r"), style)


def test_answer_is_shown_with_every_citation(answered: Answers) -> None:
    assert shown(answered) == (
        "Mayor Ada Quill  (very likely, 91 %, said by 2 articles)\n"
        "  [1] »Mayor Ada Quill« opened the harbour on Thursday.\n"
        "      Harbour opens · Tideline · 2023-11-09\n"
        "      news/harbour.md [14:29]\n"
        "  [2] »Ada Quill« spoke.\n"
        "      Bare\n"
        "      bare [0:9]\n"
        "\n"
        "5 articles searched in 4 ms"
    )


def test_citations_beyond_the_third_are_counted(answered: Answers, cite: Cite) -> None:
    articles = [Article(f"{number}.md", "Rain", "It rained.") for number in range(5)]
    citations = tuple(cite(article, "It", "It rained.") for article in articles)
    lines = shown(replace(answered, answers=(Answer("It", 0.5, citations),))).splitlines()

    assert lines[9:11] == ["      2.md [0:2]", "  and 2 more citations; --json has them all"]


def test_further_answers_come_under_a_heading_of_their_own(answered: Answers, cite: Cite) -> None:
    rain = cite(Article("r", "Rain", "It rained."), "It", "It rained.")
    others = (Answer("It", 0.5, (rain,)), Answer("rained", 0.4, (rain,)))
    lines = shown(replace(answered, answers=answered.answers + others)).splitlines()

    assert lines[8:10] == ["Other answers in the archive", ""]
    assert lines[10] == "It  (possible, 50 %, said by 1 article)"
    assert lines.count("Other answers in the archive") == 1


def test_no_answer_says_why_and_shows_what_comes_close(not_answered: NoAnswer) -> None:
    assert shown(not_answered) == (
        "The archive does not say.\n"
        "Some articles come near the subject, but none states an answer.\n"
        "\n"
        "Closest passages, not answers:\n"
        "  (12 %) Ada Quill »spoke«.\n"
        "      Bare\n"
        "      bare [10:15]\n"
        "\n"
        "5 articles searched in 4 ms"
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(not_answered: NoAnswer, reason: Reason) -> None:
    lines = shown(replace(not_answered, reason=reason, closest=())).splitlines()

    assert lines[0] == "The archive does not say."
    assert lines[1].endswith(".")
    assert "Closest passages, not answers:" not in lines


def test_colours_add_codes_and_change_no_character(answered: Answers) -> None:
    coloured = shown(answered, COLOURED)

    assert "\x1b[1m»Mayor Ada Quill«\x1b[0m opened" in coloured
    assert CODES.sub("", coloured) == shown(answered)


HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\x08\x08\x7f",
    "\x01\x02",
    "\u202eevil\u202c",
    "\u2066a\u2069\u200e\u200f\u061c",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_an_article_acts_on_the_terminal(
    answered: Answers, cite: Cite, hostile: str
) -> None:
    article = Article(f"i{hostile}d", f"T{hostile}", f"Well, {hostile} said {hostile}.", hostile)
    citation = cite(article, f"{hostile} said", article.text)
    text = shown(replace(answered, answers=(Answer(f"A{hostile}", 0.5, (citation,)),)))

    assert "»" in text
    kinds = {unicodedata.category(character) for character in text.replace("\n", "")}
    assert kinds.isdisjoint({"Cc", "Cf"})


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_comes_close_acts_on_the_terminal(
    not_answered: NoAnswer, cite: Cite, hostile: str
) -> None:
    article = Article("a", hostile, f"Well, {hostile} said.")
    closest = Closest(cite(article, "said", article.text), 0.1)

    assert hostile not in shown(replace(not_answered, closest=(closest,)))


def test_quote_over_a_paragraph_break_is_shown_in_one_line(answered: Answers, cite: Cite) -> None:
    article = Article("a", "A", "He opened it.\n\nIt rained.")
    citation = cite(article, "opened it.\n\nIt", article.text)
    lines = shown(
        replace(answered, answers=(Answer("opened it.\n\nIt", 0.5, (citation,)),))
    ).splitlines()

    assert lines[0] == "opened it. It  (possible, 50 %, said by 1 article)"
    assert lines[1] == "  [1] He »opened it. It« rained."


@pytest.mark.parametrize(("columns", "widest"), [("40", 40), ("80", 80), ("200", 100)])
def test_sentences_are_wrapped_to_the_terminal_but_not_too_wide(
    answered: Answers, cite: Cite, monkeypatch: pytest.MonkeyPatch, columns: str, widest: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    article = Article("a", "A", "It rained and rained. " * 20)
    citation = cite(article, "rained and rained", article.text.strip())
    body = shown(replace(answered, answers=(Answer("rained", 0.5, (citation,)),))).splitlines()[1:]
    widths = [len(line) for line in body[: body.index("      A")]]

    assert widest - 8 <= max(widths) <= widest


@pytest.mark.parametrize("columns", ["1", "7"])
def test_tiny_terminal_is_no_error(
    answered: Answers, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    assert "news/harbour.md [14:29]" in shown(answered)
