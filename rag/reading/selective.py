"""Read the most promising passages first, and of the rest only what may change the answer.

Reading is what a question costs. Hits come best first, so what is still unread can be bounded, as
Fagin's threshold algorithm does (Fagin, Lotem and Naor 2003): by its retrieval score, and by
what readers' margins seldom exceed.
"""

from collections.abc import Callable, Sequence

from citewire.rag.reader_protocol import Reader
from citewire.rag.reading.grouping import apart, telling_words
from citewire.rag.reading.term_coverage import coverage, stems
from citewire.rag.types import Extract, Hit

# So many are read before anything is known of them: one for each core of a small machine.
READ_FIRST = 2
# So many of the best are looked through for an answer; those behind them only add to one. More
# find no better answers (the reader's model card).
SEARCHED = 4
# A reader's score is joined by the retrieval score when answers are ranked: this many
# logits for the best passage of the question over a passage of score 0.
RETRIEVAL_LOGITS = 8.0
# The margin that an unread passage is taken to reach. Many reach more, but of the questions
# tried, the best answers were as good as with all passages read (the reader's model card).
EXPECTED_MARGIN = 2.0

# Hears which passages are about to be read, in the thread that will read them.
Watcher = Callable[[Sequence[Hit]], None]


def read_selectively(
    reader: Reader, question: str, hits: Sequence[Hit], watcher: Watcher
) -> list[Extract]:
    """Return the best spans of the hits that were read, best first, none overlapping another.

    `hits` come best first. `watcher` is called before each of at most two readings, and at
    least once.
    """
    first, unread = hits[:READ_FIRST], hits[READ_FIRST:]
    watcher(first)
    found = reader.read(question, first)
    rest = worth_reading(question, found, unread)
    if not rest:
        return found
    watcher(rest)
    return apart([*found, *reader.read(question, rest)])


def worth_reading(question: str, found: Sequence[Extract], unread: Sequence[Hit]) -> list[Hit]:
    """Return the unread hits that may hold a better answer than those found, or add to the best."""
    best = max(found, key=rank, default=None)
    searched = unread[: SEARCHED - READ_FIRST]
    if best is None:
        return list(searched)
    # What the reader does not believe in needs no confirming.
    adding = telling(question, best, unread) if best.margin > 0 else []
    return [
        hit for hit in unread if (hit in searched and promise(hit) > rank(best)) or hit in adding
    ]


def rank(extract: Extract) -> float:
    """Return what extracts are ordered by: the reader's and the retriever's scores together."""
    return extract.margin + RETRIEVAL_LOGITS * extract.hit.score


def promise(unread: Hit) -> float:
    """Return the rank that the passage's best extract is taken to have at most."""
    return EXPECTED_MARGIN + RETRIEVAL_LOGITS * unread.score


def telling(question: str, best: Extract, unread: Sequence[Hit]) -> list[Hit]:
    """Return the hits in other articles that may confirm or contradict the best extract.

    They name its last telling word, as a second article that says the same does, or have as
    many of the question's words as the passage that it stands in.
    """
    asked = stems(question)
    covered = coverage(asked, best.hit.passage)
    name = telling_words(best.text)[-1]
    return [
        hit
        for hit in unread
        if hit.passage.article.id != best.article.id
        and (
            name in telling_words(f"{hit.passage.article.title} {hit.passage.text}")
            or coverage(asked, hit.passage) >= covered
        )
    ]
