"""What stands above a passage: its article's title and date, said to a reader with the question.

A passage from the middle of an article says "he" or "the company"; the title tells who. It goes
behind the question, not before the passage, so that no answer is found in it.
"""

from datetime import date

DIVIDER = " | "


def header(title: str, published: date | None) -> str:
    """The title, with the date where there is one; nothing where there is no title.

    No reader has learned what a date alone says.
    """
    return f"{title}, {published}" if title and published else title


def below_header(question: str, header: str) -> str:
    """The question as a reader is asked it of a passage below this header, if there is any."""
    return f"{question}{DIVIDER}{header}" if header else question
