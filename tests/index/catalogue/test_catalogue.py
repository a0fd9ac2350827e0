import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from exact_search import matching_passages

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.records import ArticleRecord, EncodedArticle
from citewire.index.embedding import Vectors
from citewire.index.errors import (
    UnknownArticle,
)
from citewire.index.types import Article, Filters, Span

BRIDGE = Article(
    "bridge.md",
    "The bridge",
    "The bridge opened in 1894. It is old.",
    source="Tideline News",
    url="https://example.org/bridge",
    published=date(2023, 11, 9),
    author="Ana Ruiz",
)
RIVER = Article("river.md", "The river", "Cafe\u0301s flooded 👩\u200d🚀 on Monday.")

Encode = Callable[..., EncodedArticle]
Reopen = Callable[..., Catalogue]


def test_an_article_is_found_as_it_was_put(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE), encoded(RIVER)])
    assert [catalogue.article("bridge.md"), catalogue.article("river.md")] == [BRIDGE, RIVER]


def test_an_article_is_found_after_opening_again(
    catalogue: Catalogue, encoded: Encode, reopen: Reopen
) -> None:
    catalogue.put([encoded(RIVER)])
    catalogue.close()
    with closing(reopen()) as again:
        assert again.article("river.md") == RIVER


def test_passages_are_slices_of_their_article(catalogue: Catalogue, unit: Encode) -> None:
    spans = (Span(0, 15), Span(15, 18), Span(18, len(RIVER.text)))
    catalogue.put([EncodedArticle(RIVER, "/news", spans, unit((1, 0), (0, 1), (1, 1)))])
    passages = catalogue.passages([3, 1, 2])
    assert {number: passage.text for number, passage in passages.items()} == {
        1: "Cafe\u0301s flooded ",
        2: "👩\u200d🚀",
        3: " on Monday.",
    }


def test_unknown_passages_are_left_out(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE)])
    assert list(catalogue.passages([1, 2, 99])) == [1]


def test_vectors_are_found_as_they_were_put(
    catalogue: Catalogue, encoded: Encode, unit: Callable[..., Vectors]
) -> None:
    vectors = unit((1, 2, 3), (-1, 0, 1))
    catalogue.put([encoded(BRIDGE, vectors)])
    ids, found = catalogue.vectors([2, 7, 1])
    assert ids == [1, 2]
    assert found.dtype == np.float32
    assert np.array_equal(found, vectors)


def test_more_ids_are_looked_up_than_fit_into_one_query(
    catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE, np.ones((2000, 2), np.float32))])
    everything = range(1, 2001)
    assert catalogue.existing_passages(everything) == set(everything)
    assert sorted(catalogue.passages(everything)) == list(everything)
    assert catalogue.vectors(everything)[0] == list(everything)


def test_no_ids_are_no_vectors(catalogue: Catalogue) -> None:
    ids, found = catalogue.vectors([])
    assert (ids, len(found)) == ([], 0)


def test_vectors_after_an_id_are_those_of_later_passages(
    catalogue: Catalogue, encoded: Encode, unit: Callable[..., Vectors]
) -> None:
    catalogue.put([encoded(BRIDGE, unit((1, 0), (0, 1))), encoded(RIVER, unit((1, 1)))])
    assert [catalogue.vectors_after(number)[0] for number in (0, 2, 3)] == [[1, 2, 3], [3], []]


def test_an_unknown_article_is_named(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownArticle, match=r"nowhere\.md"):
        catalogue.article("nowhere.md")


def test_articles_are_listed_in_pages(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(replace(BRIDGE, id=name)) for name in "cadb"])
    pages = [catalogue.list_articles(after=after, limit=2) for after in ("", "b", "d")]
    assert [[record.id for record in page] for page in pages] == [["a", "b"], ["c", "d"], []]


@pytest.mark.parametrize("named", ["Élysée", "élysée", "ÉLYSÉE", "e\u0301lyse\u0301e", "straße"])
def test_articles_are_found_by_name_in_any_case_and_however_accents_are_written(
    catalogue: Catalogue, encoded: Encode, named: str
) -> None:
    palace = Article("elysee.md", "The Élysée, in its STRASSE", "It is a palace.")
    catalogue.put([encoded(palace), encoded(Article("other.md", "Other", "It is none."))])
    found = catalogue.list_articles(after="", limit=9, named=named)
    assert [record.id for record in found] == ["elysee.md"]


def test_a_listed_article_has_everything_but_its_text(
    catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    assert catalogue.list_articles(after="", limit=1) == [
        ArticleRecord(
            id="bridge.md",
            title="The bridge",
            source="Tideline News",
            url="https://example.org/bridge",
            published=date(2023, 11, 9),
            author="Ana Ruiz",
            language="en",
            digest=BRIDGE.digest,
            characters=37,
        )
    ]


# -- replacing and removing


def test_putting_an_article_again_replaces_it(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE)])
    catalogue.put([encoded(replace(BRIDGE, text="The bridge fell."))])
    assert catalogue.article("bridge.md").text == "The bridge fell."
    assert catalogue.counts() == (1, 1)


def test_a_passage_id_is_never_given_again(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE)])
    catalogue.remove(["bridge.md"])
    catalogue.put([encoded(RIVER)])
    assert list(catalogue.passages([1, 2])) == [2]


def test_a_removed_article_leaves_nothing(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE), encoded(RIVER)])
    catalogue.remove(["bridge.md"])
    assert catalogue.counts() == (1, 1)
    assert catalogue.vectors_after(0)[0] == [2]
    assert catalogue.known_after("", 10).keys() == {"river.md"}


def test_removing_an_unknown_article_does_nothing(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE)])
    catalogue.remove(["nowhere.md"])
    assert catalogue.counts() == (1, 1)


def test_the_lexical_index_follows_every_change(
    catalogue: Catalogue, encoded: Encode, check_lexical_index: Callable[[], None]
) -> None:
    catalogue.put([encoded(BRIDGE), encoded(RIVER)])
    catalogue.put([encoded(replace(BRIDGE, title="A tower", text="The tower leans. 👍🏽"))])
    catalogue.remove(["river.md"])
    check_lexical_index()
    ids, counts = catalogue.postings("tower")
    assert (ids.tolist(), counts.tolist()) == ([3], [2.0])


def test_the_version_grows_with_every_change(catalogue: Catalogue, encoded: Encode) -> None:
    versions = [catalogue.state().version]
    catalogue.put([encoded(BRIDGE)])
    versions.append(catalogue.state().version)
    catalogue.remove(["bridge.md"])
    versions.append(catalogue.state().version)
    assert versions == [0, 1, 2]


# -- filters


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (Filters(), [1, 2, 3]),
        (Filters(published_from=date(2023, 11, 9)), [1]),
        (Filters(published_from=date(2023, 11, 10)), []),
        (Filters(published_to=date(2023, 11, 9)), [1, 3]),
        (Filters(published_to=date(2023, 11, 8)), [3]),
        (Filters(published_from=date(2020, 1, 1), published_to=date(2020, 1, 1)), [3]),
        (Filters(sources=frozenset({"Tideline News"})), [1]),
        (Filters(sources=frozenset({"Tideline News", "Wire"})), [1, 3]),
        (Filters(sources=frozenset({"'; DROP TABLE articles; --"})), []),
        (Filters(published_to=date(2020, 1, 1), sources=frozenset({"Tideline News"})), []),
    ],
)
def test_passages_match_by_date_and_source(
    catalogue: Catalogue, encoded: Encode, filters: Filters, ids: list[int]
) -> None:
    old = replace(BRIDGE, id="old.md", source="Wire", published=date(2020, 1, 1))
    catalogue.put([encoded(BRIDGE), encoded(RIVER), encoded(old)])
    assert matching_passages(catalogue, filters) == ids


# -- one state


def test_reading_sees_one_state_while_another_connection_writes(
    catalogue: Catalogue, encoded: Encode, reopen: Reopen
) -> None:
    catalogue.put([encoded(BRIDGE)])
    with closing(reopen()) as writer:
        with catalogue.reading():
            before = catalogue.counts()
            writer.put([encoded(RIVER)])
            during = catalogue.counts()
        after = catalogue.counts()
    assert [before, during, after] == [(1, 1), (1, 1), (2, 2)]


def test_threads_read_while_another_writes(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE)])
    done = threading.Event()
    uneven = []

    def read() -> None:
        while not done.is_set():
            articles, passages = catalogue.counts()
            if articles != passages:
                uneven.append((articles, passages))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(50):
        catalogue.put([encoded(replace(RIVER, id=f"{number}"))])
    done.set()
    for thread in threads:
        thread.join()
    assert uneven == []
    assert catalogue.counts() == (51, 51)
