"""Damage to a catalogue from outside is refused when it is opened, and when it is read."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.errors import (
    ArchiveDamaged,
)
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.types import Filters

ENCODER = "encoder:made-up"

Encode = Callable[..., EncodedArticle]
Reopen = Callable[..., Catalogue]


def edit(path: Path, statement: str) -> None:
    """Change the file without the catalogue, which may be open."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


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
CHANGES_OF_POSTINGS = [
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


@pytest.mark.parametrize(
    "statement",
    CHANGES_OF_ARTICLES
    + CHANGES_OF_PASSAGES
    + CHANGES_OF_VECTORS
    + CHANGES_OF_POSTINGS
    + OTHER_CHANGES,
)
def test_a_file_changed_from_outside_is_refused(
    two: Catalogue, path: Path, statement: str, reopen: Reopen
) -> None:
    two.close()
    edit(path, statement)
    with pytest.raises(ArchiveDamaged, match=r"catalogue\.sqlite3.*citewire doctor.*--repair"):
        reopen()


@pytest.mark.parametrize("statement", CHANGES_OF_ARTICLES)
def test_an_article_changed_while_open_is_never_shown(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged):
        two.article("bridge.md")


@pytest.mark.parametrize("statement", CHANGES_OF_ARTICLES[:1] + CHANGES_OF_PASSAGES)
def test_a_passage_changed_while_open_is_never_shown(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged):
        two.passages([1])


@pytest.mark.parametrize("statement", CHANGES_OF_PASSAGES[:-1])
def test_passages_changed_while_open_are_not_compared_with_a_question(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged):
        LexicalIndex(two).search("bridge", 3, Filters())


@pytest.mark.parametrize("statement", CHANGES_OF_VECTORS)
def test_a_vector_changed_while_open_is_not_compared_with_a_question(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged, match="passage 1: its vector"):
        two.vectors([1])
    with pytest.raises(ArchiveDamaged, match="passage 1: its vector"):
        two.vectors_after(0)


@pytest.mark.parametrize("statement", CHANGES_OF_POSTINGS)
def test_postings_changed_while_open_are_not_searched(
    two: Catalogue, path: Path, statement: str
) -> None:
    edit(path, statement)
    with pytest.raises(ArchiveDamaged, match="lexical index"):
        LexicalIndex(two).search("bridge", 3, Filters())


def test_every_flipped_bit_of_every_file_is_refused_or_harmless(
    two: Catalogue, path: Path, reopen: Reopen
) -> None:
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
                reopen()
            refused += 1
        file.write_bytes(content)
    assert refused == 120
    reopen().close()


@pytest.mark.parametrize("name", ["catalogue.seal", "catalogue.acknowledged"])
def test_a_catalogue_without_one_of_its_witnesses_is_refused(
    two: Catalogue, path: Path, name: str, reopen: Reopen
) -> None:
    two.close()
    path.with_name(name).unlink()
    with pytest.raises(ArchiveDamaged, match=rf"{name}: is missing or damaged.*citewire doctor"):
        reopen()


def test_a_catalogue_that_was_replaced_by_another_is_refused(
    two: Catalogue, path: Path, tmp_path: Path, reopen: Reopen
) -> None:
    two.close()
    other = tmp_path / "other.sqlite3"
    open_catalogue(other, "create", encoder=ENCODER).close()
    other.replace(path)
    with pytest.raises(ArchiveDamaged, match="another archive"):
        reopen()
