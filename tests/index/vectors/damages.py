"""Damages to a stored vector index: each changes one thing in the files of a folder."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path


def generation(folder: Path) -> Path:
    (found,) = (folder / "vectors").glob("generation-*")
    return found


def index_file(folder: Path, name: str) -> Path:
    (found,) = generation(folder).glob(f"*/{name}")
    return found


def database(folder: Path) -> Path:
    return generation(folder) / "chroma.sqlite3"


def manifest(folder: Path) -> Path:
    return folder / "vectors" / "current.json"


def change_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def run_sql(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def change_manifest(folder: Path, old: str, new: str) -> None:
    text = manifest(folder).read_text()
    assert old in text
    manifest(folder).write_text(text.replace(old, new))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "rows changed": lambda folder: change_byte(generation(folder) / "rows" / "vectors.npy"),
    "rows cut": lambda folder: os.truncate(generation(folder) / "rows" / "ids.npy", 200),
    "rows missing": lambda folder: (generation(folder) / "rows" / "vectors.npy").unlink(),
    "vectors changed": lambda folder: change_byte(index_file(folder, "data_level0.bin")),
    "links changed": lambda folder: change_byte(index_file(folder, "length.bin")),
    "vectors cut": lambda folder: os.truncate(index_file(folder, "data_level0.bin"), 1000),
    "names missing": lambda folder: index_file(folder, "index_metadata.pickle").unlink(),
    "folder missing": lambda folder: shutil.rmtree(generation(folder)),
    "index missing": lambda folder: shutil.rmtree(index_file(folder, "header.bin").parent),
    "everything missing": lambda folder: shutil.rmtree(folder / "vectors"),
    "database missing": lambda folder: database(folder).unlink(),
    "database empty": lambda folder: database(folder).write_bytes(b""),
    "database garbage": lambda folder: database(folder).write_bytes(b"garbage " * 5000),
    "database cut": lambda folder: os.truncate(database(folder), 50_000),
    "database without rows": lambda folder: run_sql(
        database(folder), "DELETE FROM embeddings WHERE embedding_id < '2'"
    ),
    "database without collection": lambda folder: run_sql(
        database(folder), "DELETE FROM collections"
    ),
    # Chroma panics on this one.
    "database with other columns": lambda folder: run_sql(
        database(folder), "ALTER TABLE embeddings_queue_config RENAME config_json_str TO other"
    ),
    "manifest empty": lambda folder: manifest(folder).write_text(""),
    "manifest garbage": lambda folder: manifest(folder).write_bytes(b"\xff{"),
    "manifest of nothing": lambda folder: manifest(folder).write_text("{}"),
    "manifest a list": lambda folder: manifest(folder).write_text("[]"),
    "manifest with one row less": lambda folder: change_manifest(
        folder, '"rows": 300', '"rows": 299'
    ),
    "manifest with more passages": lambda folder: change_manifest(
        folder, '"last_passage": 300', '"last_passage": 900'
    ),
    "manifest of no type": lambda folder: change_manifest(
        folder, '"folder": "', '"folder": null, "was": "'
    ),
}
