"""The archive's size against its speed: `python tests/bench/scale.py 10000 100000`.

For each number of passages an archive is made of the paragraphs of SQuAD-like files, repeated
with a number so that no two are the same, and of made-up unit vectors around as many centres
as there are hundreds of passages: a model's encoding of a million texts takes hours and says
nothing about searching. The archive stays in `--folder`; a second run measures it again.
"""

import argparse
import asyncio
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, cycle, islice
from pathlib import Path

import numpy as np
from load import closed_loop, service, warm_up

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.archive.protocol import Archive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vector, Vectors
from citewire.index.types import Article, Filters, Span
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.maintenance import SECONDS_BETWEEN_LOOKS
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.models.model_files import prepare_model
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.settings import Settings, read_settings
from citewire.rag.types import Question

DIMENSION = 384
FIRST_DAY = date(2020, 1, 1)
DAYS = 1000
QUESTIONS = 200
CANDIDATES = 50
# By date, since every day has as many passages as another, and by source.
FILTERS = {
    "none": Filters(),
    "0.1 % date": Filters(FIRST_DAY, FIRST_DAY),
    "1 % date": Filters(FIRST_DAY, FIRST_DAY + timedelta(9)),
    "1 % source": Filters(sources=frozenset({"Source 0"})),
    "10 % date": Filters(FIRST_DAY, FIRST_DAY + timedelta(99)),
    "10 % source": Filters(sources=frozenset(f"Source {number}" for number in range(10))),
    "30 % date": Filters(FIRST_DAY, FIRST_DAY + timedelta(299)),
    "90 % date": Filters(FIRST_DAY, FIRST_DAY + timedelta(899)),
    "50 % source": Filters(sources=frozenset(f"Source {number}" for number in range(50))),
    "90 % source": Filters(sources=frozenset(f"Source {number}" for number in range(90))),
}


class NearCentres:
    """Makes vectors around centres; as an encoder, one for any question."""

    identity = ""

    def __init__(self, centres: int) -> None:
        self._random = np.random.default_rng(7)
        self._centres = unit(self._random.normal(size=(centres, DIMENSION)))

    def draw(self, rows: int) -> Vectors:
        chosen = self._centres[self._random.integers(len(self._centres), size=rows)]
        noise = self._random.normal(size=(rows, DIMENSION)) * 0.9 / DIMENSION**0.5
        return unit(chosen + noise)

    def encode_question(self, text: str) -> Vector:
        return self.encode_passages([text])[0]

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self.draw(len(texts))


def unit(rows: Vectors) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--texts", type=Path, required=True, help="a SQuAD file, .json.gz")
    parser.add_argument("--folder", type=Path, help="where archives are made and stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for size in options.sizes:
            measure(size, options.texts, (options.folder or Path(temporary)) / str(size))


def measure(size: int, texts: Path, folder: Path) -> None:
    settings = replace(read_settings(os.environ), data=folder)
    model = prepare_model("encoder", settings.encoder, settings.cache)
    paragraphs, questions = read_squad(texts)
    print(f"\n## {size:,} passages\n\n| what | figure |\n|---|---|", flush=True)
    vectors = NearCentres(max(size // 100, 1))
    made = not (folder / "catalogue.sqlite3").exists()
    catalogue = open_catalogue(folder / "catalogue.sqlite3", "create", encoder=model.identity)
    with closing(catalogue):
        if made:
            row("store", f"{seconds(lambda: fill(catalogue, size, paragraphs, vectors)):.1f} s")
        with closing(VectorIndex(folder / "vectors", catalogue, FolderBackend())) as index:
            if index.is_stale():
                row("build the index", f"{seconds(index.rebuild):.1f} s")
        opening = time.perf_counter()
        with closing(VectorIndex(folder / "vectors", catalogue, FolderBackend())) as index:
            row("open, rows hashed", f"{time.perf_counter() - opening:.2f} s")
            row("search by scan, dense", spread(search_times(index, vectors, Filters())))
            row("try out and open Chroma", f"{seconds(index.open_chroma):.2f} s")
            retriever = HybridRetriever(vectors, EmbeddedArchive(catalogue, index))
            searches(index, retriever, vectors, questions)
            recalls(index, catalogue, vectors)
            one_more(catalogue, retriever, vectors)
            rebuilt_meanwhile(index, vectors)
    one_shot(settings, questions[0])
    row("resident, served with both models", resident_when_serving(settings))


def searches(
    index: VectorIndex, retriever: HybridRetriever, vectors: NearCentres, questions: list[str]
) -> None:
    # From all over the file: neighbours are about the same things.
    chosen = questions[:: max(len(questions) // QUESTIONS, 1)][:QUESTIONS]
    for name, filters in FILTERS.items():
        row(f"dense, filter {name}", spread(search_times(index, vectors, filters)))
        asked = [Question(text, filters) for text in chosen]
        row(f"both legs, ranked, filter {name}", spread(times(retriever_calls(retriever, asked))))


def recalls(index: VectorIndex, catalogue: Catalogue, vectors: NearCentres) -> None:
    for name, filters in FILTERS.items():
        row(f"recall, filter {name}", f"{recall(index, catalogue, vectors, filters):.4f}")


def one_more(catalogue: Catalogue, retriever: HybridRetriever, vectors: NearCentres) -> None:
    started = time.perf_counter()
    catalogue.put([article("one more", "Zyzzyva was added.", vectors.draw(1), 0)])
    (hit,) = retriever.retrieve(Question("What about Zyzzyva?"), 1).hits
    assert hit.passage.article.id == "one more"
    row("add one article, until found by its words", f"{time.perf_counter() - started:.3f} s")
    catalogue.remove(["one more"])


def rebuilt_meanwhile(index: VectorIndex, vectors: NearCentres) -> None:
    quiet = search_times(index, vectors, Filters())
    rebuild = threading.Thread(target=index.rebuild)
    started = time.perf_counter()
    rebuild.start()
    busy: list[float] = []
    while rebuild.is_alive():
        busy += search_times(index, vectors, Filters(), 20)
        time.sleep(0.2)
    row("rebuild while searching", f"{time.perf_counter() - started:.1f} s")
    row("search before, Chroma", spread(quiet))
    row("search during it", spread(busy))


def one_shot(settings: Settings, question: str) -> None:
    command = [
        sys.executable,
        "-m",
        "citewire",
        "ask",
        question,
        "--data",
        str(settings.data),
    ]
    taken = [
        seconds(lambda: subprocess.run(command, check=False, capture_output=True)) for _ in range(5)
    ]
    row("citewire ask, start to end", f"{sorted(taken)[2]:.2f} s (5 runs, worst {max(taken):.2f})")


def resident_when_serving(settings: Settings) -> str:
    # In a process of its own: whoever drives a service lowers its own priority.
    program = "import sys, pathlib, scale; scale.print_resident(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(settings.data)],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def print_resident(data: Path) -> None:
    """Serve the archive, ask with every filter, from four clients, and look at the process."""
    asked = [request(number, filters) for filters in FILTERS.values() for number in range(8)]
    with service(data) as running:
        asyncio.run(warm_up(running, cycle(asked)))
        asyncio.run(closed_loop(running, cycle(asked), clients=4, seconds=10))
        # Upkeep lets go of what questions with filters have read.
        time.sleep(2 * SECONDS_BETWEEN_LOOKS)
        print(f"{running.resident_mib():.0f} MiB, of which {running.own_mib():.0f} are its own")


def request(number: int, filters: Filters) -> bytes:
    given = {
        "published_from": filters.published_from and filters.published_from.isoformat(),
        "published_to": filters.published_to and filters.published_to.isoformat(),
        # A service takes no more.
        "sources": sorted(filters.sources)[:50],
    }
    question = f"Who was number {number} in history?"
    return json.dumps(
        {"question": question, "filters": {name: told for name, told in given.items() if told}}
    ).encode()


def fill(
    archive: Archive | Catalogue, size: int, paragraphs: list[str], vectors: NearCentres
) -> None:
    numbered = (f"{text} ({number})" for number, text in zip(count(), cycle(paragraphs)))
    for first in range(0, size, 2000):
        rows = vectors.draw(min(2000, size - first))
        archive.put(
            article(f"article {first + at}", text, rows[at : at + 1], first + at)
            for at, text in enumerate(islice(numbered, len(rows)))
        )


def article(name: str, text: str, rows: Vectors, number: int) -> EncodedArticle:
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


def retriever_calls(
    retriever: HybridRetriever, asked: list[Question]
) -> Iterator[Callable[[], object]]:
    return ((lambda question=question: retriever.retrieve(question, 20)) for question in asked)


def search_times(
    index: VectorIndex, vectors: NearCentres, filters: Filters, questions: int = QUESTIONS
) -> list[float]:
    drawn = vectors.draw(questions)
    return times((lambda row=row: index.search(row, CANDIDATES, filters)) for row in drawn)


def recall(
    index: VectorIndex, catalogue: Catalogue, vectors: NearCentres, filters: Filters
) -> float:
    ids, known = catalogue.vectors(catalogue.matching_passages(filters))
    found = total = 0
    for drawn in vectors.draw(30):
        nearest = {ids[at] for at in np.argsort(-(known @ drawn))[:CANDIDATES]}
        found += len(nearest & index.search(drawn, CANDIDATES, filters).keys())
        total += len(nearest)
    return found / max(total, 1)


def times(calls: Iterator[Callable[[], object]]) -> list[float]:
    return [1000 * seconds(call) for call in calls]


def spread(taken: list[float]) -> str:
    p50, p95, p99 = np.percentile(taken, [50, 95, 99])
    return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms"


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def row(what: str, figure: str) -> None:
    print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
