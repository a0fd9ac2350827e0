"""A passage's header: its article's title and date, given to the reader with the question.

A passage from the middle of an article says "he" or "the company"; the title names them. The
header goes behind the question, not before the passage, so that no answer is found in it.
"""

from datetime import date

DIVIDER = " | "


def build_header(title: str, published: date | None) -> str:
    """Return the title, with the date where there is one; "" where there is no title.

    No reader was trained on a date without a title.
    """
    return f"{title}, {published}" if title and published else title


def append_header(question: str, header: str) -> str:
    """Return the question with the header behind it, as a reader is given it."""
    return f"{question}{DIVIDER}{header}" if header else question
