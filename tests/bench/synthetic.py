"""Synthetic archives: paragraphs of a SQuAD file with vectors around random centres."""

import gzip
import json
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count, cycle, islice
from pathlib import Path

import numpy as np

from citewire.index.archive.protocol import Archive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vector, Vectors
from citewire.index.types import Article, Span

DIMENSION = 384
FIRST_DAY = date(2020, 1, 1)
DAYS = 1000


class NearCentres:
    """Draws vectors around random centres; as an encoder, one for each text."""

    identity = ""

    def __init__(self, centres: int) -> None:
        self._random = np.random.default_rng(7)
        self._centres = normalize_rows(self._random.normal(size=(centres, DIMENSION)))

    def draw(self, rows: int) -> Vectors:
        chosen = self._centres[self._random.integers(len(self._centres), size=rows)]
        noise = self._random.normal(size=(rows, DIMENSION)) * 0.9 / DIMENSION**0.5
        return normalize_rows(chosen + noise)

    def encode_question(self, text: str) -> Vector:
        return self.encode_passages([text])[0]

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self.draw(len(texts))


def normalize_rows(rows: Vectors) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def fill(
    archive: Archive | Catalogue, size: int, paragraphs: list[str], vectors: NearCentres
) -> None:
    numbered = (f"{text} ({number})" for number, text in zip(count(), cycle(paragraphs)))
    for first in range(0, size, 2000):
        rows = vectors.draw(min(2000, size - first))
        archive.put(
            build_article(f"article {first + at}", text, rows[at : at + 1], first + at)
            for at, text in enumerate(islice(numbered, len(rows)))
        )


def build_article(name: str, text: str, rows: Vectors, number: int) -> EncodedArticle:
    published = FIRST_DAY + timedelta(number % DAYS)
    # Sources and dates are independent of each other.
    source = f"Source {number // DAYS % 100}"
    stored = Article(name, text[:60], text, source=source, published=published)
    return EncodedArticle(stored, f"/news/{name}", (Span(0, len(text)),), rows)


def read_squad(file: Path) -> tuple[list[str], list[str]]:
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        data = json.load(stream)["data"]
    paragraphs = [paragraph for entry in data for paragraph in entry["paragraphs"]]
    questions = [each["question"] for paragraph in paragraphs for each in paragraph["qas"][:1]]
    return [paragraph["context"] for paragraph in paragraphs], questions
