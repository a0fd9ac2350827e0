import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.catalogue.postings import (
    BLOCK,
    MAX_COUNT,
    TABLES,
    add_postings,
    read_postings,
    read_terms_beginning,
    remove_postings,
)

texts = st.dictionaries(
    st.integers(1, 3 * BLOCK),
    st.tuples(
        st.just("Title"), st.lists(st.sampled_from(["river", "tower", "rain"])).map(" ".join)
    ),
    max_size=20,
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(":memory:") as opened:
        make_tables(opened)
        yield opened
    opened.close()


def make_tables(connection: sqlite3.Connection) -> None:
    for schema in TABLES.values():
        connection.execute(schema)


def found(connection: sqlite3.Connection, term: str) -> dict[int, float]:
    ids, counts = read_postings(connection, term)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def test_passages_are_found_by_their_words_and_their_title(connection: sqlite3.Connection) -> None:
    add_postings(connection, {7: ("A river", "The river rose."), 9: ("Rain", "Rivers rose.")})
    assert found(connection, "river") == {7: 2.0, 9: 1.0}
    assert found(connection, "rain") == {9: 1.0}
    assert found(connection, "tower") == {}


def test_ids_on_both_sides_of_a_blocks_edge_are_kept_apart(connection: sqlite3.Connection) -> None:
    for passage in (BLOCK - 1, BLOCK, BLOCK + 1, 100 * BLOCK):
        add_postings(connection, {passage: ("", "river")})
    assert list(found(connection, "river")) == [BLOCK - 1, BLOCK, BLOCK + 1, 100 * BLOCK]


def test_a_word_said_endlessly_is_counted_up_to_a_limit(connection: sqlite3.Connection) -> None:
    add_postings(connection, {1: ("", "river " * 1000)})
    assert found(connection, "river") == {1: MAX_COUNT}


def test_terms_are_listed_by_their_beginning(connection: sqlite3.Connection) -> None:
    texts = {
        7: ("", "Rivers riveted Rivera."),
        # In another block: each of its words has one more row.
        3 * BLOCK: ("", "The river Rhine rose; a riverbank caved in."),
    }
    add_postings(connection, texts)
    assert read_terms_beginning(connection, "rive") == ["river", "rivera", "riverbank", "rivet"]
    assert read_terms_beginning(connection, "tower") == []


@given(texts, texts)
def test_what_is_removed_is_as_if_it_had_never_been(
    kept: dict[int, tuple[str, str]], others: dict[int, tuple[str, str]]
) -> None:
    gone = {passage: text for passage, text in others.items() if passage not in kept}
    with sqlite3.connect(":memory:") as changed, sqlite3.connect(":memory:") as plain:
        for each in (changed, plain):
            make_tables(each)
            add_postings(each, kept)
        add_postings(changed, gone)
        remove_postings(changed, gone)
        for term in ("titl", "river", "tower", "rain"):
            assert found(changed, term) == found(plain, term)
        rows = "SELECT count(*) FROM postings"
        assert changed.execute(rows).fetchone() == plain.execute(rows).fetchone()
        rows = "SELECT passage, words FROM wordings ORDER BY passage"
        assert changed.execute(rows).fetchall() == plain.execute(rows).fetchall()
    changed.close()
    plain.close()
