"""Lexical search: BM25 over the catalogue's full-text index (SQLite FTS5)."""

import re

from rag.catalogue import Catalogue
from rag.tables import filter_sql
from rag.types import Filters

WORD = re.compile("\\w+(?:['\u2019]\\w+)*")
# A title's word says more about a passage than a word of its text.
TITLE_WEIGHT = 2.0
TEXT_WEIGHT = 1.0
# Words that nearly every passage has: dropping them makes a search several times faster and
# costs nothing. Question words are among them, negations are not.
STOP_WORDS = frozenset(
    """
    a about an and any are as at be been being but by can could did do does doing for from had
    has have having he her hers him his how i if in into is it its me my of on or our she should
    so some than that the their them then there these they this those to was we were what when
    where which while who whom whose why will with would you your
    """.split()
)


def match_expression(question: str) -> str | None:
    """Return the FTS5 query: any of the question's words, each quoted; None without words.

    >>> match_expression("who met Park Jin?")
    '"met" OR "Park" OR "Jin"'
    """
    words = [word for word in WORD.findall(question) if len(word) <= 64]
    telling = [word for word in words if word.lower() not in STOP_WORDS] or words
    return " OR ".join(f'"{word}"' for word in dict.fromkeys(telling)) or None


class LexicalIndex:
    """BM25 search for passages (Robertson & Zaragoza 2009), as FTS5 computes it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def search(self, question: str, limit: int, filters: Filters) -> dict[int, float]:
        """Return the best passages' ids with their BM25 scores, at most `limit`."""
        expression = match_expression(question)
        if expression is None:
            return {}
        condition, values = filter_sql(filters)
        narrowed = (
            " AND rowid IN (SELECT passages.id FROM passages JOIN articles"
            f" ON articles.number = passages.article WHERE {condition})"
            if filters
            else ""
        )
        with self._catalogue.reading() as connection:
            rows = connection.execute(
                f"SELECT rowid, -bm25(lexical, {TITLE_WEIGHT}, {TEXT_WEIGHT}) AS score"
                f" FROM lexical WHERE lexical MATCH ?{narrowed} ORDER BY score DESC LIMIT ?",
                (expression, *values, limit),
            ).fetchall()
        return dict(rows)
