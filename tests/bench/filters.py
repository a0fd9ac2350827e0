"""Latency of searches with filters: `python tests/bench/filters.py SQUAD.json.gz`.

SQuAD's paragraphs are cut into short passages (about 110,000 of the training set), with synthetic
dates, and sources that hold 0.1, 1, 10 and nearly 90 per cent. Vectors are synthetic as well: only
the lexical search and the lexical features are measured on real text. `--data` keeps the archive.
"""

import argparse
import gzip
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.text.analysis import analyze, collect_stems
from citewire.index.text.chunking import PassageSize, split_passages
from citewire.index.types import Article, Filters
from citewire.rag.retrieval.ranking import QueryTerms
from citewire.rag.retrieval.ranking import rank as rank_candidates
from citewire.rag.retrieval.retriever import CANDIDATES_PER_SEARCH

SIZE = PassageSize(170, 0)
FIRST_DAY, DAYS = date(2000, 1, 1), 10_000
SOURCES = ((0.001, "one in 1000"), (0.011, "one in 100"), (0.111, "one in 10"), (1.0, "the rest"))
FILTERS = {
    "none": Filters(),
    **{f"source, {name}": Filters(sources=frozenset({name})) for _, name in SOURCES},
    **{
        f"date, {share:.1%}": Filters(published_from=FIRST_DAY + timedelta(int(DAYS * (1 - share))))
        for share in (0.001, 0.01, 0.1, 0.9)
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--data", type=Path, help="folder that keeps the archive for another run")
    options = parser.parse_args()
    data = json.loads(gzip.decompress(options.file.read_bytes()))["data"]
    asked = [
        item["question"]
        for group in data
        for paragraph in group["paragraphs"]
        for item in paragraph["qas"]
    ]
    chosen = random.Random(2).sample(asked, options.questions)
    with tempfile.TemporaryDirectory() as folder:
        path = (options.data or Path(folder)) / "catalogue.sqlite3"
        began = not path.exists()
        catalogue = open_catalogue(path, "create", encoder="made-up")
        if began:
            fill(catalogue, data)
        measure(catalogue, chosen)
        catalogue.close()


def fill(catalogue: Catalogue, data: Sequence[dict]) -> None:  # type: ignore[type-arg]
    chance, vectors = random.Random(3), np.random.default_rng(3)
    for group in data:
        batch = []
        for number, paragraph in enumerate(group["paragraphs"]):
            text, drawn = paragraph["context"], chance.random()
            source = next(name for most, name in SOURCES if drawn < most)
            published = FIRST_DAY + timedelta(chance.randrange(DAYS))
            spans = split_passages(text, "en", SIZE)
            rows = vectors.standard_normal((len(spans), 8), dtype=np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            article = Article(
                f"{group['title']}/{number}",
                group["title"].replace("_", " "),
                text,
                source,
                published=published,
            )
            batch.append(EncodedArticle(article, "", tuple(spans), rows))
        catalogue.put(batch)


def measure(catalogue: Catalogue, questions: Sequence[str]) -> None:
    lexical = LexicalIndex(catalogue)
    opening = measure_ms(lambda: lexical.search("river", 1, Filters()))
    print(f"{catalogue.counts()[1]} passages; first search {opening:.0f} ms")
    print(f"{'filter':20}{'lexical p50':>12}{'p99':>8}{'and ranking p50':>18}{'p99':>8}  ms")
    for name, filters in FILTERS.items():
        search, both = [], []
        for question in questions:
            search.append(measure_ms(lambda: lexical.search(question, 30, filters)))  # noqa: B023
            both.append(measure_ms(lambda: rank(catalogue, lexical, question, filters)))  # noqa: B023
        figures = [*np.percentile(search, [50, 99]), *np.percentile(both, [50, 99])]
        print("{:20}{:12.1f}{:8.1f}{:18.1f}{:8.1f}".format(name, *figures), flush=True)


def rank(catalogue: Catalogue, lexical: LexicalIndex, question: str, filters: Filters) -> None:
    """Do what the retriever does, but let lexical search propose the candidates of both."""
    with catalogue.reading():
        tokens = analyze(question)
        scored = lexical.score(collect_stems(tokens))
        found = scored.best(2 * CANDIDATES_PER_SEARCH, filters)
        terms = QueryTerms(tokens, scored.idf, scored.expansions)
        matches = terms.match(catalogue.term_vectors(list(found)))
        rank_candidates(terms, matches, dict.fromkeys(found, 0.5), found)


def measure_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
