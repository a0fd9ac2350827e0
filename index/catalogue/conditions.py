"""Pieces of SQL conditions, and their values."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from citewire.index.types import Filters

Id = TypeVar("Id", int, str)
# Parameters of one statement: SQLite's default limit was 999 before version 3.32.
IDS_PER_QUERY = 900


def batch_ids(ids: Sequence[Id]) -> Iterator[Sequence[Id]]:
    """Cut the ids into batches that fit into one statement."""
    for first in range(0, len(ids), IDS_PER_QUERY):
        yield ids[first : first + IDS_PER_QUERY]


def list_marks(values: Sequence[object]) -> str:
    """Return a parameter mark for each value, with commas between them."""
    return ", ".join("?" * len(values))


def build_filter_condition(filters: Filters) -> tuple[str, list[str]]:
    """Return the filters as a condition on the table articles, with its values."""
    conditions = ["TRUE"]
    values: list[str] = []
    if filters.published_from is not None:
        conditions.append("published >= ?")
        values.append(filters.published_from.isoformat())
    if filters.published_to is not None:
        conditions.append("published <= ?")
        values.append(filters.published_to.isoformat())
    if filters.sources:
        conditions.append(f"source IN ({list_marks(sorted(filters.sources))})")
        values += sorted(filters.sources)
    return " AND ".join(conditions), values
