"""What all tests share: how child processes start, and a Chroma server of one's own."""

import multiprocessing
from collections.abc import Iterator

import pytest
from chroma_run import ChromaRun


def pytest_configure() -> None:
    """Have child processes forked from one that has imported Chroma.

    Hundreds of them write and try an index; each would import it anew, for two seconds. The
    commands that tests run are processes of their own, and start theirs as users' do.
    """
    multiprocessing.set_start_method("forkserver")
    # Each of them also imports the program that it is a child of.
    multiprocessing.set_forkserver_preload(["chromadb", "pytest", "rag.building", "rag.homes"])


@pytest.fixture(scope="session")
def chroma_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaRun]:
    """A server that answers; who stops it starts it again."""
    server = ChromaRun(tmp_path_factory.mktemp("chroma-server"))
    server.start()
    yield server
    server.stop()
