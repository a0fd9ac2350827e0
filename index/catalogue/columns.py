"""What searching needs of every passage, side by side in memory: length, date and source.

Filters are columns, so that what passes is known without asking SQLite. When an archive changes,
only what is new is read: ids and numbers are never given twice.
"""

import sqlite3
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.checksums import passage_checksums
from citewire.index.catalogue.state import CatalogueState
from citewire.index.errors import ArchiveDamaged
from citewire.index.types import Filters

Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]
Number = TypeVar("Number", np.float32, np.int32)
UNDATED = WITHOUT_SOURCE = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """Arrays whose index is the passage's id, in `state` of the catalogue.

    A passage that does not exist has length 0. `day` is YYYYMMDD, UNDATED without a date;
    `source` is a number of `sources`, or WITHOUT_SOURCE. `last_article` is the greatest number
    that was read.
    """

    state: CatalogueState
    length: NDArray[np.float32]
    day: NDArray[np.int32]
    source: NDArray[np.int32]
    sources: dict[str, int]
    last_article: int
    passages: int
    mean_length: float

    def passing(self, filters: Filters) -> Flags:
        """Return for every id whether there is such a passage, of an article that passes."""
        passing = self.length > 0
        if filters.published_from is not None:
            passing &= self.day >= as_number(filters.published_from.isoformat())
        if filters.published_to is not None:
            passing &= self.day <= as_number(filters.published_to.isoformat())
            passing &= self.day != UNDATED
        if filters.sources:
            wanted = np.zeros(len(self.sources) + 1, np.bool_)
            wanted[[self.sources[name] for name in filters.sources if name in self.sources]] = True
            passing &= wanted[self.source]
        return passing


class ColumnStore:
    """Keeps the columns of the newest state that was asked for; thread-safe."""

    def __init__(self) -> None:
        self._newest: Columns | None = None

    def current(self, connection: sqlite3.Connection, state: CatalogueState) -> Columns:
        """Return the columns of the state, which is what the connection's transaction sees.

        Raises:
            ArchiveDamaged: they hold what cannot be so.
        """
        known = self._newest
        if known is not None and known.state == state:
            return known
        follows = (
            known is not None
            and known.state.archive_id == state.archive_id
            and known.state.version < state.version
        )
        columns = followed(connection, known if known is not None and follows else NOTHING, state)
        # A question that began before the last change needs an older state, but nobody after it.
        if known is None or follows:
            self._newest = columns
        return columns


NOTHING = Columns(
    state=CatalogueState("", 0),
    length=np.zeros(1, np.float32),
    day=np.zeros(1, np.int32),
    source=np.zeros(1, np.int32),
    sources={},
    last_article=0,
    passages=0,
    mean_length=0.0,
)


def followed(connection: sqlite3.Connection, known: Columns, state: CatalogueState) -> Columns:
    """Return what became of known columns: without passages that are gone, with those since."""
    try:
        left = without_gone(connection, known)
        grown = with_new(connection, left)
    except ValueError as error:
        raise ArchiveDamaged(f"what are numbers of passages are none: {error}") from error
    lengths = grown.length[grown.length > 0]
    mean = float(lengths.mean(dtype=np.float64)) if len(lengths) else 0.0
    return replace(grown, state=state, passages=len(lengths), mean_length=mean)


def without_gone(connection: sqlite3.Connection, known: Columns) -> Columns:
    """Return the columns, of length 0 where the passage was deleted since."""
    last = len(known.length) - 1
    (left,) = connection.execute("SELECT count(*) FROM passages WHERE id <= ?", (last,)).fetchone()
    if left == known.passages:
        return known
    (ids,) = connection.execute(
        "SELECT group_concat(id) FROM passages WHERE id <= ?", (last,)
    ).fetchone()
    alive = np.zeros(len(known.length), np.bool_)
    alive[as_array(ids)] = True
    return replace(known, length=np.where(alive, known.length, np.float32(0)))


def with_new(connection: sqlite3.Connection, known: Columns) -> Columns:
    """Return the columns with all passages behind the last known one."""
    last = len(known.length) - 1
    # Joined inside SQLite: a hundred thousand rows would take long to cross one by one.
    rows = connection.execute(
        "SELECT group_concat(id), group_concat(article), group_concat(start),"
        " group_concat(end), group_concat(checksum) FROM passages WHERE id > ?",
        (last,),
    ).fetchone()
    ids, numbers, starts, ends, sums = [as_array(column) for column in rows]
    if not np.array_equal(passage_checksums(ids, numbers, starts, ends), sums):
        raise ArchiveDamaged("passages do not match their checksums")
    articles = articles_after(connection, known)
    if ids.size and not known.last_article < numbers.min() <= numbers.max() <= articles.last:
        raise ArchiveDamaged("passages are of articles that do not exist")
    # An index may still name the last passages that there were.
    added = max(last_given(connection), int(ids.max(initial=last))) - last
    length = grown(known.length, added)
    day = grown(known.day, added)
    source = grown(known.source, added)
    length[ids] = ends - starts
    day[ids] = articles.day[numbers - known.last_article]
    source[ids] = articles.source[numbers - known.last_article]
    return replace(
        known,
        length=length,
        day=day,
        source=source,
        sources=articles.sources,
        last_article=articles.last,
    )


@dataclass(frozen=True, slots=True)
class NewArticles:
    """The articles behind the last known one, at index 1 the next number."""

    day: NDArray[np.int32]
    source: NDArray[np.int32]
    sources: dict[str, int]
    last: int


def articles_after(connection: sqlite3.Connection, known: Columns) -> NewArticles:
    """Read dates and sources of the articles that the columns do not have."""
    first = known.last_article
    # Of all articles the indexes by date and by source have enough, and no texts lie between; of
    # a few new ones the table itself. The signs keep SQLite from the other way.
    number, named_by = ("number", "+source") if first else ("+number", "source")
    rows = connection.execute(
        "SELECT group_concat(number), group_concat(coalesce(replace(published, '-', ''), 0))"
        f" FROM articles WHERE {number} > ?",
        (first,),
    ).fetchone()
    numbers, days = [as_array(column) for column in rows]
    named = connection.execute(
        "SELECT source, group_concat(number) FROM articles"
        f" WHERE {number} > ? AND {named_by} IS NOT NULL GROUP BY {named_by}",
        (first,),
    ).fetchall()
    day = np.zeros(int(numbers.max(initial=first)) - first + 1, np.int32)
    day[numbers - first] = days
    source = np.full(len(day), WITHOUT_SOURCE, np.int32)
    sources = dict(known.sources)
    for name, members in named:
        source[as_array(members) - first] = sources.setdefault(name, len(sources) + 1)
    return NewArticles(day, source, sources, first + len(day) - 1)


def last_given(connection: sqlite3.Connection) -> int:
    """Return the greatest id that any passage ever had."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    return 0 if row is None else int(row[0])


def grown(column: NDArray[Number], added: int) -> NDArray[Number]:
    """Return a copy of the column with so many zeros behind it."""
    return np.concatenate([column, np.zeros(added, column.dtype)])


def as_number(day: str) -> int:
    """Return a date as YYYYMMDD: `as_number("2023-11-09")` is 20231109."""
    return int(day.replace("-", ""))


def as_array(numbers: str | None) -> Integers:
    """Return the numbers that SQLite has joined by commas."""
    return np.array([], np.int64) if numbers is None else np.fromstring(numbers, np.int64, sep=",")
