"""Kills of processes that build a vector index on a Chroma server."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from archive import Contents, Opened, open_archive, read_contents, run_in_process
from chroma_run import ChromaRun
from mending import run_until_killed

from citewire.index.vectors.backends import open_backend
from citewire.index.vectors.chroma_server import ChromaServer, find_orphans
from citewire.index.vectors.manifest import read_manifest
from citewire.index.vectors.server_address import ServerAddress, read_address


def check_server_build(point: str, base: Path, expected: Contents | None, data: Path) -> list[str]:
    """Kill the build of the archive's second index on a server; it must leave no trace.

    `expected` are the archive's contents.
    """
    shutil.copytree(base, data)

    def on_server(work: Callable[[Opened], object]) -> Callable[[Callable[[str], None]], None]:
        def open_and_work(report: Callable[[str], None]) -> None:
            with (
                open_backend(start_server()) as backend,
                open_archive(data, create=False, backend=backend) as archive,
            ):
                report(json.dumps(work(archive)))

        return open_and_work

    # Started here, not in the processes that are killed.
    start_server()
    run_in_process(on_server(lambda archive: archive.vectors.rebuild()))
    _, faults = run_until_killed(point, on_server(lambda archive: archive.vectors.rebuild()))
    if faults:
        return faults
    code, reports = run_in_process(on_server(read_contents))
    if code != 0 or json.loads(reports) != expected:
        faults.append(f"finds something else than before ({code})")
    code, reports = run_in_process(on_server(list_orphans_after_rebuild))
    if code != 0 or json.loads(reports):
        faults.append(f"leaves collections behind: {reports} ({code})")
    return faults


def list_orphans_after_rebuild(archive: Opened) -> list[str]:
    """Build an index once more; return the collections that belong to no index."""
    archive.vectors.rebuild()
    (manifest,) = archive.catalogue.path.parent.glob("vectors/current.json")
    generation = read_manifest(manifest)
    assert generation is not None
    with closing(ChromaServer(start_server())) as server:
        return find_orphans(server, generation)


@cache
def start_server() -> ServerAddress:
    """Start a Chroma server once; return its address."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    server = ChromaRun(Path(folder.name))
    atexit.register(server.stop)
    server.start()
    return read_address(server.url)
