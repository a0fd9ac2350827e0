"""With the real models and indexes, every quote is its article's text."""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.text.chunking import PassageSize, build_encoder_text, split_passages
from citewire.index.types import Article
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.answerer import Answerer
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.reading.calibration import UNCALIBRATED
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.types import Answers, Citation, NoAnswer, Question

WORDS = """
Jose\u0301 Zu\u0308rich nai\u0308ve Müller Łódź Ångström ﬁnance oﬃce ﬂood ½ № ﷺ ǅ İstanbul ß
👩\u200d👩\u200d👧 👍🏽 ❤\ufe0f 🇫🇷 日本語 ภาษาไทย हिन्दी שלום \u202eabc\u202c a\u0300\u0301\u0302
U.S. $1.5 million 39 people Dr. Ruiz Park Jin met Antony Blinken in Seoul on Thursday , “said” —
the the bridge bridge opened 1894 because of rain …
""".split()
ENDS = [". ", "! ", "? ", ".\n\n", "\n", ", ", ".” "]
sentences = st.builds(
    lambda words, end: " ".join(words) + end,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=15),
    st.sampled_from(ENDS),
)
repeated = st.builds(lambda sentence, times: sentence * times, sentences, st.integers(1, 30))
# A canonical text has neither control characters nor carriage returns.
loose = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)
bodies = (
    st.lists(st.one_of(repeated, sentences, loose), min_size=1, max_size=6)
    .map(lambda parts: "".join(parts).strip())
    .filter(str.strip)
)
questions = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(
        lambda words: " ".join(words) + "?"
    ),
    loose.filter(str.strip),
)


@st.composite
def archives(draw: st.DrawFn) -> list[Article]:
    texts = draw(st.lists(bodies, min_size=1, max_size=3))
    return [Article(f"{number}.md", "A title", text) for number, text in enumerate(texts)]


def store(catalogue: Catalogue, encoder: OnnxEncoder, articles: Sequence[Article]) -> None:
    for article in articles:
        spans = tuple(split_passages(article.text, article.language, PassageSize()))
        vectors = encoder.encode_passages([build_encoder_text(article, span) for span in spans])
        catalogue.put([EncodedArticle(article, f"/news/{article.id}", spans, vectors)])


def ask(
    articles: Sequence[Article],
    question: str,
    threshold: float,
    models: tuple[OnnxEncoder, OnnxReader],
) -> Answers | NoAnswer:
    encoder, reader = models
    calibration = replace(UNCALIBRATED, threshold=threshold, relevance=-1.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        catalogue = open_catalogue(path / "catalogue.sqlite3", "create", encoder=encoder.identity)
        with (
            closing(catalogue),
            closing(VectorIndex(path / "vectors", catalogue, FolderBackend())) as vectors,
        ):
            store(catalogue, encoder, articles)
            vectors.rebuild()
            retriever = HybridRetriever(encoder, EmbeddedArchive(catalogue, vectors))
            return Answerer(retriever, reader, calibration).answer(Question(question))


def assert_verbatim(citation: Citation, articles: Sequence[Article]) -> None:
    quoted = citation.span
    (article,) = [each for each in articles if each.id == citation.article.id]
    assert article.text[quoted.start : quoted.end] == citation.text
    assert citation.text.strip()
    assert citation.context.start <= quoted.start < quoted.end <= citation.context.end
    assert citation.text in citation.context.of(article.text)


@pytest.fixture(scope="module")
def models(encoder: OnnxEncoder, reader: OnnxReader) -> tuple[OnnxEncoder, OnnxReader]:
    return encoder, reader


@settings(max_examples=15)
@given(archives(), questions)
@example(
    [Article("0.md", "A title", "Jose\u0301 met Zoe\u0308\u0301 👩\u200d🚀. " * 60)], "Who met Zoë?"
)
def test_every_answer_is_verbatim(
    models: tuple[OnnxEncoder, OnnxReader], articles: list[Article], question: str
) -> None:
    result = ask(articles, question, 0.0, models)
    if isinstance(result, NoAnswer):
        # Only an archive without any word has nothing to quote.
        assert result.closest == ()
        return
    for answer in result.answers:
        assert answer.text == answer.citations[0].text
        for citation in answer.citations:
            assert_verbatim(citation, articles)


@settings(max_examples=15)
@given(archives(), questions)
@example(
    [Article("0.md", "A title", "Jose\u0301 met Zoe\u0308\u0301 👩\u200d🚀. " * 60)], "Who met Zoë?"
)
def test_every_closest_quote_is_verbatim(
    models: tuple[OnnxEncoder, OnnxReader], articles: list[Article], question: str
) -> None:
    result = ask(articles, question, 1.0, models)
    assert isinstance(result, NoAnswer)
    for closest in result.closest:
        assert_verbatim(closest.citation, articles)
