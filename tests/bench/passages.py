"""Quality and cost by passage size: `python tests/bench/passages.py FILE.json.gz… [--questions N]`.

The paragraphs of each article of a SQuAD-format file are joined into one text, as an archive has
it, and split at several sizes. For each size: how often a passage that is read contains the whole
answer, EM and F1 of the best candidate if nothing is refused, and the time of reading. The best
passages are read up to `--characters` in all, so that short ones get no advantage, and at most
`--passages` of them.

    python tests/bench/passages.py squad_dev_v1.1.json.gz
    python tests/bench/passages.py squad_dev_v1.1.json.gz --sizes 320:80 640:160 960:240
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.ingest.embed import encode_articles
from citewire.index.text.chunking import PassageSize
from citewire.index.types import Article
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.answerer import build_candidates
from citewire.rag.evaluation.metrics import exact_match, f1
from citewire.rag.evaluation.squad import SquadExample, read_examples
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.models.model_files import prepare_model
from citewire.rag.query import Query
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.settings import read_settings
from citewire.rag.types import Hit, Question

SIZES = ["240:60", "320:80", "480:120", "640:0", "640:160", "800:200", "1000:250", "1400:350"]
BETWEEN_PARAGRAPHS = "\n\n"


@dataclass(frozen=True)
class PlacedQuestion:
    """A question, its golds, and the place of one: article and offsets there."""

    text: str
    golds: tuple[str, ...]
    article_id: str
    start: int
    end: int


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="CHARACTERS:OVERLAP")
    parser.add_argument("--questions", type=int, default=300, help="random questions of all files")
    parser.add_argument("--articles", type=int, help="at most this many articles of each file")
    parser.add_argument("--characters", type=int, default=5120, help="read for a question, at most")
    parser.add_argument("--passages", type=int, default=24, help="read for a question, at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    articles: dict[str, Article] = {}
    asked: list[PlacedQuestion] = []
    for file in options.files:
        examples = list(read_examples(file))
        titles = list(dict.fromkeys(example.title for example in examples))[: options.articles]
        chosen = [example for example in examples if example.title in set(titles)]
        articles |= join_paragraphs(chosen)
        asked += [place_answer(example, articles) for example in chosen if example.golds]
    asked = random.Random(options.seed).sample(asked, min(options.questions, len(asked)))
    settings = read_settings(os.environ)
    encoder = OnnxEncoder(prepare_model("encoder", settings.encoder, settings.cache))
    reader = OnnxReader(prepare_model("reader", settings.reader, settings.cache))
    print(f"{len(articles)} articles, {len(asked)} questions")
    print(f"{'size':>9} {'passages':>9} {'read':>5} {'found':>6} {'EM':>5} {'F1':>5} {'ms':>5}")
    for size in options.sizes:
        characters, overlap = map(int, size.split(":"))
        row = Row(options.characters, options.passages)
        row.measure(
            list(articles.values()), asked, encoder, reader, PassageSize(characters, overlap)
        )
        print(f"{size:>9} {row}", flush=True)


def join_paragraphs(examples: Sequence[SquadExample]) -> dict[str, Article]:
    """Join the paragraphs of each article, in their order."""
    paragraphs: dict[str, dict[str, None]] = {}
    for example in examples:
        paragraphs.setdefault(example.title, {})[example.context] = None
    return {
        title: Article(title, title, BETWEEN_PARAGRAPHS.join(texts))
        for title, texts in paragraphs.items()
    }


def place_answer(example: SquadExample, articles: dict[str, Article]) -> PlacedQuestion:
    """Place the question's answer in the joined article."""
    gold, article = example.golds[0], articles[example.title]
    start = article.text.index(example.context) + gold.start
    golds = tuple(gold.text for gold in example.golds)
    return PlacedQuestion(example.question, golds, article.id, start, start + len(gold.text))


class Row:
    """The results of one size, as sums over the questions."""

    def __init__(self, characters: int, passages: int) -> None:
        self._characters = characters
        self._most = passages
        self._passages = self._asked = self._read = self._found = 0
        self._exact = self._overlap = self._seconds = 0.0

    def __str__(self) -> str:
        count = self._asked
        return (
            f"{self._passages:>9} {self._read / count:>5.1f} {100 * self._found / count:>6.1f}"
            f" {100 * self._exact / count:>5.1f} {100 * self._overlap / count:>5.1f}"
            f" {1000 * self._seconds / count:>5.0f}"
        )

    def measure(
        self,
        articles: Sequence[Article],
        asked: Sequence[PlacedQuestion],
        encoder: OnnxEncoder,
        reader: OnnxReader,
        size: PassageSize,
    ) -> None:
        """Index the articles at this size and ask all questions."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "catalogue.sqlite3")
            catalogue = open_catalogue(file, "create", encoder=encoder.identity)
            for article in articles:
                catalogue.put(encode_articles({article: article.id}, encoder, size))
            self._passages = catalogue.counts()[1]
            vectors = VectorIndex(Path(folder, "vectors"), catalogue, FolderBackend())
            retriever = HybridRetriever(encoder, EmbeddedArchive(catalogue, vectors))
            for item in asked:
                found = retriever.retrieve(Question(item.text), self._most)
                self._ask(item, self._taken(found.hits), reader)
            catalogue.close()

    def _taken(self, hits: Sequence[Hit]) -> Sequence[Hit]:
        lengths = accumulate(len(hit.passage.text) for hit in hits)
        return hits[: max(1, sum(length <= self._characters for length in lengths))]

    def _ask(self, item: PlacedQuestion, hits: Sequence[Hit], reader: OnnxReader) -> None:
        started = time.perf_counter()
        extracts = reader.read(item.text, hits)
        self._seconds += time.perf_counter() - started
        candidates = build_candidates(Query.from_question(Question(item.text)), extracts)
        best = max(candidates, key=lambda found: found.features.lead, default=None)
        text = best.extracts[0].text if best else ""
        self._asked += 1
        self._read += len(hits)
        self._found += any(is_answer_in(item, hit) for hit in hits)
        self._exact += exact_match(text, item.golds)
        self._overlap += f1(text, item.golds)


def is_answer_in(item: PlacedQuestion, hit: Hit) -> bool:
    """Return whether the passage contains the whole answer at its place."""
    span = hit.passage.span
    return (
        hit.passage.article.id == item.article_id
        and span.start <= item.start
        and item.end <= span.end
    )


if __name__ == "__main__":
    main()
