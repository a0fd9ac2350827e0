"""Retrieval quality, recall and MRR: `python tests/bench/retrieval.py FILE… --questions FILE`.

Archives are SQuAD files (.json.gz; each paragraph is one passage) or articles as `citewire
index` reads them (.jsonl; cut as usual). Questions are a SQuAD file's own, or lines with
`question`, `answers`, `article_id` and `start`. The table has a row for dense and lexical search,
their plain mean, and the retriever's ranking.

    python tests/bench/retrieval.py squad_dev_v1.1.json.gz
    python tests/bench/retrieval.py squad_dev_v1.1.json.gz squad_train_v2_reconstructed.json.gz
    python tests/bench/retrieval.py news.jsonl --questions news_dev_questions.jsonl

`--fit` fits the weights of rag/retrieval/ranking.py to the questions instead, and prints them.
Encodings are kept under `--cache`, so that a second run takes a minute or two.
"""

import argparse
import hashlib
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from corpora import GoldQuestion, read_articles, read_questions

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vectors
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.text.analysis import analyze, collect_stems
from citewire.index.text.chunking import PassageSize, build_encoder_text, split_passages
from citewire.index.types import EVERY_ARTICLE, Article, Span
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.models.model_files import prepare_model
from citewire.rag.retrieval.ranking import WEIGHTS, QueryTerms, RankingFeatures, scale
from citewire.rag.retrieval.retriever import CANDIDATES_PER_SEARCH, HybridRetriever
from citewire.rag.settings import read_settings
from citewire.rag.types import Question

# Hits of each search.
DEPTH = 100


class CachingEncoder:
    """Caches an encoder's vectors in a folder."""

    def __init__(self, encoder: OnnxEncoder, folder: Path) -> None:
        self.identity = encoder.identity
        self._encoder = encoder
        self._folder = folder
        self._questions: dict[str, Any] = {}

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        key = hashlib.sha256("\0".join([self.identity, *texts]).encode()).hexdigest()[:16]
        file = self._folder / f"{key}.npy"
        if not file.exists():
            parts = [
                self._encoder.encode_passages(texts[first : first + 1000])
                for first in range(0, len(texts), 1000)
            ]
            np.save(file, np.concatenate(parts))
        return np.load(file)

    def prepare_questions(self, questions: Sequence[str]) -> None:
        self._questions = dict(zip(questions, self.encode_passages(questions), strict=True))

    def encode_question(self, text: str) -> Any:
        return self._questions[text]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("archive", nargs="+", type=Path)
    parser.add_argument("--questions", type=Path, help="default: those of the first archive")
    parser.add_argument("--sample", type=int, default=3000, help="at most this many questions")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "citewire-bench"
    )
    parser.add_argument("--groups", type=int, help="at most this many of SQuAD's articles")
    parser.add_argument("--fit", action="store_true", help="fit the weights to the questions")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    articles = [item for file in options.archive for item in read_articles(file, options.groups)]
    known = {article.id for article in articles}
    asked = [
        item
        for item in read_questions(options.questions or options.archive[0])
        if item.article_id in known
    ]
    if len(asked) > options.sample:
        asked = random.Random(5).sample(asked, options.sample)
    with open_bench(articles, asked, options.cache) as bench:
        print(f"{bench.passages} passages, {len(asked)} questions", flush=True)
        if options.fit:
            print(bench.fit_weights(asked))
        else:
            bench.print_table(asked)


@dataclass
class Bench:
    """An archive with the parts of its retriever."""

    catalogue: Catalogue
    vectors: VectorIndex
    encoder: CachingEncoder
    passages: int
    golds: dict[str, list[tuple[Span, int]]]

    def find_golds(self, item: GoldQuestion) -> set[int]:
        """Return the passages that contain the answer's first character."""
        return {
            passage
            for span, passage in self.golds[item.article_id]
            if span.start <= item.start < span.end
        }

    def print_table(self, asked: Sequence[GoldQuestion]) -> None:
        lexical = LexicalIndex(self.catalogue)
        retriever = HybridRetriever(self.encoder, EmbeddedArchive(self.catalogue, self.vectors))
        ranks: dict[str, list[int]] = {"dense": [], "lexical": [], "plain mean": [], "ranked": []}
        times = []
        for item in asked:
            golds = self.find_golds(item)
            vector = self.encoder.encode_question(item.text)
            cosines = self.vectors.search(vector, DEPTH, EVERY_ARTICLE)
            scored = lexical.score(collect_stems(analyze(item.text)))
            bm25 = scored.best(DEPTH, EVERY_ARTICLE)
            both = cosines | self.vectors.compute_similarities(
                vector, [passage for passage in bm25 if passage not in cosines]
            )
            began = time.perf_counter()
            found = retriever.retrieve(Question(item.text), CANDIDATES_PER_SEARCH).hits
            times.append(1000 * (time.perf_counter() - began))
            lists = (
                list(cosines),
                list(bm25),
                rank_by_mean(both, scored.of(both)),
                [hit.passage.id for hit in found],
            )
            for name, order in zip(ranks, lists, strict=True):
                ranks[name].append(find_rank(golds, order))
        print(f"{'':12}{'R@1':>8}{'R@5':>8}{'R@20':>8}{'MRR':>8}")
        for name, each in ranks.items():
            row = np.array(each)
            recalls = "".join(f"{np.mean(row <= depth):8.4f}" for depth in (1, 5, 20))
            print(f"{name:12}{recalls}{np.mean(1 / row):8.4f}")
        p50, p99 = np.percentile(times, [50, 99])
        print(f"search without encoding the question: p50 {p50:.1f} ms, p99 {p99:.1f} ms")

    def fit_weights(self, asked: Sequence[GoldQuestion]) -> RankingFeatures:
        """Fit the weights by softmax regression: the right passage among its candidates."""
        lexical = LexicalIndex(self.catalogue)
        examples = [
            example for item in asked if (example := self.build_example(item, lexical)) is not None
        ]
        weights = np.ones(len(WEIGHTS))
        for step in range(400):
            gradient = 1e-4 * weights
            for right, signals in examples:
                logits = signals @ weights
                likely = np.exp(logits - logits.max())
                likely /= likely.sum()
                gradient += (likely @ signals - signals[right]) / len(examples)
            weights -= 20.0 * gradient / (1 + step / 200)
        return RankingFeatures(*(round(float(weight), 2) for weight in weights))

    def build_example(self, item: GoldQuestion, lexical: LexicalIndex) -> tuple[int, Any] | None:
        vector = self.encoder.encode_question(item.text)
        near = self.vectors.search(vector, CANDIDATES_PER_SEARCH, EVERY_ARTICLE)
        scored = lexical.score(collect_stems(analyze(item.text)))
        worded = scored.best(CANDIDATES_PER_SEARCH, EVERY_ARTICLE)
        both = near | self.vectors.compute_similarities(
            vector, [passage for passage in worded if passage not in near]
        )
        order = list(both)
        right = find_rank(self.find_golds(item), order) - 1
        if right >= len(order):
            return None
        bm25 = scored.of(order)
        tops = max(both.values()), max(bm25.values())
        terms = QueryTerms(analyze(item.text), scored.idf, scored.expansions)
        matches = terms.match(self.catalogue.term_vectors(order))
        rows = [
            terms.features(
                matches[passage],
                cosine=scale(both[passage], tops[0]),
                bm25=scale(bm25[passage], tops[1]),
            )
            for passage in order
        ]
        return right, np.array(rows)


def find_rank(golds: set[int], order: Sequence[int]) -> int:
    """Return the rank, from 1, of the first right passage; 10⁹ if there is none."""
    return next((place for place, each in enumerate(order, 1) if each in golds), 10**9)


def rank_by_mean(cosines: dict[int, float], bm25: dict[int, float]) -> list[int]:
    tops = max(cosines.values(), default=0), max(bm25.values(), default=0)
    return sorted(
        cosines,
        key=lambda each: -(scale(cosines[each], tops[0]) + scale(bm25[each], tops[1])),
    )


@contextmanager
def open_bench(
    articles: Sequence[Article], asked: Sequence[GoldQuestion], cache: Path
) -> Iterator[Bench]:
    settings = read_settings(os.environ)
    model = prepare_model("encoder", settings.encoder, settings.cache)
    encoder = CachingEncoder(OnnxEncoder(model), cache)
    encoder.prepare_questions(list(dict.fromkeys(item.text for item in asked)))
    paragraphs = [article.source is None for article in articles]
    cuts = [
        [Span(0, len(article.text))] if whole else split_passages(article.text, "en", PassageSize())
        for article, whole in zip(articles, paragraphs, strict=True)
    ]
    texts = [
        build_encoder_text(article, span)
        for article, spans in zip(articles, cuts, strict=True)
        for span in spans
    ]
    rows = encoder.encode_passages(texts)
    with tempfile.TemporaryDirectory() as folder:
        catalogue = open_catalogue(Path(folder) / "c.sqlite3", "create", encoder=model.identity)
        batch, golds, first, last_id = [], {}, 0, 0
        for article, spans in zip(articles, cuts, strict=True):
            batch.append(
                EncodedArticle(article, "", tuple(spans), rows[first : first + len(spans)])
            )
            first += len(spans)
        unique = {item.article.id: item for item in batch}
        catalogue.put(unique.values())
        for item in unique.values():
            golds[item.article.id] = [
                (span, last_id + place) for place, span in enumerate(item.spans, start=1)
            ]
            last_id += len(item.spans)
        vectors = VectorIndex(Path(folder) / "vectors", catalogue, FolderBackend())
        yield Bench(catalogue, vectors, encoder, last_id, golds)
        vectors.close()
        catalogue.close()


if __name__ == "__main__":
    main()
