from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.catalogue import Catalogue
from rag.rows import Rows, map_rows, no_rows, rows_after, write_rows
from rag.tables import EncodedArticle
from rag.types import Article, Filters

DAYS = [None, date(1, 1, 1), date(2023, 12, 31), date(2024, 1, 1), date(2024, 1, 2)]
SOURCES = [None, "Wire", "Post", "wire"]
ARTICLES = [
    Article(f"{day}-{source}", "T", "Some words.", source=source, published=day)
    for day in DAYS
    for source in SOURCES
]
FILTERS = st.builds(
    lambda days, sources: (
        Filters(*sorted(days), sources) if None not in days else Filters(*days, sources)
    ),
    st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)),
    st.frozensets(st.sampled_from(["Wire", "Post", "wire", "Nobody"])),
)


def test_written_rows_are_those_of_the_catalogue(
    catalogue: Catalogue, encoded: Callable[..., EncodedArticle], tmp_path: Path
) -> None:
    vectors = np.random.default_rng(1).normal(size=(1500, 8)).astype(np.float32)
    catalogue.put([encoded(ARTICLES[5], vectors), encoded(ARTICLES[0], vectors[:3])])
    with catalogue.reading() as connection:
        write_rows(tmp_path / "rows", connection)
        read = rows_after(connection, 0)
    mapped = map_rows(tmp_path / "rows")
    assert mapped.names == read.names == ("Wire",)
    for column in ("ids", "days", "sources", "vectors"):
        np.testing.assert_array_equal(getattr(mapped, column), getattr(read, column))
    np.testing.assert_array_equal(mapped.vectors[:1500], vectors)


def test_filters_pass_what_the_catalogue_passes(
    catalogue: Catalogue, encoded: Callable[..., EncodedArticle]
) -> None:
    catalogue.put([encoded(article) for article in ARTICLES[:7]])
    with catalogue.reading() as connection:
        early = rows_after(connection, 0)
    catalogue.put([encoded(article) for article in ARTICLES[7:]])
    with catalogue.reading() as connection:
        # Read in two parts, whose sources have different numbers.
        rows = early.followed_by(rows_after(connection, int(early.ids[-1])))

    @given(FILTERS)
    def check(filters: Filters) -> None:
        passing = rows.ids[rows.passing(filters)].tolist()
        assert passing == catalogue.matching_passages(filters)

    check()


def test_scores_are_the_dot_products(unit: Callable[..., np.ndarray]) -> None:
    vectors = unit(*np.random.default_rng(2).normal(size=(1200, 8)))
    rows = no_rows().followed_by(
        Rows(np.arange(1, 1201), np.zeros(1200, np.int32), np.zeros(1200, np.int32), (), vectors)
    )
    chosen = np.arange(0, 1200, 2)
    np.testing.assert_allclose(rows.scores(vectors[7]), vectors @ vectors[7], atol=1e-6)
    np.testing.assert_allclose(
        rows.scores(vectors[7], chosen), vectors[chosen] @ vectors[7], atol=1e-6
    )
