"""A pipeline without models: a real catalogue of five articles, and configured answers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vector, Vectors
from citewire.index.types import Article, Span
from citewire.rag.query import Query
from citewire.rag.retriever_protocol import Retrieval, ScoredHit, SearchScores
from citewire.rag.types import (
    Answer,
    Answers,
    Citation,
    Closest,
    Hit,
    NoAnswer,
    Question,
    Reason,
    Searched,
)
from citewire.service.app import build_app

HARBOUR = Article(
    id="news/harbour.md",
    title="Harbour opens",
    text="🎉 Party time. Mayor Ada Quill opened the harbour on Thursday. It rained.",
    source="Tideline",
    url="https://example.org/harbour",
    published=date(2023, 11, 9),
    author="Ines Calloway",
)
BARE = Article(id="bare", title="Bare", text="Ada Quill spoke.")
SEARCHED = Searched(5, 5, "abc-1", retrieve_ms=1.26, read_ms=2.5)


class OnesEncoder:
    """An encoder that gives all texts the same vector."""

    identity = "none"

    def __init__(self) -> None:
        self.before: Callable[[], object] = lambda: None

    def encode_question(self, text: str) -> Vector:
        return self.encode_passages([text])[0]

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.before()
        return np.ones((len(texts), 4), np.float32)


class StubAnswerer:
    """Records questions, and answers each by calling `reply`."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.reply: Callable[[Question], Answers | NoAnswer] = make_answers

    def answer(
        self, question: Question, watcher: Callable[[Sequence[Hit]], None] = lambda hits: None
    ) -> Answers | NoAnswer:
        self.asked.append(question)
        watcher([])
        return self.reply(question)


class StubRetriever:
    """Records questions, and calls `reply`, which finds the first passages of a real catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.asked: list[tuple[Question, int]] = []
        self.reply: Callable[[Question, int], Retrieval] = self._first
        self._catalogue = catalogue

    def retrieve(self, question: Question, limit: int) -> Retrieval:
        self.asked.append((question, limit))
        return self.reply(question, limit)

    def _first(self, question: Question, limit: int) -> Retrieval:
        scores = SearchScores(cosine=0.51234567, bm25=7.25, dense_rank=3, lexical_rank=None)
        passages = self._catalogue.passages([1, 2])
        found = [
            ScoredHit(Hit(passages[each], score=1 / each, similarity=0.51234567), scores)
            for each in passages
        ]
        return Retrieval(Query.from_question(question), tuple(found[:limit]), 5, 5, "abc-1", 1.26)


def make_citation(article: Article, quote: str, sentence: str) -> Citation:
    """A citation of the quote in its sentence."""
    start, first = article.text.index(quote), article.text.index(sentence)
    span, context = Span(start, start + len(quote)), Span(first, first + len(sentence))
    return Citation(article, span, context)


def make_answers(question: Question) -> Answers:
    """One answer, from two articles."""
    sentence = "Mayor Ada Quill opened the harbour on Thursday."
    citations = (
        make_citation(HARBOUR, "Mayor Ada Quill", sentence),
        make_citation(BARE, "Ada Quill", "Ada Quill spoke."),
    )
    return Answers(question, (Answer("Mayor Ada Quill", 0.91237, citations),), SEARCHED)


def make_no_answer(question: Question) -> NoAnswer:
    """No answer, and one passage that comes close."""
    closest = Closest(make_citation(BARE, "spoke", "Ada Quill spoke."), 0.12345)
    return NoAnswer(question, Reason.NOT_ANSWERED, (closest,), SEARCHED)


@pytest.fixture
def answered() -> Answers:
    return make_answers(Question("Who opened it?"))


@pytest.fixture
def not_answered() -> NoAnswer:
    return make_no_answer(Question("Who opened it?"))


@pytest.fixture
def cite() -> Callable[[Article, str, str], Citation]:
    return make_citation


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    opened = open_catalogue(tmp_path / "catalogue.sqlite3", "create", encoder="none")
    others = [Article(f"news/{name}.md", name, f"{name} text") for name in ("a", "b", "ü & ?#%")]
    opened.put(
        EncodedArticle(
            article, "nowhere", (Span(0, len(article.text)),), np.ones((1, 4), np.float32)
        )
        for article in [HARBOUR, BARE, *others]
    )
    yield opened
    opened.close()


@pytest.fixture
def answerer() -> StubAnswerer:
    return StubAnswerer()


@dataclass
class StubPipeline:
    """The parts of a pipeline that the service uses."""

    archive: EmbeddedArchive
    encoder: OnesEncoder
    answerer: StubAnswerer
    retriever: StubRetriever
    models: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def pipeline(catalogue: Catalogue, answerer: StubAnswerer) -> StubPipeline:
    vectors = SimpleNamespace(require_answering=lambda: None)
    archive = EmbeddedArchive(catalogue, vectors)  # type: ignore[arg-type]
    return StubPipeline(archive, OnesEncoder(), answerer, StubRetriever(catalogue))


@pytest.fixture
def serve(pipeline: StubPipeline) -> Iterator[Callable[..., TestClient]]:
    """Starts the service; its client sends requests as a browser on this machine would."""
    with ExitStack() as stack:

        def begin(**options: Any) -> TestClient:
            app = build_app(pipeline, **options)
            client: AbstractContextManager[TestClient] = TestClient(
                app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False
            )
            return stack.enter_context(client)

        yield begin


@pytest.fixture
def client(serve: Callable[[], TestClient]) -> TestClient:
    return serve()
