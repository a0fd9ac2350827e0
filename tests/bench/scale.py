"""Speed by archive size: `python tests/bench/scale.py 10000 100000 --texts SQUAD.json.gz`.

For each number of passages an archive is made of the paragraphs of a SQuAD file, repeated
with a number so that no two are the same, and of synthetic unit vectors around one centre for each
hundred passages: encoding a million texts with a model would take hours and does not change
the speed of searching. The archive stays in `--folder`; a second run measures it again.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import numpy as np
from load import run_closed_loop, run_service, warm_up
from synthetic import FIRST_DAY, NearCentres, build_article, fill, read_squad

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.types import Filters
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.maintenance import SECONDS_BETWEEN_LOOKS
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.models.model_files import prepare_model
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.settings import Settings, read_settings
from citewire.rag.types import Question

QUESTIONS = 200
CANDIDATES = 50
# By date, since every day has the same number of passages, and by source.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--texts", type=Path, required=True, help="a SQuAD file, .json.gz")
    parser.add_argument("--folder", type=Path, help="folder that keeps the archives")
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
            print_row(
                "store",
                f"{measure_seconds(lambda: fill(catalogue, size, paragraphs, vectors)):.1f} s",
            )
        with closing(VectorIndex(folder / "vectors", catalogue, FolderBackend())) as index:
            if index.is_stale():
                print_row("build the index", f"{measure_seconds(index.rebuild):.1f} s")
        opening = time.perf_counter()
        with closing(VectorIndex(folder / "vectors", catalogue, FolderBackend())) as index:
            print_row("open, rows hashed", f"{time.perf_counter() - opening:.2f} s")
            print_row("search by scan, dense", summarize(time_searches(index, vectors, Filters())))
            print_row("verify and open Chroma", f"{measure_seconds(index.open_chroma):.2f} s")
            retriever = HybridRetriever(vectors, EmbeddedArchive(catalogue, index))
            measure_searches(index, retriever, vectors, questions)
            measure_recalls(index, catalogue, vectors)
            measure_addition(catalogue, retriever, vectors)
            measure_rebuild(index, vectors)
    measure_command(settings, questions[0])
    print_row("resident, served with both models", measure_resident(settings))


def measure_searches(
    index: VectorIndex, retriever: HybridRetriever, vectors: NearCentres, questions: list[str]
) -> None:
    # Spread over the file, since neighbours are about the same subject.
    chosen = questions[:: max(len(questions) // QUESTIONS, 1)][:QUESTIONS]
    for name, filters in FILTERS.items():
        print_row(f"dense, filter {name}", summarize(time_searches(index, vectors, filters)))
        asked = [Question(text, filters) for text in chosen]
        print_row(
            f"both searches, ranked, filter {name}",
            summarize(time_calls(build_calls(retriever, asked))),
        )


def measure_recalls(index: VectorIndex, catalogue: Catalogue, vectors: NearCentres) -> None:
    for name, filters in FILTERS.items():
        print_row(
            f"recall, filter {name}", f"{compute_recall(index, catalogue, vectors, filters):.4f}"
        )


def measure_addition(
    catalogue: Catalogue, retriever: HybridRetriever, vectors: NearCentres
) -> None:
    started = time.perf_counter()
    catalogue.put([build_article("one more", "Zyzzyva was added.", vectors.draw(1), 0)])
    (hit,) = retriever.retrieve(Question("What about Zyzzyva?"), 1).hits
    assert hit.passage.article.id == "one more"
    print_row("add one article, until found by its words", f"{time.perf_counter() - started:.3f} s")
    catalogue.remove(["one more"])


def measure_rebuild(index: VectorIndex, vectors: NearCentres) -> None:
    quiet = time_searches(index, vectors, Filters())
    rebuild = threading.Thread(target=index.rebuild)
    started = time.perf_counter()
    rebuild.start()
    busy: list[float] = []
    while rebuild.is_alive():
        busy += time_searches(index, vectors, Filters(), 20)
        time.sleep(0.2)
    print_row("rebuild while searching", f"{time.perf_counter() - started:.1f} s")
    print_row("search before, Chroma", summarize(quiet))
    print_row("search during it", summarize(busy))


def measure_command(settings: Settings, question: str) -> None:
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
        measure_seconds(lambda: subprocess.run(command, check=False, capture_output=True))
        for _ in range(5)
    ]
    print_row(
        "citewire ask, start to end", f"{sorted(taken)[2]:.2f} s (5 runs, worst {max(taken):.2f})"
    )


def measure_resident(settings: Settings) -> str:
    # In its own process, since run_service lowers the priority of the calling one.
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
    """Serve the archive, ask with every filter from four clients, and print the memory used."""
    asked = [build_request(number, filters) for filters in FILTERS.values() for number in range(8)]
    with run_service(data) as running:
        asyncio.run(warm_up(running, cycle(asked)))
        asyncio.run(run_closed_loop(running, cycle(asked), clients=4, seconds=10))
        # Maintenance frees the memory that questions with filters have used.
        time.sleep(2 * SECONDS_BETWEEN_LOOKS)
        print(f"{running.resident_mib:.0f} MiB, of which {running.own_mib:.0f} are its own")


def build_request(number: int, filters: Filters) -> bytes:
    given = {
        "published_from": filters.published_from and filters.published_from.isoformat(),
        "published_to": filters.published_to and filters.published_to.isoformat(),
        # The service takes at most 50.
        "sources": sorted(filters.sources)[:50],
    }
    question = f"Who was number {number} in history?"
    return json.dumps(
        {"question": question, "filters": {name: value for name, value in given.items() if value}}
    ).encode()


def build_calls(
    retriever: HybridRetriever, asked: list[Question]
) -> Iterator[Callable[[], object]]:
    return ((lambda question=question: retriever.retrieve(question, 20)) for question in asked)


def time_searches(
    index: VectorIndex, vectors: NearCentres, filters: Filters, questions: int = QUESTIONS
) -> list[float]:
    drawn = vectors.draw(questions)
    return time_calls((lambda row=row: index.search(row, CANDIDATES, filters)) for row in drawn)


def compute_recall(
    index: VectorIndex, catalogue: Catalogue, vectors: NearCentres, filters: Filters
) -> float:
    passing = np.flatnonzero(catalogue.columns().passing(filters))
    ids, known = catalogue.vectors(passing.tolist())
    found = total = 0
    for drawn in vectors.draw(30):
        nearest = {ids[at] for at in np.argsort(-(known @ drawn))[:CANDIDATES]}
        found += len(nearest & index.search(drawn, CANDIDATES, filters).keys())
        total += len(nearest)
    return found / max(total, 1)


def time_calls(calls: Iterator[Callable[[], object]]) -> list[float]:
    return [1000 * measure_seconds(call) for call in calls]


def summarize(taken: list[float]) -> str:
    p50, p95, p99 = np.percentile(taken, [50, 95, 99])
    return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms"


def measure_seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def print_row(what: str, figure: str) -> None:
    print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
