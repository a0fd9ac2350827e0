"""What all tests share: how child processes start, the real models, and small archives."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from chroma_run import ChromaRun
from hypothesis import HealthCheck, settings

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Vectors
from citewire.index.types import Article, Span
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.models.model_files import ReadyModel, prepare_model
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.settings import read_settings

ENCODER = "encoder:made-up"


# A busy machine is slow, not wrong.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure() -> None:
    """Have child processes forked from one that has imported Chroma.

    Hundreds of them write and try an index; each would import it anew, for two seconds. The
    commands that tests run are processes of their own, and start theirs as users' do.
    """
    multiprocessing.set_start_method("forkserver")
    # Each of them also imports the program that it is a child of.
    multiprocessing.set_forkserver_preload(
        ["chromadb", "pytest", "citewire.index.vectors.build", "citewire.index.vectors.backends"]
    )


@pytest.fixture(scope="session")
def chroma_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaRun]:
    """A server that answers; who stops it starts it again."""
    server = ChromaRun(tmp_path_factory.mktemp("chroma-server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def encoder_model() -> ReadyModel:
    configured = read_settings(os.environ)
    return prepare_model("encoder", configured.encoder, configured.cache)


@pytest.fixture(scope="session")
def encoder(encoder_model: ReadyModel) -> OnnxEncoder:
    return OnnxEncoder(encoder_model)


@pytest.fixture(scope="session")
def reader() -> OnnxReader:
    configured = read_settings(os.environ)
    return OnnxReader(prepare_model("reader", configured.reader, configured.cache))


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue in `tmp_path`."""
    opened = open_catalogue(tmp_path / "catalogue.sqlite3", "create", encoder=ENCODER)
    yield opened
    opened.close()


@pytest.fixture
def archive(catalogue: Catalogue, tmp_path: Path) -> Iterator[EmbeddedArchive]:
    """An archive of the catalogue, without a vector index until one is built."""
    with (
        closing(VectorIndex(tmp_path / "vectors", catalogue, FolderBackend())) as vectors,
        closing(EmbeddedArchive(catalogue, vectors)) as opened,
    ):
        yield opened


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
