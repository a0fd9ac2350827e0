"""A small archive that changes by a script: each step is the same in every run.

The encoder is made up, so that hundreds of archives can be made, killed and asked in minutes;
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
from citewire.index.vectors.build import Home
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.types import Question

WORDS = "harbour mayor river bridge storm vote strike rail summit flood museum tariff".split()
QUESTIONS = [
    Question(f"What about the {one} and the {two}?")
    for one, two in zip(WORDS, WORDS[5:] + WORDS[:5], strict=True)
]
ARTICLES = 60
# Building an index takes as long as a hundred other steps.
STEPS_PER_BUILD = 6
REFUSED, DIED = 40, 41
Contents = dict[str, object]


class MadeUpEncoder:
    """Vectors that depend on every character and on nothing else."""

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


def owned(data: Path) -> AbstractContextManager[DataDirectory]:
    """Own a data directory, as far as that can be: one that is read-only is read all the same."""
    directory = DataDirectory(data, command="crash test")
    return nullcontext(directory) if directory.is_read_only else directory


@contextmanager
def opened(data: Path, *, create: bool, home: Home | None = None) -> Iterator[Opened]:
    with owned(data) as directory:
        catalogue = open_catalogue(
            directory.catalogue, "create" if create else "own", encoder=MadeUpEncoder.identity
        )
        vectors = VectorIndex(directory.vectors, catalogue, home)
        try:
            yield Opened(catalogue, vectors)
        finally:
            vectors.close()
            catalogue.close()


def step(archive: Opened, number: int) -> None:
    """Do the script's step: put a few articles, or remove some, in one transaction."""
    chance = random.Random(number)
    if number % 5 == 4:
        archive.catalogue.remove(f"{chance.randrange(ARTICLES)}.md" for _ in range(3))
    else:
        articles = {}
        for identity in chance.sample(range(ARTICLES), 4):
            text = " ".join(chance.choice(WORDS) + "." * (n % 9 == 8) for n in range(300))
            articles[Article(f"{identity}.md", f"{chance.choice(WORDS)} {number}", text)] = "/news"
        encoded = encode_articles(articles, MadeUpEncoder(), PassageSize())
        archive.catalogue.put(encoded)
    if number % STEPS_PER_BUILD == STEPS_PER_BUILD - 1:
        archive.vectors.rebuild()


def contents(archive: Opened) -> Contents:
    """Return all that can be seen: every article, and what is found for every question."""
    retriever = HybridRetriever(
        MadeUpEncoder(), EmbeddedArchive(archive.catalogue, archive.vectors)
    )
    found = [
        [(hit.passage.article.id, hit.passage.text) for hit in retriever.retrieve(question, 5).hits]
        for question in QUESTIONS
    ]
    articles = {name: archive.catalogue.article(name).digest for name in sorted(names(archive))}
    return {"version": archive.catalogue.state().version, "articles": articles, "found": found}


def names(archive: Opened) -> set[str]:
    return set(archive.catalogue.fingerprints())


def seen(data: Path) -> tuple[int, Contents | None]:
    """Look at an archive in a process of its own; return its exit code and what it saw.

    What it sees by scanning and, where the Chroma index is sound, with that must be the same.
    """

    def look(tell: Callable[[str], None]) -> None:
        with opened(data, create=False) as archive:
            before = contents(archive)
            tell(json.dumps(before))
            if archive.vectors.open_chroma() and contents(archive) != before:
                tell("other answers with Chroma")

    code, text = in_process(look)
    if code != 0:
        return code, None
    first, *others = text.splitlines()
    return code, {"others": others} if others else json.loads(first)


def scanned(data: Path) -> tuple[int, Contents | None]:
    """Look at an archive as `seen` does, without trying its Chroma index."""

    def look(tell: Callable[[str], None]) -> None:
        with opened(data, create=False) as archive:
            tell(json.dumps(contents(archive)))

    code, text = in_process(look)
    return code, json.loads(text) if code == 0 else None


def undisturbed(twin: Path, done: int, version: int) -> Contents | None:
    """Do the script's steps from `done` on, up to the version; return what is seen then."""

    def work(tell: Callable[[str], None]) -> None:
        with opened(twin, create=True) as archive:
            for number in range(done, version):
                step(archive, number)
            tell(json.dumps(contents(archive)))

    code, text = in_process(work)
    return json.loads(text) if code == 0 else None


def killed_after(data: Path, done: int, version: int) -> None:
    """Do the script's steps from `done` on, up to the version, and die without closing."""

    def work(tell: Callable[[str], None]) -> None:
        with opened(data, create=True) as archive:
            for number in range(done, version):
                step(archive, number)
            os.kill(os.getpid(), signal.SIGKILL)

    code, _ = in_process(work)
    assert code == -signal.SIGKILL


def in_process(work: Callable[[Callable[[str], None]], None]) -> tuple[int, str]:
    """Run in a forked child; return its exit code (negative: the signal), and what it told."""
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
        told = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told
