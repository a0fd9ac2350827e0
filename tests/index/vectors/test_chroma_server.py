"""The vector index on a real Chroma server, which also goes away and comes back."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from exact_search import ALL, ENCODER, QUESTIONS, WIRE, Encode, article, random_rows

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.errors import ReadOnlyArchive, VectorServerAway
from citewire.index.types import Filters
from citewire.index.vectors.backends import (
    FolderBackend,
    ReadOnlyBackend,
    ServerBackend,
    open_backend,
)
from citewire.index.vectors.checks import check_index
from citewire.index.vectors.chroma import IndexBroken
from citewire.index.vectors.chroma_server import ChromaServer
from citewire.index.vectors.maintenance import Maintenance
from citewire.index.vectors.manifest import build_prefix
from citewire.index.vectors.server_address import ServerAddress, read_address
from citewire.index.vectors.vector_index import VectorIndex

LATE = Filters(published_from=date(2024, 1, 1))


def found(index: VectorIndex, filters: Filters = ALL) -> list[dict[int, float]]:
    return [index.search(question, 5, filters) for question in QUESTIONS]


def ids(results: list[dict[int, float]]) -> list[list[int]]:
    return [list(each) for each in results]


def within(seconds: float, condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def address(chroma_run: Any) -> ServerAddress:
    return read_address(chroma_run.url)


@pytest.fixture
def server(address: ServerAddress) -> Iterator[ChromaServer]:
    opened = ChromaServer(address)
    yield opened
    opened.close()


@pytest.fixture
def filled(catalogue: Catalogue, encoded: Encode) -> Catalogue:
    """Two articles of 300 and 200 passages."""
    catalogue.put([encoded(article("a"), random_rows(300, seed=2))])
    catalogue.put(
        [encoded(article("b", "Desk", published=date(2024, 5, 1)), random_rows(200, seed=3))]
    )
    return catalogue


@pytest.fixture
def index(filled: Catalogue, tmp_path: Path, address: ServerAddress) -> Iterator[VectorIndex]:
    """An index on the server, built and verified."""
    with (
        open_backend(address) as backend,
        closing(VectorIndex(tmp_path / "served", filled, backend)) as opened,
    ):
        opened.rebuild()
        assert opened.open_chroma()
        yield opened


def collections(server: ChromaServer, catalogue: Catalogue) -> list[str]:
    return server.list_collections(build_prefix(catalogue.state().archive_id))


# -- as in a folder


def test_it_finds_what_an_index_in_a_folder_finds(
    filled: Catalogue, index: VectorIndex, encoded: Encode, tmp_path: Path
) -> None:
    with closing(VectorIndex(tmp_path / "folder", filled, FolderBackend())) as embedded:
        embedded.rebuild()
        assert embedded.open_chroma()
        results = [(found(index, only), found(embedded, only)) for only in (ALL, WIRE, LATE)]
        filled.put([encoded(article("new"), QUESTIONS[:3])])
        filled.remove(["a"])
        results += [(found(index, only), found(embedded, only)) for only in (ALL, WIRE, LATE)]
    for on_server, in_folder in results:
        assert ids(on_server) == ids(in_folder)
        for one, other in zip(on_server, in_folder, strict=True):
            assert list(one.values()) == pytest.approx(list(other.values()), abs=1e-5)


def test_a_replica_goes_on_when_the_owner_has_just_removed_the_generation_that_it_verifies(
    filled: Catalogue, index: VectorIndex, tmp_path: Path, address: ServerAddress
) -> None:
    expected = found(index)
    with (
        open_backend(address) as backend,
        closing(VectorIndex(tmp_path / "served", filled, ReadOnlyBackend(backend))) as replica,
    ):
        (folder,) = tmp_path.glob("served/generation-*")
        shutil.rmtree(folder)
        assert not replica.open_chroma()
        assert ids(found(replica)) == ids(expected)
        index.rebuild()
        replica.refresh()
        assert replica.open_chroma()
        assert ids(found(replica)) == ids(expected)


def test_no_vectors_are_kept_beside_the_catalogue(index: VectorIndex, tmp_path: Path) -> None:
    files = {path.name for path in (tmp_path / "served").rglob("*") if path.is_file()}
    assert files == {"current.json", "ids.npy"}


def test_a_rebuild_leaves_one_collection_of_this_archive_and_those_of_others(
    filled: Catalogue, index: VectorIndex, server: ChromaServer
) -> None:
    server.call(lambda client: client.get_or_create_collection("citewire-other-archive"))
    (before,) = collections(server, filled)
    index.rebuild()
    (after,) = collections(server, filled)
    assert before != after
    assert server.list_collections("citewire-other") == ["citewire-other-archive"]


def test_a_built_index_is_found_again(
    filled: Catalogue, index: VectorIndex, tmp_path: Path, address: ServerAddress
) -> None:
    with (
        open_backend(address) as backend,
        closing(VectorIndex(tmp_path / "served", filled, backend)) as again,
    ):
        assert (again.indexed_rows, again.scanned_rows()) == (500, 0)
        assert ids(found(again)) == ids(found(index))


def test_an_archive_can_move_to_a_server_and_back(
    filled: Catalogue, tmp_path: Path, server: ChromaServer
) -> None:
    results = []
    for backend in (FolderBackend(), ServerBackend(server), FolderBackend()):
        with closing(VectorIndex(tmp_path / "vectors", filled, backend)) as opened:
            assert opened.indexed_rows == 0
            results.append(ids(found(opened)))
            opened.rebuild()
            results.append(ids(found(opened)))
    assert results == [results[0]] * 6


def test_an_index_that_the_server_lost_is_replaced_by_scans_until_it_is_rebuilt(
    filled: Catalogue, index: VectorIndex, server: ChromaServer
) -> None:
    expected = ids(found(index))
    (name,) = collections(server, filled)
    server.delete_collection(name)
    assert ids(found(index)) == expected
    with Maintenance.for_owner(index, filled):
        assert within(120, lambda: index.uses_chroma)
        assert ids(found(index)) == expected
    (other,) = collections(server, filled)
    assert other != name


def test_a_collection_with_other_passages_is_found_out(
    filled: Catalogue, index: VectorIndex, server: ChromaServer, tmp_path: Path
) -> None:
    (name,) = collections(server, filled)

    def swap(client: Any) -> None:
        collection = client.get_collection(name, embedding_function=None)
        collection.delete(ids=["1"])
        collection.add(ids=["900"], embeddings=QUESTIONS[:1])

    server.call(swap)
    (finding,) = check_index(tmp_path / "served", filled, ServerBackend(server))
    assert "does not hold the passages that it was built from" in finding


# -- away


def test_a_server_that_goes_away_is_an_error_until_it_is_back(
    filled: Catalogue, index: VectorIndex, chroma_run: Any
) -> None:
    expected = ids(found(index))
    chroma_run.stop()
    try:
        with pytest.raises(VectorServerAway, match=r"127\.0\.0\.1:\d+: .* does not answer"):
            index.search(QUESTIONS[0], 5, ALL)
        with pytest.raises(VectorServerAway):
            index.require_answering()
        with pytest.raises(VectorServerAway, match="all articles are stored"):
            index.rebuild()
        assert not index.uses_chroma
    finally:
        chroma_run.start()
    with Maintenance.for_owner(index, filled):
        assert within(60, lambda: index.uses_chroma)
    assert ids(found(index)) == expected


def test_a_call_that_fails_once_is_retried(server: ChromaServer) -> None:
    failures = [httpx.ReadError("cut off"), httpx.ConnectError("refused")]

    def work(client: Any) -> int:
        if failures:
            raise failures.pop()
        return int(client.heartbeat())

    assert server.call(work) > 0
    assert not failures


def test_a_server_that_was_away_a_moment_ago_is_not_waited_for(
    server: ChromaServer,
) -> None:
    calls = []

    def work(client: Any) -> None:
        calls.append(client)
        raise httpx.ConnectError("refused")

    for _ in range(2):
        with pytest.raises(VectorServerAway):
            server.call(work)
    assert len(calls) == 3


def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        silent = ChromaServer(ServerAddress("127.0.0.1", listening.getsockname()[1]), seconds=0.5)
        with pytest.raises(VectorServerAway, match="timed out"):
            silent.call(lambda client: client.heartbeat())


def test_another_server_is_not_taken_for_chroma() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for _ in range(3):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        threading.Thread(target=answer, daemon=True).start()
        address = ServerAddress("127.0.0.1", listening.getsockname()[1])
        with pytest.raises(VectorServerAway, match="no Chroma server"):
            ChromaServer(address).call(lambda client: client.heartbeat())


def test_a_missing_collection_does_not_mean_that_the_server_is_away(server: ChromaServer) -> None:
    with pytest.raises(IndexBroken):
        server.call(lambda client: client.get_collection("none-such", embedding_function=None))
    assert server.answers


# -- as a reader


@pytest.fixture
def read_only(
    index: VectorIndex, filled: Catalogue, tmp_path: Path, address: ServerAddress
) -> Iterator[tuple[VectorIndex, Catalogue]]:
    """The same archive, opened for reading only."""
    with (
        closing(open_catalogue(filled.path, "read-only", encoder=ENCODER)) as catalogue,
        open_backend(address) as backend,
        closing(VectorIndex(tmp_path / "served", catalogue, ReadOnlyBackend(backend))) as opened,
    ):
        yield opened, catalogue


def test_a_reader_sees_every_change_and_the_next_generation(
    filled: Catalogue,
    index: VectorIndex,
    encoded: Encode,
    read_only: tuple[VectorIndex, Catalogue],
) -> None:
    reading, _ = read_only
    assert ids(found(reading)) == ids(found(index))
    filled.put([encoded(article("new"), QUESTIONS[:3])])
    assert ids(found(reading)) == ids(found(index))
    index.rebuild()
    # Its collection is gone now.
    assert ids(found(reading)) == ids(found(index))
    assert reading.indexed_rows == 503
    filled.remove(["b"])
    with Maintenance.for_replica(reading):
        index.rebuild()
        assert within(60, lambda: reading.indexed_rows == 303 and reading.uses_chroma)


def test_a_reader_changes_nothing(
    filled: Catalogue, encoded: Encode, read_only: tuple[VectorIndex, Catalogue]
) -> None:
    reading, catalogue = read_only
    with pytest.raises(ReadOnlyArchive):
        reading.rebuild()
    with pytest.raises(ReadOnlyArchive):
        catalogue.put([encoded(article("c"), QUESTIONS[:1])])
    with pytest.raises(ReadOnlyArchive):
        catalogue.remove(["a"])
    assert filled.counts() == (2, 500)
