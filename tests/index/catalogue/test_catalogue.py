import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.postings import rebuild_postings
from citewire.index.catalogue.records import ArticleRecord, EncodedArticle, fingerprint
from citewire.index.embedding import Vectors
from citewire.index.errors import (
    ArchiveDamaged,
    ArchiveLost,
    NoArchive,
    NotUsable,
    UnknownArticle,
    WrongEncoder,
)
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.types import Article, Filters, Span

ENCODER = "encoder:made-up"
ROOT = Path(__file__).parents[3]
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


def edit(path: Path, statement: str) -> None:
    """Change what is stored behind the catalogue's back, open or closed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def reopened(path: Path) -> Catalogue:
    return open_catalogue(path, "own", encoder=ENCODER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite3"


def check_lexical_index(path: Path) -> None:
    """Raise AssertionError when the words indexed are not those of the passages."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        stored = postings(connection)
        connection.execute("BEGIN")
        rebuild_postings(connection)
        assert stored == postings(connection)
        connection.execute("ROLLBACK")


def postings(connection: sqlite3.Connection) -> dict[tuple[str, int], list[bytes]]:
    rows = connection.execute("SELECT term, block, entries FROM postings").fetchall()
    return {
        (term, block): sorted(entries[first : first + 3] for first in range(0, len(entries), 3))
        for term, block, entries in rows
    }


# -- what is put is found


def test_an_article_is_found_as_it_was_put(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE), encoded(RIVER)])
    assert [catalogue.article("bridge.md"), catalogue.article("river.md")] == [BRIDGE, RIVER]


def test_an_article_is_found_after_opening_again(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(RIVER)])
    catalogue.close()
    with closing(reopened(path)) as again:
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
    assert catalogue.fingerprints().keys() == catalogue.origins().keys() == {"river.md"}


def test_removing_an_unknown_article_does_nothing(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE)])
    catalogue.remove(["nowhere.md"])
    assert catalogue.counts() == (1, 1)


def test_the_lexical_index_follows_every_change(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE), encoded(RIVER)])
    catalogue.put([encoded(replace(BRIDGE, title="A tower", text="The tower leans. 👍🏽"))])
    catalogue.remove(["river.md"])
    check_lexical_index(path)
    ids, counts = catalogue.postings("tower")
    assert (ids.tolist(), counts.tolist()) == ([3], [2.0])


def test_the_version_grows_with_every_change(catalogue: Catalogue, encoded: Encode) -> None:
    versions = [catalogue.state().version]
    catalogue.put([encoded(BRIDGE)])
    versions.append(catalogue.state().version)
    catalogue.remove(["bridge.md"])
    versions.append(catalogue.state().version)
    assert versions == [0, 1, 2]


def test_two_archives_have_different_names(tmp_path: Path) -> None:
    names = set()
    for file in ("one.sqlite3", "two.sqlite3"):
        with closing(open_catalogue(tmp_path / file, "create", encoder=ENCODER)) as made:
            names.add(made.state().archive_id)
    assert len(names) == 2


def test_creating_where_an_archive_is_opens_it(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    with closing(open_catalogue(path, "create", encoder=ENCODER)) as again:
        assert again.state() == catalogue.state()


# -- fingerprints


def test_an_unchanged_article_has_its_stored_fingerprint(
    catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    assert catalogue.fingerprints() == {"bridge.md": fingerprint(replace(BRIDGE))}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"text": "Other."},
        {"source": None},
        {"url": "https://example.org/other"},
        {"published": date(2023, 11, 10)},
        {"author": None},
        {"language": "de"},
    ],
)
def test_any_change_changes_the_fingerprint(change: dict[str, object]) -> None:
    assert fingerprint(replace(BRIDGE, **change)) != fingerprint(BRIDGE)


def test_a_value_in_another_field_is_another_fingerprint() -> None:
    one = replace(BRIDGE, source="Wire", author=None)
    assert fingerprint(one) != fingerprint(replace(BRIDGE, source=None, author="Wire"))


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
    assert catalogue.matching_passages(filters) == ids


# -- all or nothing


def test_an_error_amid_a_put_leaves_everything_as_it_was(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    before = catalogue.state()

    def interrupted() -> Iterator[EncodedArticle]:
        yield encoded(replace(BRIDGE, text="The bridge fell."))
        yield encoded(RIVER)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalogue.put(interrupted())
    assert catalogue.state() == before
    assert catalogue.article("bridge.md") == BRIDGE
    assert catalogue.counts() == (1, 1)
    check_lexical_index(path)


def test_a_put_after_a_failed_one_succeeds(
    catalogue: Catalogue, encoded: Encode, unit: Callable[..., Vectors]
) -> None:
    with pytest.raises(ValueError, match="zip"):
        catalogue.put([EncodedArticle(BRIDGE, "/news", (Span(0, 3),), unit((1, 0), (0, 1)))])
    catalogue.put([encoded(RIVER)])
    assert catalogue.counts() == (1, 1)


def test_a_full_disk_is_not_taken_for_damage(catalogue: Catalogue, encoded: Encode) -> None:
    catalogue.put([encoded(BRIDGE)])
    with catalogue._file.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NotUsable, match="full") as caught:
        catalogue.put([encoded(replace(RIVER, text="word " * 100_000))])
    assert not isinstance(caught.value, ArchiveDamaged)


def test_after_a_full_disk_the_rest_is_there_and_writing_goes_on(
    catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    with catalogue._file.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NotUsable):
        catalogue.put([encoded(replace(RIVER, text="word " * 100_000))])
    with catalogue._file.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    catalogue.put([encoded(RIVER)])
    assert catalogue.fingerprints().keys() == {"bridge.md", "river.md"}


def test_reading_sees_one_state_while_another_connection_writes(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    with closing(reopened(path)) as writer:
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


# -- what cannot be opened


def test_a_missing_catalogue_is_no_archive(path: Path) -> None:
    with pytest.raises(NoArchive, match=r"catalogue\.sqlite3"):
        reopened(path)


def test_another_encoder_is_refused_by_name(catalogue: Catalogue, path: Path) -> None:
    with pytest.raises(WrongEncoder, match=r"encoder:other.*CITEWIRE_ENCODER"):
        open_catalogue(path, "own", encoder="encoder:other")


def test_another_encoder_is_refused_when_indexing(catalogue: Catalogue, path: Path) -> None:
    with pytest.raises(WrongEncoder):
        open_catalogue(path, "create", encoder="encoder:other")


@pytest.mark.parametrize("content", [b"", b"garbage", b"garbage " * 1000], ids=len)
def test_a_file_that_is_no_catalogue_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=r"catalogue\.sqlite3"):
        reopened(path)


def test_a_file_that_is_no_catalogue_is_not_written_over(path: Path) -> None:
    path.write_bytes(b"garbage " * 1000)
    with pytest.raises(ArchiveDamaged):
        open_catalogue(path, "create", encoder=ENCODER)
    assert path.read_bytes() == b"garbage " * 1000


CHANGES_OF_ARTICLES = [
    "UPDATE articles SET text = replace(text, '1894', '1895')",
    "UPDATE articles SET text = ''",
    "UPDATE articles SET text = CAST(x'ff00' AS TEXT)",
    "UPDATE articles SET published = 'yesterday'",
]
CHANGES_OF_PASSAGES = [
    "UPDATE passages SET end = 999",
    "UPDATE passages SET end = end - 1",
    "UPDATE passages SET start = end",
    "UPDATE passages SET start = 'here'",
    "UPDATE passages SET checksum = 0",
    "DELETE FROM articles",
]
CHANGES_OF_VECTORS = [
    "UPDATE vectors SET vector = zeroblob(8)",
    "UPDATE vectors SET vector = zeroblob(7)",
    "UPDATE vectors SET vector = (SELECT vector FROM vectors WHERE passage = 2)",
]
CHANGES_OF_WORDS = [
    "UPDATE postings SET entries = substr(entries, 2)",
    "UPDATE postings SET block = block + 1",
]
OTHER_CHANGES = [
    "DELETE FROM meta WHERE key = 'encoder'",
    "DELETE FROM postings",
    "DELETE FROM passages",
    "UPDATE articles SET origin = '/elsewhere'",
    "UPDATE meta SET value = 0 WHERE key = 'version'",
]


@pytest.fixture
def two(catalogue: Catalogue, encoded: Encode, unit: Callable[..., Vectors]) -> Catalogue:
    """A catalogue of two articles, with a passage each."""
    catalogue.put([encoded(BRIDGE, unit((1, 0))), encoded(RIVER, unit((0, 1)))])
    return catalogue


@pytest.mark.parametrize(
    "statement",
    CHANGES_OF_ARTICLES
    + CHANGES_OF_PASSAGES
    + CHANGES_OF_VECTORS
    + CHANGES_OF_WORDS
    + OTHER_CHANGES,
)
def test_a_file_changed_from_outside_is_refused(two: Catalogue, path: Path, statement: str) -> None:
    two.close()
    edit(path, statement)
    with pytest.raises(ArchiveDamaged, match=r"catalogue\.sqlite3.*citewire doctor.*--repair"):
        reopened(path)


@pytest.mark.parametrize("statement", CHANGES_OF_ARTICLES)
def test_an_article_that_changes_meanwhile_is_never_shown(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged):
        two.article("bridge.md")


@pytest.mark.parametrize("statement", CHANGES_OF_ARTICLES[:1] + CHANGES_OF_PASSAGES)
def test_a_passage_that_changes_meanwhile_is_never_shown(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged):
        two.passages([1])


@pytest.mark.parametrize("statement", CHANGES_OF_PASSAGES[:-1])
def test_passages_that_change_meanwhile_are_not_compared_with_a_question(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged):
        LexicalIndex(two).search("bridge", 3, Filters())


@pytest.mark.parametrize("statement", CHANGES_OF_VECTORS)
def test_a_vector_that_changes_meanwhile_is_not_compared_with_a_question(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged, match="passage 1: its vector"):
        two.vectors([1])
    with pytest.raises(ArchiveDamaged, match="passage 1: its vector"):
        two.vectors_after(0)


@pytest.mark.parametrize("statement", CHANGES_OF_WORDS)
def test_words_that_change_meanwhile_are_not_searched(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged, match="lexical index"):
        LexicalIndex(two).search("bridge", 3, Filters())


def test_every_flipped_bit_of_every_file_is_refused_or_harmless(two: Catalogue, path: Path) -> None:
    two.close()
    rng = np.random.default_rng(5)
    refused = 0
    for file in (path, path.with_suffix(".seal"), path.with_suffix(".acknowledged")):
        content = file.read_bytes()
        for position in rng.integers(0, len(content), 40):
            flipped = bytearray(content)
            flipped[position] ^= 1 << int(rng.integers(8))
            file.write_bytes(flipped)
            with pytest.raises(ArchiveDamaged):
                reopened(path)
            refused += 1
        file.write_bytes(content)
    assert refused == 120
    reopened(path).close()


@pytest.mark.parametrize("name", ["catalogue.seal", "catalogue.acknowledged"])
def test_a_catalogue_that_nothing_vouches_for_is_refused(
    two: Catalogue, path: Path, name: str
) -> None:
    two.close()
    path.with_name(name).unlink()
    with pytest.raises(ArchiveDamaged, match=rf"{name}: is missing or damaged.*citewire doctor"):
        reopened(path)


def test_a_catalogue_that_was_replaced_by_another_is_refused(
    two: Catalogue, path: Path, tmp_path: Path
) -> None:
    two.close()
    other = tmp_path / "other.sqlite3"
    open_catalogue(other, "create", encoder=ENCODER).close()
    other.replace(path)
    with pytest.raises(ArchiveDamaged, match="another archive"):
        reopened(path)


# -- the log


def copied_open(path: Path, to: Path) -> Path:
    """Copy a catalogue that is open, as a kill would leave it."""
    for file in path.parent.glob("catalogue.*"):
        if not file.name.endswith("-shm"):
            shutil.copyfile(file, to / file.name)
    return to / path.name


@pytest.fixture
def killed(two: Catalogue, path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a kill left of a catalogue whose last changes are in the log alone."""
    return copied_open(path, tmp_path_factory.mktemp("killed"))


def test_what_only_the_log_holds_is_there(killed: Path) -> None:
    with closing(reopened(killed)) as again:
        assert again.fingerprints().keys() == {"bridge.md", "river.md"}
    assert not Path(f"{killed}-wal").exists()
    reopened(killed).close()


def test_a_lost_log_is_noticed(killed: Path) -> None:
    Path(f"{killed}-wal").unlink()
    with pytest.raises(
        ArchiveDamaged, match=r"version 0.*acknowledged version 1.*changes are lost"
    ):
        reopened(killed)


def test_any_damage_to_the_log_is_refused_or_harmless(killed: Path, tmp_path: Path) -> None:
    log = Path(f"{killed}-wal")
    content = log.read_bytes()
    rng = np.random.default_rng(6)
    refused = 0
    for position in [0, 24, 31, *rng.integers(32, len(content), 40).tolist()]:
        for damaged in (flipped_at(content, position), content[:position]):
            folder = tmp_path / str(refused)
            folder.mkdir(exist_ok=True)
            copy = copied_open(killed, folder)
            Path(f"{copy}-wal").write_bytes(damaged)
            try:
                with closing(reopened(copy)) as again:
                    # Behind the last transaction lie remains of older ones.
                    assert again.fingerprints().keys() == {"bridge.md", "river.md"}
            except ArchiveDamaged:
                refused += 1
    assert refused > 40


def flipped_at(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :]


def test_one_who_may_not_have_it_leaves_the_log_as_it_is(killed: Path) -> None:
    with pytest.raises(WrongEncoder):
        open_catalogue(killed, "own", encoder="encoder:other")
    with closing(reopened(killed)) as again:
        assert again.counts() == (2, 2)


def test_damage_beside_what_the_log_holds_is_noticed(
    two: Catalogue, path: Path, encoded: Encode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    two.put([encoded(replace(BRIDGE, id="long", text="The bridge fell. " * 3000))])
    two.close()
    with closing(reopened(path)) as again:
        again.put([encoded(replace(RIVER, id="late"))])
        copy = copied_open(path, tmp_path_factory.mktemp("killed"))
    content = copy.read_bytes()
    # The text's end lies in pages of its own, which nothing has changed since.
    at = content.rindex(b"The bridge fell. " * 30)
    copy.write_bytes(flipped_at(content, at + 200))
    with pytest.raises(ArchiveDamaged, match="1 of its pages"):
        reopened(copy)


def test_a_reader_of_an_older_state_keeps_the_log_until_the_next_opening(
    two: Catalogue, path: Path, encoded: Encode
) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM articles").fetchone()
        two.put([encoded(replace(RIVER, id="late"))])
        two.close()
    with closing(reopened(path)) as again:
        assert again.counts() == (3, 3)


def test_many_changes_go_from_the_log_into_the_sealed_file(
    catalogue: Catalogue, path: Path, encoded: Encode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for number in range(12):
        catalogue.put([encoded(replace(BRIDGE, id=f"{number}"), np.ones((300, 2), np.float32))])
    copy = copied_open(path, tmp_path_factory.mktemp("killed"))
    # The log was written over: it alone does not hold all articles, nor does the file.
    assert copy.stat().st_size > 100_000
    with closing(reopened(copy)) as again:
        assert again.counts() == (12, 3600)


# -- lost


def test_an_archive_is_not_begun_anew_where_one_was_lost(two: Catalogue, path: Path) -> None:
    two.close()
    path.unlink()
    for create in (True, False):
        with pytest.raises(ArchiveLost, match=r"is gone, but catalogue\.seal.*restore.*move away"):
            open_catalogue(path, "create" if create else "own", encoder=ENCODER)
    assert not path.exists()


def test_an_empty_file_in_the_place_of_an_archive_is_not_filled(two: Catalogue, path: Path) -> None:
    two.close()
    path.write_bytes(b"")
    with pytest.raises(ArchiveLost, match="is empty, but"):
        open_catalogue(path, "create", encoder=ENCODER)


def test_a_lost_archive_that_never_held_anything_is_begun_anew(path: Path) -> None:
    open_catalogue(path, "create", encoder=ENCODER).close()
    path.unlink()
    open_catalogue(path, "create", encoder=ENCODER).close()
    reopened(path).close()


# -- killed

WRITER = """
import sys, time
from dataclasses import replace
from pathlib import Path
import numpy as np
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.types import Article, Span

text = "The river rose in the night. " * 20
spans = tuple(Span(start, start + 29) for start in range(0, 580, 29))
vectors = np.ones((20, 64), np.float32)
catalogue = open_catalogue(Path(sys.argv[1]), "create", encoder="encoder:made-up")

def encoded(name):
    return EncodedArticle(Article(name, "The river", text), "/news", spans, vectors)

def hanging():
    yield encoded("unfinished")
    print("amid", flush=True)
    time.sleep(600)

if sys.argv[2] == "hang":
    catalogue.put([encoded("kept")])
    catalogue.put(hanging())
for number in range(100_000):
    catalogue.put([encoded(f"{number}")])
    print(number, flush=True)
"""


def start_writer(path: Path, mode: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, path, mode],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src")},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_kill_amid_a_put_leaves_what_was_put_before(path: Path) -> None:
    with start_writer(path, "hang") as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "amid\n"
        writer.send_signal(signal.SIGKILL)
    with closing(reopened(path)) as catalogue:
        assert catalogue.fingerprints().keys() == {"kept"}
        assert catalogue.counts() == (1, 20)
    check_lexical_index(path)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.13])
def test_a_kill_at_any_moment_loses_nothing_acknowledged(path: Path, seconds: float) -> None:
    with start_writer(path, "run") as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        acknowledged = {line.strip() for line in [first, *writer.stdout] if line.endswith("\n")}
    with closing(reopened(path)) as catalogue:
        stored = catalogue.fingerprints().keys()
        assert acknowledged <= stored
        # At most the one that was committed and not yet reported.
        assert len(stored - acknowledged) <= 1
        assert catalogue.counts() == (len(stored), 20 * len(stored))
        assert len(catalogue.vectors_after(0)[0]) == 20 * len(stored)
    check_lexical_index(path)


@pytest.mark.parametrize("encoder", ["encoder:it's", "encoder:'); DROP TABLE articles; --"])
def test_an_encoder_may_have_any_name(tmp_path: Path, encoder: str) -> None:
    path = tmp_path / "named.sqlite3"
    open_catalogue(path, "create", encoder=encoder).close()
    reopened = open_catalogue(path, "own", encoder=encoder)
    assert reopened.counts() == (0, 0)
    reopened.close()
