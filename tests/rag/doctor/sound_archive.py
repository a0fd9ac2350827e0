"""A sound archive of forty articles, and damage to its rows and its vector index."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from citewire.index.catalogue.opening import open_catalogue
from citewire.rag.doctor.diagnosis import Diagnosis
from citewire.rag.models.model_files import ReadyModel
from citewire.rag.settings import Settings

ARTICLES = 40
Edit = Callable[[str], None]
DAMAGES_TO_AN_ARTICLE = [
    "UPDATE articles SET text = replace(text, ' is in', ' was in') WHERE number = {}",
    "UPDATE articles SET title = 'Boat' WHERE number = {}",
    "UPDATE articles SET published = '2023-11-09' WHERE number = {}",
    "UPDATE articles SET source = 'Wire' WHERE number = {}",
    "UPDATE articles SET fingerprint = 'x' WHERE number = {}",
    "UPDATE articles SET origin = '/elsewhere' WHERE number = {}",
    "UPDATE passages SET end = 99999 WHERE article = {}",
    "UPDATE passages SET end = end - 1 WHERE article = {}",
    "UPDATE passages SET start = end WHERE article = {}",
    "UPDATE vectors SET vector = zeroblob(64) WHERE passage = {}",
    "UPDATE vectors SET vector = zeroblob(7) WHERE passage = {}",
    "UPDATE vectors SET vector = (SELECT vector FROM vectors WHERE passage = 1) WHERE passage = {}",
    "DELETE FROM vectors WHERE passage = {}",
    "INSERT INTO passages VALUES (900, {}, 0, 4, 0)",
]


def articles_in(settings: Settings, model: ReadyModel) -> set[str]:
    file = settings.data / "catalogue.sqlite3"
    with closing(open_catalogue(file, "own", encoder=model.identity)) as catalogue:
        return set(catalogue.known_after("", 10_000))


def names(*numbers: int) -> tuple[str, ...]:
    return tuple(f"news/{number:02}.md" for number in numbers)


def lost_in(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.findings:
        yield from finding.articles


def damage_manifest(vectors: Path) -> None:
    (vectors / "current.json").write_text("{")


def lose_manifest(vectors: Path) -> None:
    (vectors / "current.json").unlink()


def change_index(vectors: Path) -> None:
    largest = max(vectors.glob("generation-*/*/*"), key=lambda file: file.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)


def lose_generation(vectors: Path) -> None:
    for folder in vectors.glob("generation-*"):
        shutil.rmtree(folder)


def leave_orphan(vectors: Path) -> None:
    (vectors / "generation-left").mkdir()
