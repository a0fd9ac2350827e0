"""Exact search, by comparison with every vector, whose results a vector index must find."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date

import numpy as np

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.conditions import build_filter_condition
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vector, Vectors
from citewire.index.types import Article, Filters
from citewire.index.vectors.vector_index import VectorIndex

ENCODER = "encoder:made-up"
DIMENSION = 16
ROWS = 300
ALL = Filters()
WIRE = Filters(sources=frozenset({"Wire"}))

Encode = Callable[..., EncodedArticle]


def random_rows(count: int, seed: int, dimension: int = DIMENSION) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


QUESTIONS = random_rows(20, seed=1)
SOME_ROWS = random_rows(ROWS, seed=3)


def article(name: str, source: str = "Wire", published: date | None = None) -> Article:
    return Article(name, "A title", "Some words.", source=source, published=published)


def matching_passages(catalogue: Catalogue, filters: Filters) -> list[int]:
    """Return the ids of all passages whose article passes the filters, ascending, from SQL."""
    condition, values = build_filter_condition(filters)
    with closing(sqlite3.connect(catalogue.path)) as connection:
        rows = connection.execute(
            "SELECT passages.id FROM articles JOIN passages ON passages.article = articles.number"
            f" WHERE {condition} ORDER BY passages.id",
            values,
        ).fetchall()
    return [row[0] for row in rows]


def nearest(catalogue: Catalogue, question: Vector, limit: int, filters: Filters) -> list[int]:
    """Return the passages that an index must find, by comparing with every vector that passes."""
    ids, vectors = catalogue.vectors(matching_passages(catalogue, filters))
    order = np.argsort(-(vectors @ question), kind="stable")[:limit] if ids else []
    return [ids[row] for row in order]


def assert_finds_the_nearest(
    index: VectorIndex, catalogue: Catalogue, filters: Filters = ALL
) -> None:
    found = [list(index.search(question, 5, filters)) for question in QUESTIONS]
    assert found == [nearest(catalogue, question, 5, filters) for question in QUESTIONS]
