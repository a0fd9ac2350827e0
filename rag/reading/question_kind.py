"""What a question asks for, as a person, a time or a number."""

import re
from enum import StrEnum


class QuestionKind(StrEnum):
    """What a question asks for, by its question word; KEYWORDS where it has none."""

    WHO = "who"
    WHEN = "when"
    WHERE = "where"
    HOW_MANY = "how many"
    WHY = "why"
    HOW = "how"
    WHAT = "what"
    KEYWORDS = "keywords"


# The first pattern that is found decides; those of several words stand before their parts.
PATTERNS = tuple(
    (kind, re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE))
    for kind, pattern in (
        (
            QuestionKind.HOW_MANY,
            "how (?:many|much|old|long|far|tall|high|big|large|fast|often|heavy|deep|wide|few)"
            "|(?:what|which) (?:number|percentage|percent|share|proportion|age|amount|price|sum"
            "|distance|height|length|size|score)",
        ),
        (QuestionKind.WHEN, "when|(?:what|which) (?:year|date|day|month|time|decade|century)"),
        (
            QuestionKind.WHERE,
            "where|(?:what|which) (?:city|country|town|village|place|state|region|island)",
        ),
        (QuestionKind.WHY, "why|what caused|for what reason|(?:what|which) (?:reason|motive)"),
        # In capitals it is the World Health Organization.
        (QuestionKind.WHO, "(?-i:[Ww]ho|[Ww]hom|[Ww]hose)"),
        (QuestionKind.HOW, "how"),
        (QuestionKind.WHAT, "what|which"),
    )
)


def find_kind(question: str) -> QuestionKind:
    """Return what the question asks for.

    >>> find_kind("In which year did she resign?")
    <QuestionKind.WHEN: 'when'>
    """
    found = [
        (match.start(), order, kind)
        for order, (kind, pattern) in enumerate(PATTERNS)
        if (match := pattern.search(question))
    ]
    return min(found)[2] if found else QuestionKind.KEYWORDS
