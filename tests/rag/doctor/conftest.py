"""A sound data directory, a copy of it, and direct changes to its catalogue."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sound_archive import ARTICLES, Edit

from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.types import Article
from citewire.index.vectors.backends import FolderBackend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.models.model_files import ReadyModel
from citewire.rag.settings import Settings, read_settings


@pytest.fixture(scope="module")
def sound_directory(
    tmp_path_factory: pytest.TempPathFactory,
    encoder_model: ReadyModel,
    encoded: Callable[..., EncodedArticle],
) -> Path:
    """Forty articles and their vector index."""
    data = tmp_path_factory.mktemp("sound")
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(ARTICLES, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    file = data / "catalogue.sqlite3"
    with closing(open_catalogue(file, "create", encoder=encoder_model.identity)) as catalogue:
        catalogue.put(
            encoded(
                Article(f"news/{number:02}.md", f"Ship {number}", f"Ship {number} is in. " * 60),
                vectors[number : number + 1],
            )
            for number in range(ARTICLES)
        )
        index = VectorIndex(data / "vectors", catalogue, FolderBackend())
        index.rebuild()
        index.close()
    return data


@pytest.fixture
def settings(sound_directory: Path, tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    shutil.copytree(sound_directory, data)
    return read_settings(os.environ, data)


@pytest.fixture
def edit(settings: Settings) -> Edit:
    """Changes the catalogue's file directly, past all checks."""

    def run(statement: str) -> None:
        with (
            closing(sqlite3.connect(settings.data / "catalogue.sqlite3")) as connection,
            connection,
        ):
            connection.execute(statement)

    return run
