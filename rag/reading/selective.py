"""Read the most promising passages first, and of the rest only those that may change the answer.

Reading is the costliest step of answering. Hits come best first, so the best score that an unread
hit can reach is bounded, as in Fagin's threshold algorithm (Fagin, Lotem and Naor 2003): by its
retrieval score, and by the margin that readers seldom exceed.
"""

from collections.abc import Callable, Sequence

from citewire.rag.query import Query
from citewire.rag.reader_protocol import Reader
from citewire.rag.reading.grouping import find_content_words, suppress_overlaps_by_article
from citewire.rag.reading.term_coverage import compute_coverage
from citewire.rag.types import Extract, Hit

# Passages that are read first, unconditionally: one for each core of a small machine.
READ_FIRST = 2
# Passages that are searched for an answer; those ranked behind them can only confirm or contradict
# one. Searching more finds no better answers (the reader's model card).
SEARCHED = 4
# Logits that a retrieval score of 1, the best passage's, adds to the reader's margin when
# extracts are ranked.
RETRIEVAL_LOGITS = 8.0
# Logits: the margin that an unread passage is assumed to reach. Many reach more, but of the
# questions tried, the best answers were as good as with all passages read (the reader's model
# card).
EXPECTED_MARGIN = 2.0

# Called with the passages that are about to be read, in the thread that will read them.
Watcher = Callable[[Sequence[Hit]], None]


def read_selectively(
    reader: Reader, query: Query, hits: Sequence[Hit], watcher: Watcher
) -> list[Extract]:
    """Return the best spans of the hits that were read, best first, none overlapping another.

    `hits` come best first. `watcher` is called before each of at most two readings, and at
    least once.
    """
    first, unread = hits[:READ_FIRST], hits[READ_FIRST:]
    watcher(first)
    found = reader.read(query.text, first)
    rest = select_worth_reading(query, found, unread)
    if not rest:
        return found
    watcher(rest)
    return suppress_overlaps_by_article([*found, *reader.read(query.text, rest)])


def select_worth_reading(
    query: Query, found: Sequence[Extract], unread: Sequence[Hit]
) -> list[Hit]:
    """Return the unread hits that may hold a better answer than `found`, or confirm the best."""
    best = max(found, key=compute_rank_score, default=None)
    searched = unread[: SEARCHED - READ_FIRST]
    if best is None:
        return list(searched)
    # A negative margin means no answer there: nothing to confirm.
    confirming = select_confirming(query, best, unread) if best.margin > 0 else []
    return [
        hit
        for hit in unread
        if (hit in searched and expect_rank_score(hit) > compute_rank_score(best))
        or hit in confirming
    ]


def compute_rank_score(extract: Extract) -> float:
    """Return the score that extracts are ranked by: reader margin plus weighted retrieval score."""
    return extract.margin + RETRIEVAL_LOGITS * extract.hit.score


def expect_rank_score(unread: Hit) -> float:
    """Return the rank score that the passage's best extract is assumed to reach at most."""
    return EXPECTED_MARGIN + RETRIEVAL_LOGITS * unread.score


def select_confirming(query: Query, best: Extract, unread: Sequence[Hit]) -> list[Hit]:
    """Return the hits in other articles that may confirm or contradict the best extract.

    They contain its last content word, as a second article that says the same does, or cover as
    many of the question's words as the extract's passage.
    """
    covered = compute_coverage(query.stems, best.hit.passage)
    name = find_content_words(best.text)[-1]
    return [
        hit
        for hit in unread
        if hit.passage.article.id != best.article.id
        and (
            name in find_content_words(f"{hit.passage.article.title} {hit.passage.text}")
            or compute_coverage(query.stems, hit.passage) >= covered
        )
    ]
