"""Folders that are hard to make, and an encoder that is easy to run."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest

from citewire.index.embedding import Vector, Vectors

NOBODY = 65534


class HashEncoder:
    """An encoder whose vectors depend on every character and on nothing else."""

    identity = "hash"

    def encode_question(self, text: str) -> Vector:
        digest = hashlib.sha256(text.encode()).digest()
        vector = np.frombuffer(digest, np.uint8).astype(np.float32) - 127.5
        return vector / np.linalg.norm(vector)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.encode_question(text) for text in texts])


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def deep_folder(tmp_path: Path) -> Path:
    """A folder in which one cannot be listed, not even by root: its path is too long."""
    folder = tmp_path / "deep"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("x" * 250, dir_fd=descriptor)
        inner = os.open("x" * 250, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    return folder


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can get at."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def ordinary_user() -> Callable[[], AbstractContextManager[None]]:
    """Makes one an ordinary user for a while: to root, no file is unreadable."""

    @contextmanager
    def being_ordinary() -> Iterator[None]:
        user = os.geteuid()
        os.seteuid(user or NOBODY)
        try:
            yield
        finally:
            os.seteuid(user)

    return being_ordinary
