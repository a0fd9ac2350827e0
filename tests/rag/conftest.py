"""What the library's tests share: the real models, and small archives with made-up vectors."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from rag.catalogue import Catalogue
from rag.encoder import OnnxEncoder
from rag.model_files import ReadyModel, ready_model
from rag.protocols import Vectors
from rag.reader import OnnxReader
from rag.settings import read_settings
from rag.tables import EncodedArticle
from rag.types import Article, Span

ENCODER = "encoder:made-up"

# A busy machine is slow, not wrong.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def encoder_model() -> ReadyModel:
    configured = read_settings(os.environ)
    return ready_model("encoder", configured.encoder, configured.cache)


@pytest.fixture(scope="session")
def encoder(encoder_model: ReadyModel) -> OnnxEncoder:
    return OnnxEncoder(encoder_model)


@pytest.fixture(scope="session")
def reader() -> OnnxReader:
    configured = read_settings(os.environ)
    return OnnxReader(ready_model("reader", configured.reader, configured.cache))


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue in `tmp_path`."""
    opened = Catalogue(tmp_path / "catalogue.sqlite3", encoder=ENCODER, create=True)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def unit() -> Callable[..., Vectors]:
    """Makes rows of length one from rows of numbers."""

    def build(*rows: Sequence[float]) -> Vectors:
        vectors = np.array(rows, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return build


@pytest.fixture(scope="session")
def encoded(unit: Callable[..., Vectors]) -> Callable[..., EncodedArticle]:
    """Makes an article ready to be stored, one passage of its whole text for each vector."""

    def build(article: Article, vectors: Vectors | None = None) -> EncodedArticle:
        rows = unit((1, 0)) if vectors is None else vectors
        spans = (Span(0, len(article.text)),) * len(rows)
        return EncodedArticle(article, f"/news/{article.id}", spans, rows)

    return build
