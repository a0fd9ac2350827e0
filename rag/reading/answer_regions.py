"""The stretches of a passage that an answer may lie in.

An answer never runs from one paragraph into the next; a person, a time, a place or a number not
even from one sentence into the next. Bylines and credits are paragraphs about the article, not of
its story: their names answer only a question about them.
"""

import re
from collections.abc import Iterator

from citewire.index.text.chunking import split_sentences
from citewire.index.types import Span
from citewire.rag.reading.question_kind import QuestionKind, find_kind

PARAGRAPH = re.compile(r"\S(?:.|\n(?![ \t\r]*\n))*")
# Kinds of question whose answers are names, times and numbers.
ONE_SENTENCE = frozenset(
    {QuestionKind.WHO, QuestionKind.WHEN, QuestionKind.WHERE, QuestionKind.HOW_MANY}
)
# Characters of the longest byline or credit.
LONGEST_CREDIT = 160
NAME = r"[^\W\d_a-z][\w.'\u2019-]*"
NAMES = (
    rf"(?-i:{NAME})(?:(?:\s+|,\s*|/|\s+and\s+|\s*&\s*)"
    rf"(?-i:{NAME}|in|for|of|the|de|van|von|al))*"
)
# What a credit names.
MAKING = (
    r"(?:photo(?:graph|s|graphs)?|pictures?|images?|video|illustrations?|graphics?|credits?|text"
    r"|words|story)"
)
WORK = r"(?:reporting|editing|writing|translat(?:ion|ed)|compiled)"
WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
CREDIT = re.compile(
    rf"""\(?(?:
        by\s+(?!{WEEKDAY}\b){NAMES}[\s,|]*(?:\d[\w\s,.:-]*)?
      | {MAKING}(?:\s+(?:and|&)\s+{MAKING})*(?:\s+(?:by|credit|courtesy\s+of)\b)?
        (?:\s*[:/|]\s*|\s+[\u2013\u2014-]\s+|(?<=by)\s+){NAMES}\.?
      | (?:(?:additional|further)\s+)?{WORK}\s+by\s+{NAMES}(?:;\s*{WORK}\s+by\s+{NAMES})*\.?
      | ©.*
    )\)?""",
    re.IGNORECASE | re.VERBOSE,
)
# Questions about the article and its makers.
ASKS_FOR_CREDIT = re.compile(
    r"\b(?:photo\w*|pictures?|images?|video\w*|film\w*|graphics?|compil\w+|copyright|illustrat\w+|wr(?:ote|itten|iter|ites)|authors?|bylines?"
    r"|report(?:er|ers|ed|ing)|journalists?|credit\w*|edit(?:ed|or)|translat\w+)\b",
    re.IGNORECASE,
)


def find_regions(text: str, language: str, question: str) -> list[Span]:
    """Return the stretches of the text, in order, that an answer to the question may lie in."""
    paragraphs = [
        paragraph
        for paragraph in split_paragraphs(text)
        if ASKS_FOR_CREDIT.search(question) or not is_credit(paragraph.of(text))
    ]
    if find_kind(question) not in ONE_SENTENCE:
        return paragraphs
    return [
        sentence.shift(paragraph.start)
        for paragraph in paragraphs
        for sentence in split_sentences(paragraph.of(text), language)
    ]


def split_paragraphs(text: str) -> Iterator[Span]:
    """Yield the paragraphs, which blank lines separate."""
    return (Span(match.start(), match.end()) for match in PARAGRAPH.finditer(text))


def is_credit(paragraph: str) -> bool:
    """Say whether a paragraph is nothing but a byline or the credit of a picture.

    >>> is_credit("By Jane Miller and Tom Park"), is_credit("By noon the talks had ended.")
    (True, False)
    """
    stripped = paragraph.strip()
    return len(stripped) <= LONGEST_CREDIT and CREDIT.fullmatch(stripped) is not None
