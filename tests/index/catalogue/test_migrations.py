"""Archives as older versions have left them: they are brought up to date, or left as they are."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from citewire.index.catalogue.checker import check_catalogue
from citewire.index.catalogue.opening import Mode, open_catalogue
from citewire.index.catalogue.postings import rebuild_postings
from citewire.index.catalogue.records import fingerprint
from citewire.index.catalogue.writable_file import WritableFile
from citewire.index.errors import ArchiveDamaged, ArchiveTooNew
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.types import Article, Filters

ENCODER = "encoder:made-up"
BRIDGE = Article("bridge.md", "The bridge", "The bridge opened in 1894. It is old.")
RIVER = Article("river.md", "The river", "Caf\u00e9s flooded 👩 on Monday.", source="Wire")
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT, url TEXT, published TEXT, author TEXT,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    origin TEXT NOT NULL
);
CREATE INDEX articles_by_published ON articles (published);
CREATE INDEX articles_by_source ON articles (source);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article INTEGER NOT NULL REFERENCES articles (number),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL
);
CREATE INDEX passages_by_article ON passages (article);
CREATE TABLE vectors (passage INTEGER PRIMARY KEY REFERENCES passages (id), vector BLOB NOT NULL);
"""
FULL_TEXT = """
CREATE VIEW passage_texts AS
    SELECT passages.id AS id, title, substr(text, start + 1, end - start) AS text
    FROM passages JOIN articles ON articles.number = passages.article;
CREATE VIRTUAL TABLE lexical USING fts5 (
    title, text, content = 'passage_texts', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
"""
Make = Callable[[Path], None]


def make_first(path: Path) -> None:
    """An archive of schema 1, with full-text search."""
    with closing(sqlite3.connect(path)) as connection, connection:
        fill(connection, {"schema": "1"})
        connection.executescript(FULL_TEXT)
        connection.execute("INSERT INTO lexical (lexical) VALUES ('rebuild')")


def make_second(path: Path) -> None:
    """An archive of schema 2, with postings."""
    with closing(sqlite3.connect(path)) as connection, connection:
        fill(connection, {"schema": "2", "words": "1"})
        rebuild_postings(connection)
        connection.execute("DROP TABLE wordings")


def fill(connection: sqlite3.Connection, notes: dict[str, str]) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(TABLES)
    meta = {"archive_id": "a" * 32, "version": "7", "encoder": ENCODER} | notes
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    for number, article in enumerate((BRIDGE, RIVER), 1):
        connection.execute(
            "INSERT INTO articles VALUES (?, ?, ?, ?, NULL, NULL, NULL, 'en', ?, ?, ?, '/news')",
            (
                number,
                article.id,
                article.title,
                article.source,
                article.text,
                article.digest,
                fingerprint(article),
            ),
        )
        # Ids with gaps, as articles that were replaced leave them.
        for passage, start, end in ((number * 10, 0, 12), (number * 10 + 5, 8, len(article.text))):
            connection.execute(
                "INSERT INTO passages VALUES (?, ?, ?, ?)", (passage, number, start, end)
            )
            vector = np.array([np.cos(passage), np.sin(passage)], np.float32)
            connection.execute("INSERT INTO vectors VALUES (?, ?)", (passage, vector.tobytes()))


def make_third(path: Path) -> None:
    """An archive of schema 3, sealed, without term vectors."""
    make_second(path)
    file = WritableFile(path, encoder=ENCODER, create=False)
    with closing(file), file.writing() as connection:
        connection.execute("DROP TABLE wordings")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'words'")
        connection.execute("UPDATE meta SET value = '6' WHERE key = 'version'")


@pytest.fixture(params=[make_first, make_second, make_third])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


@pytest.fixture
def older(tmp_path: Path, make: Make) -> Path:
    path = tmp_path / "catalogue.sqlite3"
    make(path)
    return path


def test_an_older_archive_is_brought_up_to_date_with_all_it_holds(older: Path) -> None:
    with closing(open_catalogue(older, "own", encoder=ENCODER)) as catalogue:
        assert [catalogue.article(name) for name in ("bridge.md", "river.md")] == [BRIDGE, RIVER]
        assert catalogue.state().archive_id == "a" * 32
        ids, vectors = catalogue.vectors_after(0)
        assert ids == [10, 15, 20, 25]
        assert np.array_equal(vectors[:, 0], np.cos(np.array(ids)).astype(np.float32))
        assert catalogue.passages([25])[25].text == RIVER.text[8:]
        assert LexicalIndex(catalogue).search("bridge", 10, Filters()).keys() == {10, 15}


def test_an_archive_that_was_brought_up_to_date_is_sound_and_stays_so(older: Path) -> None:
    open_catalogue(older, "own", encoder=ENCODER).close()
    found = check_catalogue(older)
    assert (found.faults, found.lost, found.sound, found.passages) == ([], [], [1, 2], 4)
    version = 8
    with closing(open_catalogue(older, "own", encoder=ENCODER)) as again:
        assert again.state().version == version


def test_an_archive_that_was_brought_up_to_date_is_sealed(older: Path) -> None:
    open_catalogue(older, "own", encoder=ENCODER).close()
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute("UPDATE passages SET start = start + 1")
    with pytest.raises(ArchiveDamaged, match="changed or damaged from outside"):
        open_catalogue(older, "own", encoder=ENCODER)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE passages SET end = 999 WHERE id = 15", "bridge.md: passage 15 is no stretch"),
        ("UPDATE passages SET start = 12 WHERE id = 10", "bridge.md: passage 10 is no stretch"),
        ("DELETE FROM vectors WHERE passage = 20", "river.md: passage 20 has lost its vector"),
        ("UPDATE vectors SET vector = zeroblob(8)", "passage 10 has a vector whose length"),
    ],
)
@pytest.mark.parametrize("make", [make_first, make_second], indirect=True)
def test_damage_is_not_blessed_with_checksums(older: Path, statement: str, message: str) -> None:
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute(statement)
    for _ in range(2):
        with pytest.raises(ArchiveDamaged, match=message):
            open_catalogue(older, "own", encoder=ENCODER)
    with closing(sqlite3.connect(older)) as connection:
        columns = connection.execute("PRAGMA table_info(vectors)").fetchall()
        assert "checksum" not in {column[1] for column in columns}


def test_tokens_of_another_version_are_indexed_again(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    make_second(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'words'")
        connection.execute("DELETE FROM postings")
    with closing(open_catalogue(path, "own", encoder=ENCODER)) as catalogue:
        assert LexicalIndex(catalogue).search("bridge", 10, Filters()).keys() == {10, 15}


def test_an_archive_of_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        fill(connection, {"schema": "99"})
    before = path.read_bytes()
    with pytest.raises(ArchiveTooNew, match=r"schema 99, of a newer version.*up to schema 3"):
        open_catalogue(path, "own", encoder=ENCODER)
    with pytest.raises(ArchiveTooNew):
        check_catalogue(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.seal"))


@pytest.mark.parametrize("schema", ["", "three"])
def test_an_archive_of_no_schema_is_damaged(tmp_path: Path, schema: str) -> None:
    path = tmp_path / "catalogue.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        fill(connection, {"schema": schema})
    with pytest.raises(ArchiveDamaged, match="lacks its schema"):
        open_catalogue(path, "own", encoder=ENCODER)


@pytest.mark.parametrize("schema", ["0", "-1"])
def test_an_archive_of_a_schema_that_never_was_is_damaged(tmp_path: Path, schema: str) -> None:
    path = tmp_path / "catalogue.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        fill(connection, {"schema": schema})
    with pytest.raises(ArchiveDamaged, match=f"has schema {schema}, which does not exist"):
        open_catalogue(path, "own", encoder=ENCODER)
    assert check_catalogue(path).faults


@pytest.mark.parametrize("schema", ["1", "2"])
@pytest.mark.parametrize("mode", ["own", "read-only"])
def test_a_sealed_archive_that_says_an_older_schema_is_damaged_and_not_brought_up_to_date(
    tmp_path: Path, schema: str, mode: Mode
) -> None:
    path = tmp_path / "catalogue.sqlite3"
    make_second(path)
    open_catalogue(path, "own", encoder=ENCODER).close()
    # One bit makes a 2 of a 3, another one a 1.
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (schema,))
    for _ in range(2):
        with pytest.raises(ArchiveDamaged, match="changed or damaged from outside"):
            open_catalogue(path, mode, encoder=ENCODER)
    found = check_catalogue(path)
    assert (found.sound, found.lost) == ([1, 2], [])
    assert any("changed or damaged from outside" in fault for fault in found.faults)


def test_an_old_backup_beside_the_seal_of_later_changes_is_not_taken_for_the_archive(
    tmp_path: Path,
) -> None:
    path, backup = tmp_path / "catalogue.sqlite3", tmp_path / "backup"
    make_second(path)
    shutil.copyfile(path, backup)
    with closing(open_catalogue(path, "own", encoder=ENCODER)) as catalogue:
        catalogue.remove(["river.md"])
    backup.replace(path)
    with pytest.raises(ArchiveDamaged, match="the last changes are lost"):
        open_catalogue(path, "own", encoder=ENCODER)
    assert check_catalogue(path).forgotten == 2
