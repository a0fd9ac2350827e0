from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pytest
from exact_search import matching_passages
from hypothesis import given, settings
from hypothesis import strategies as st

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.columns import Columns
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.types import Article, Filters

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
# Articles that are put (again), and whether the columns are looked at in between.
CHANGES = st.lists(
    st.tuples(st.lists(st.integers(0, 19), max_size=4), st.booleans(), st.booleans()), max_size=6
)
Encode = Callable[..., EncodedArticle]


def passing(catalogue: Catalogue, filters: Filters) -> list[int]:
    return np.flatnonzero(catalogue.columns().passing(filters)).tolist()


def test_filters_pass_what_the_catalogue_passes(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(article) for article in ARTICLES[:7]])
    assert len(passing(catalogue, Filters())) == 7
    # Read in two parts, the second of which has sources that the first has not.
    catalogue.put([encoded(article) for article in ARTICLES[7:]])

    @given(FILTERS)
    def check(filters: Filters) -> None:
        assert passing(catalogue, filters) == matching_passages(catalogue, filters)

    check()


def same(one: Columns, other: Columns) -> bool:
    def sources(columns: Columns) -> list[str]:
        names = {number: name for name, number in columns.sources.items()}
        there = columns.length > 0
        return [names.get(number, "") for number in columns.source[there].tolist()]

    def rest(columns: Columns) -> Sequence[object]:
        there = columns.length > 0
        return [
            columns.state,
            columns.length.tolist(),
            columns.day[there].tolist(),
            columns.passages,
            columns.mean_length,
        ]

    return rest(one) == rest(other) and sources(one) == sources(other)


@given(CHANGES)
@settings(deadline=None, max_examples=30)
def test_columns_that_follow_an_archive_are_those_read_anew(
    tmp_path_factory: pytest.TempPathFactory,
    encoded: Encode,
    changes: list[tuple[list[int], bool, bool]],
) -> None:
    path = tmp_path_factory.mktemp("updated") / "catalogue.sqlite3"
    updated = open_catalogue(path, "create", encoder="encoder:made-up")
    for numbers, removes, looks in changes:
        if removes:
            updated.remove([ARTICLES[number].id for number in numbers])
        else:
            updated.put([encoded(ARTICLES[number]) for number in dict.fromkeys(numbers)])
        if looks:
            updated.columns()
    columns = updated.columns()
    updated.close()
    opened_later = open_catalogue(path, "own", encoder="encoder:made-up")
    assert same(columns, opened_later.columns())
    opened_later.close()


def test_a_question_that_began_before_a_change_has_the_columns_of_its_state(
    catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(ARTICLES[0])])
    with ThreadPoolExecutor(1) as other, catalogue.reading():
        before = catalogue.counts()[1]

        def change() -> int:
            catalogue.put([encoded(ARTICLES[1])])
            return catalogue.columns().passages

        assert other.submit(change).result() == 2
        assert catalogue.columns().passages == before == 1
    assert catalogue.columns().passages == 2
