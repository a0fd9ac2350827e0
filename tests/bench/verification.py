"""Latency of verifying quotes in an archive of many passages.

    python tests/bench/verification.py news.jsonl [passages]

The archive is made of the file's articles, each many times with some words replaced. Nothing is
encoded: no model takes part.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.text.chunking import PassageSize, split_passages
from citewire.index.types import Article, Span
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.quotes.verification import Verifier

QUOTES = 300


def main() -> None:
    """Measure, and print a table."""
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    texts = [json.loads(line)["text"].strip() for line in lines]
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        catalogue = open_catalogue(Path(folder, "catalogue.sqlite3"), "create", encoder="none")
        stored: list[str] = []
        catalogue.put(generate_articles(texts, wanted, chance, stored))
        print(f"{catalogue.counts()[1]} passages of {len(stored)} articles")
        vectors = VectorIndex(Path(folder, "vectors"), catalogue, FolderBackend())
        verifier = Verifier(EmbeddedArchive(catalogue, vectors))
        print("quote                      p50 ms  p95 ms  max ms  statuses")
        for name, make in KINDS.items():
            measure(name, verifier, [make(chance.choice(stored), chance) for _ in range(QUOTES)])
        catalogue.close()


def generate_articles(
    texts: list[str], wanted: int, chance: random.Random, stored: list[str]
) -> Iterator[EncodedArticle]:
    """Yield variants of the texts until there are as many passages as wanted."""
    vocabulary = sorted({word for text in texts for word in text.split()})
    count = 0
    while count < wanted:
        words = chance.choice(texts).split(" ")
        for place in range(0, len(words), 12):
            words[place] = chance.choice(vocabulary)
        text = " ".join(words)
        spans: tuple[Span, ...] = tuple(split_passages(text, "en", PassageSize()))
        count += len(spans)
        stored.append(text)
        article = Article(f"a-{len(stored)}", "T", text)
        yield EncodedArticle(article, "", spans, np.ones((len(spans), 2), np.float32))


def cut_quote(text: str, chance: random.Random, characters: int) -> str:
    """Return a random part of the text."""
    start = chance.randrange(max(len(text) - characters, 1))
    return text[start : start + characters].strip() or text


def replace_word(text: str, chance: random.Random) -> str:
    """Return a random part of the text with one word replaced."""
    words = cut_quote(text, chance, 120).split()
    words[len(words) // 2] = "otherwise"
    return " ".join(words)


Make = Callable[[str, random.Random], str]
KINDS: dict[str, Make] = {
    "sentence, 120 characters": lambda text, chance: cut_quote(text, chance, 120),
    "long, 1,500 characters": lambda text, chance: cut_quote(text, chance, 1500),
    "one wrong word": replace_word,
    "short, 20 characters": lambda text, chance: cut_quote(text, chance, 20),
    "pieces of words (scan)": lambda text, chance: cut_quote(text, chance, 12) + "qz",
}


def measure(name: str, verifier: Verifier, quotes: list[str]) -> None:
    """Verify the quotes and print a line of the table."""
    times, statuses = [], []
    for quote in quotes:
        began = time.perf_counter()
        statuses.append(str(verifier.verify(quote).status))
        times.append(1000 * (time.perf_counter() - began))
    p50, p95 = np.percentile(times, [50, 95])
    counts = ", ".join(f"{statuses.count(each)} {each}" for each in dict.fromkeys(statuses))
    print(f"{name:<26}{p50:>7.1f}{p95:>8.1f}{max(times):>8.1f}  {counts}")


if __name__ == "__main__":
    main()
