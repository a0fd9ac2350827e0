"""A small archive that changes by a deterministic script of steps.

The encoder is a fake, so that hundreds of archives can be made, killed and searched in minutes;
catalogue, indexes and retriever are the real ones.
"""

import hashlib
import json
import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.data_directory import DataDirectory
from citewire.index.embedding import Vector, Vectors
from citewire.index.errors import NotUsable
from citewire.index.ingest.embed import encode_articles
from citewire.index.text.chunking import PassageSize
from citewire.index.types import Article
from citewire.index.vectors.backend import Backend
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.types import Question

WORDS = "harbour mayor river bridge storm vote strike rail summit flood museum tariff".split()
QUESTIONS = [
    Question(f"What about the {one} and the {two}?")
    for one, two in zip(WORDS, WORDS[5:] + WORDS[:5], strict=True)
]
ARTICLES = 60
# Every sixth step builds the vector index: a build takes as long as a hundred other steps.
STEPS_PER_BUILD = 6
# Exit codes of forked children: the archive refused to open, or an unexpected error.
REFUSED, DIED = 40, 41
# The version of an archive, the digest of each article, and the hits of each question.
Contents = dict[str, object]
IN_FOLDERS = FolderBackend()


class HashEncoder:
    """Encodes a text as a random vector seeded by its hash."""

    identity = "encoder:made-up"

    def encode_question(self, text: str) -> Vector:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).normal(size=32).astype(np.float32)
        return vector / np.linalg.norm(vector)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.encode_question(text) for text in texts])


@dataclass(frozen=True)
class Opened:
    catalogue: Catalogue
    vectors: VectorIndex


def own(data: Path) -> AbstractContextManager[DataDirectory]:
    """Lock a data directory; a read-only one is read without a lock."""
    directory = DataDirectory(data, command="crash test")
    return nullcontext(directory) if directory.is_read_only else directory


@contextmanager
def open_archive(data: Path, *, create: bool, backend: Backend = IN_FOLDERS) -> Iterator[Opened]:
    with own(data) as directory:
        catalogue = open_catalogue(
            directory.catalogue, "create" if create else "own", encoder=HashEncoder.identity
        )
        vectors = VectorIndex(directory.vectors, catalogue, backend)
        try:
            yield Opened(catalogue, vectors)
        finally:
            vectors.close()
            catalogue.close()


def run_step(archive: Opened, number: int) -> None:
    """Run one step of the script: put or remove a few articles in one transaction."""
    chance = random.Random(number)
    if number % 5 == 4:
        archive.catalogue.remove(f"{chance.randrange(ARTICLES)}.md" for _ in range(3))
    else:
        articles = {}
        for identity in chance.sample(range(ARTICLES), 4):
            text = " ".join(chance.choice(WORDS) + "." * (n % 9 == 8) for n in range(300))
            articles[Article(f"{identity}.md", f"{chance.choice(WORDS)} {number}", text)] = "/news"
        encoded = encode_articles(articles, HashEncoder(), PassageSize())
        archive.catalogue.put(encoded)
    if number % STEPS_PER_BUILD == STEPS_PER_BUILD - 1:
        archive.vectors.rebuild()


def read_contents(archive: Opened) -> Contents:
    """Return version, articles and the hits of all questions."""
    retriever = HybridRetriever(HashEncoder(), EmbeddedArchive(archive.catalogue, archive.vectors))
    found = [
        [(hit.passage.article.id, hit.passage.text) for hit in retriever.retrieve(question, 5).hits]
        for question in QUESTIONS
    ]
    articles = {
        name: archive.catalogue.article(name).digest for name in sorted(list_names(archive))
    }
    return {"version": archive.catalogue.state().version, "articles": articles, "found": found}


def list_names(archive: Opened) -> set[str]:
    return set(archive.catalogue.known_after("", 10_000))


def inspect(data: Path) -> tuple[int, Contents | None]:
    """Read an archive in its own process; return the exit code and the contents.

    Searching by scan and, if the Chroma index is sound, by Chroma must find the same.
    """

    def look(report: Callable[[str], None]) -> None:
        with open_archive(data, create=False) as archive:
            before = read_contents(archive)
            report(json.dumps(before))
            if archive.vectors.open_chroma() and read_contents(archive) != before:
                report("other answers with Chroma")

    code, text = run_in_process(look)
    if code != 0:
        return code, None
    first, *others = text.splitlines()
    return code, {"others": others} if others else json.loads(first)


def inspect_by_scan(data: Path) -> tuple[int, Contents | None]:
    """Read an archive as `inspect` does, without opening its Chroma index."""

    def look(report: Callable[[str], None]) -> None:
        with open_archive(data, create=False) as archive:
            report(json.dumps(read_contents(archive)))

    code, text = run_in_process(look)
    return code, json.loads(text) if code == 0 else None


def run_undisturbed(twin: Path, done: int, version: int) -> Contents | None:
    """Run the script from step `done` up to the version; return the contents."""

    def work(report: Callable[[str], None]) -> None:
        with open_archive(twin, create=True) as archive:
            for number in range(done, version):
                run_step(archive, number)
            report(json.dumps(read_contents(archive)))

    code, text = run_in_process(work)
    return json.loads(text) if code == 0 else None


def run_and_die(data: Path, done: int, version: int) -> None:
    """Run the script from step `done` up to the version, and die without closing."""

    def work(report: Callable[[str], None]) -> None:
        with open_archive(data, create=True) as archive:
            for number in range(done, version):
                run_step(archive, number)
            os.kill(os.getpid(), signal.SIGKILL)

    code, _ = run_in_process(work)
    assert code == -signal.SIGKILL


def run_in_process(work: Callable[[Callable[[str], None]], None]) -> tuple[int, str]:
    """Run in a forked child; return its exit code (negative: a signal) and its reports."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = DIED
        try:
            with open(writing, "w", encoding="utf-8") as stream:  # noqa: PTH123  # by its number
                work(lambda text: print(text, file=stream, flush=True))
            code = 0
        except NotUsable as error:
            print(f"  refused: {error}", flush=True)
            code = REFUSED
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, encoding="utf-8") as stream:  # noqa: PTH123  # by its number
        reports = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), reports
