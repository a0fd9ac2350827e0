"""Length, date and source of every passage, as columns in memory, which search and filters use.

So filters are applied without asking SQLite. When an archive changes, only new passages are read:
ids and numbers are never given twice.
"""

import sqlite3
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.checksums import checksum_columns
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
    `source` is a number of `sources`, or WITHOUT_SOURCE. `last_article` is the greatest number of
    an article that was read.
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
        """Say for every id whether its passage exists and its article passes the filters."""
        passing = self.length > 0
        if filters.published_from is not None:
            passing &= self.day >= encode_date(filters.published_from.isoformat())
        if filters.published_to is not None:
            passing &= self.day <= encode_date(filters.published_to.isoformat())
            passing &= self.day != UNDATED
        if filters.sources:
            wanted = np.zeros(len(self.sources) + 1, np.bool_)
            wanted[[self.sources[name] for name in filters.sources if name in self.sources]] = True
            passing &= wanted[self.source]
        return passing


class ColumnStore:
    """Caches the columns of the newest state that was asked for; thread-safe."""

    def __init__(self) -> None:
        self._newest: Columns | None = None

    def current(self, connection: sqlite3.Connection, state: CatalogueState) -> Columns:
        """Return the columns of the state, which is that of the connection's transaction.

        Raises:
            ArchiveDamaged: stored values contradict each other.
        """
        known = self._newest
        if known is not None and known.state == state:
            return known
        follows = (
            known is not None
            and known.state.archive_id == state.archive_id
            and known.state.version < state.version
        )
        columns = update(connection, known if known is not None and follows else NOTHING, state)
        # A question that began before the last change needs an older state; no later one does.
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


def update(connection: sqlite3.Connection, known: Columns, state: CatalogueState) -> Columns:
    """Return known columns brought to a later state."""
    try:
        columns = add_new(connection, drop_deleted(connection, known))
    except ValueError as error:
        raise ArchiveDamaged(f"a passage has columns that are not numbers: {error}") from error
    lengths = columns.length[columns.length > 0]
    mean = float(lengths.mean(dtype=np.float64)) if len(lengths) else 0.0
    return replace(columns, state=state, passages=len(lengths), mean_length=mean)


def drop_deleted(connection: sqlite3.Connection, known: Columns) -> Columns:
    """Return the columns, with length 0 where the passage was deleted since."""
    last = len(known.length) - 1
    (left,) = connection.execute("SELECT count(*) FROM passages WHERE id <= ?", (last,)).fetchone()
    if left == known.passages:
        return known
    (ids,) = connection.execute(
        "SELECT group_concat(id) FROM passages WHERE id <= ?", (last,)
    ).fetchone()
    alive = np.zeros(len(known.length), np.bool_)
    alive[parse_numbers(ids)] = True
    return replace(known, length=np.where(alive, known.length, np.float32(0)))


def add_new(connection: sqlite3.Connection, known: Columns) -> Columns:
    """Return the columns with all passages after the last known one."""
    last = len(known.length) - 1
    # Joined inside SQLite: fetching a hundred thousand rows one by one would take long.
    rows = connection.execute(
        "SELECT group_concat(id), group_concat(article), group_concat(start),"
        " group_concat(end), group_concat(checksum) FROM passages WHERE id > ?",
        (last,),
    ).fetchone()
    ids, numbers, starts, ends, sums = [parse_numbers(column) for column in rows]
    if not np.array_equal(checksum_columns(ids, numbers, starts, ends), sums):
        raise ArchiveDamaged("passages do not match their checksums")
    articles = read_articles_after(connection, known)
    if ids.size and not known.last_article < numbers.min() <= numbers.max() <= articles.last:
        raise ArchiveDamaged("passages are of articles that do not exist")
    # An index may still name passages that were deleted, up to the last id ever given.
    added = max(read_last_id(connection), int(ids.max(initial=last))) - last
    length = extend(known.length, added)
    day = extend(known.day, added)
    source = extend(known.source, added)
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
    """Columns of the articles after the last known one; index 1 is the next number."""

    day: NDArray[np.int32]
    source: NDArray[np.int32]
    sources: dict[str, int]
    last: int


def read_articles_after(connection: sqlite3.Connection, known: Columns) -> NewArticles:
    """Read dates and sources of the articles that the columns lack."""
    first = known.last_article
    # All articles are read from the indexes by date and by source, which are covering and hold no
    # texts; a few new ones from the table. A unary + keeps SQLite from the other choice.
    number, named_by = ("number", "+source") if first else ("+number", "source")
    rows = connection.execute(
        "SELECT group_concat(number), group_concat(coalesce(replace(published, '-', ''), 0))"
        f" FROM articles WHERE {number} > ?",
        (first,),
    ).fetchone()
    numbers, days = [parse_numbers(column) for column in rows]
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
        source[parse_numbers(members) - first] = sources.setdefault(name, len(sources) + 1)
    return NewArticles(day, source, sources, first + len(day) - 1)


def read_last_id(connection: sqlite3.Connection) -> int:
    """Return the greatest id that was ever given to a passage."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    return 0 if row is None else int(row[0])


def extend(column: NDArray[Number], added: int) -> NDArray[Number]:
    """Return a copy of the column with this number of zeros appended."""
    return np.concatenate([column, np.zeros(added, column.dtype)])


def encode_date(day: str) -> int:
    """Return an ISO date as YYYYMMDD: `encode_date("2023-11-09")` is 20231109."""
    return int(day.replace("-", ""))


def parse_numbers(numbers: str | None) -> Integers:
    """Return the numbers that SQLite's group_concat has joined by commas, None for no row."""
    return np.array([], np.int64) if numbers is None else np.fromstring(numbers, np.int64, sep=",")
