import os
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

from rag.catalogue import Catalogue
from rag.errors import ArchiveDamaged, NoArchive, NotUsable, UnknownArticle, WrongEncoder
from rag.lexical import LexicalIndex
from rag.postings import read_postings, rebuild_postings
from rag.protocols import Vectors
from rag.tables import ArticleRecord, EncodedArticle, fingerprint
from rag.types import Article, Filters, Span

ENCODER = "encoder:made-up"
ROOT = Path(__file__).parent.parent.parent
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


def edit(catalogue: Catalogue, path: Path, statement: str) -> None:
    """Change the file behind the catalogue's back."""
    catalogue.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def reopened(path: Path) -> Catalogue:
    return Catalogue(path, encoder=ENCODER)


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
    with catalogue.reading() as connection:
        ids, counts = read_postings(connection, "tower")
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
        with closing(Catalogue(tmp_path / file, encoder=ENCODER, create=True)) as made:
            names.add(made.state().archive_id)
    assert len(names) == 2


def test_creating_where_an_archive_is_opens_it(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    with closing(Catalogue(path, encoder=ENCODER, create=True)) as again:
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
    with catalogue.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NotUsable, match="full") as caught:
        catalogue.put([encoded(replace(RIVER, text="word " * 100_000))])
    assert not isinstance(caught.value, ArchiveDamaged)


def test_after_a_full_disk_the_rest_is_there_and_writing_goes_on(
    catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    with catalogue.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NotUsable):
        catalogue.put([encoded(replace(RIVER, text="word " * 100_000))])
    with catalogue.reading() as connection:
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
        Catalogue(path, encoder="encoder:other")


def test_another_encoder_is_refused_when_indexing(catalogue: Catalogue, path: Path) -> None:
    with pytest.raises(WrongEncoder):
        Catalogue(path, encoder="encoder:other", create=True)


FIRST_SCHEMA = """
DROP TABLE postings;
CREATE VIEW passage_texts AS
    SELECT passages.id AS id, title, substr(text, start + 1, end - start) AS text
    FROM passages JOIN articles ON articles.number = passages.article;
CREATE VIRTUAL TABLE lexical USING fts5 (
    title, text, content = 'passage_texts', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
UPDATE meta SET value = '1' WHERE key = 'schema';
DELETE FROM meta WHERE key = 'words'
"""


def test_an_archive_of_the_first_schema_is_brought_up_to_date(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE), encoded(RIVER)])
    ids, vectors = catalogue.vectors_after(0)
    for statement in FIRST_SCHEMA.split(";\n"):
        edit(catalogue, path, statement)
    with closing(reopened(path)) as updated:
        assert updated.article("bridge.md") == BRIDGE
        assert updated.vectors_after(0)[0] == ids
        assert (updated.vectors_after(0)[1] == vectors).all()
        assert LexicalIndex(updated).search("bridge", 10, Filters()).keys() == {1}
    check_lexical_index(path)


def test_words_of_another_version_are_indexed_anew(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    edit(catalogue, path, "DELETE FROM postings")
    edit(catalogue, path, "UPDATE meta SET value = '0' WHERE key = 'words'")
    reopened(path).close()
    check_lexical_index(path)


def test_another_schema_is_refused(catalogue: Catalogue, path: Path) -> None:
    edit(catalogue, path, "UPDATE meta SET value = '99' WHERE key = 'schema'")
    with pytest.raises(ArchiveDamaged, match=r"has schema 99.*reads schema 2"):
        reopened(path)


@pytest.mark.parametrize("content", [b"", b"garbage", b"garbage " * 1000], ids=len)
def test_a_file_that_is_no_catalogue_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=r"catalogue\.sqlite3"):
        reopened(path)


def test_a_file_that_is_no_catalogue_is_not_written_over(path: Path) -> None:
    path.write_bytes(b"garbage " * 1000)
    with pytest.raises(ArchiveDamaged):
        Catalogue(path, encoder=ENCODER, create=True)
    assert path.read_bytes() == b"garbage " * 1000


def test_a_catalogue_without_its_notes_is_refused(catalogue: Catalogue, path: Path) -> None:
    edit(catalogue, path, "DELETE FROM meta WHERE key = 'encoder'")
    with pytest.raises(ArchiveDamaged):
        reopened(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE articles SET text = replace(text, '1894', '1895')",
        "UPDATE articles SET text = ''",
        "UPDATE articles SET text = CAST(x'ff00' AS TEXT)",
        "UPDATE articles SET published = 'yesterday'",
    ],
)
def test_a_changed_article_is_never_shown(
    catalogue: Catalogue, path: Path, encoded: Encode, statement: str
) -> None:
    catalogue.put([encoded(BRIDGE)])
    edit(catalogue, path, statement)
    with closing(reopened(path)) as again, pytest.raises(ArchiveDamaged):
        again.article("bridge.md")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE articles SET text = replace(text, '1894', '1895')",
        "UPDATE passages SET end = 999",
        "UPDATE passages SET start = end",
        "DELETE FROM articles",
    ],
)
def test_a_passage_of_a_changed_article_is_never_shown(
    catalogue: Catalogue, path: Path, encoded: Encode, statement: str
) -> None:
    catalogue.put([encoded(BRIDGE)])
    edit(catalogue, path, statement)
    with closing(reopened(path)) as again, pytest.raises(ArchiveDamaged):
        again.passages([1])


def test_damage_met_while_reading_is_named(
    catalogue: Catalogue, path: Path, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE, np.ones((500, 64), np.float32))])
    catalogue.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=r"catalogue\.sqlite3"), closing(reopened(path)) as c:
        c.vectors_after(0)


# -- killed

WRITER = """
import sys, time
from dataclasses import replace
from pathlib import Path
import numpy as np
from rag.catalogue import Catalogue
from rag.tables import EncodedArticle
from rag.types import Article, Span

text = "The river rose in the night. " * 20
spans = tuple(Span(start, start + 29) for start in range(0, 580, 29))
vectors = np.ones((20, 64), np.float32)
catalogue = Catalogue(Path(sys.argv[1]), encoder="encoder:made-up", create=True)

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
        env=os.environ | {"PYTHONPATH": str(ROOT)},
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
    Catalogue(path, encoder=encoder, create=True).close()
    reopened = Catalogue(path, encoder=encoder)
    assert reopened.counts() == (0, 0)
    reopened.close()
