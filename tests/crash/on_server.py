"""Processes that are killed while they build an index on a Chroma server."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from archive import Contents, Opened, contents, in_process, opened
from chroma_run import ChromaRun
from mending import killed_at

from citewire.index.vectors.backends import ServerHome
from citewire.index.vectors.manifest import read_manifest
from citewire.index.vectors.server_address import ServerAddress, read_address


def faults_on_server(point: str, base: Path, expected: Contents | None, data: Path) -> list[str]:
    """Kill what builds the archive's second index on a server; nothing may have come of it.

    `expected` is what the archive holds and finds.
    """
    shutil.copytree(base, data)

    def on_server(work: Callable[[Opened], object]) -> Callable[[Callable[[str], None]], None]:
        def open_and_work(tell: Callable[[str], None]) -> None:
            with opened(data, create=False, home=ServerHome(address())) as archive:
                tell(json.dumps(work(archive)))

        return open_and_work

    # Not in the processes that are killed.
    address()
    in_process(on_server(lambda archive: archive.vectors.rebuild()))
    _, faults = killed_at(point, on_server(lambda archive: archive.vectors.rebuild()))
    if faults:
        return faults
    code, told = in_process(on_server(contents))
    if code != 0 or json.loads(told) != expected:
        faults.append(f"finds something else than before ({code})")
    code, told = in_process(on_server(collections_after_rebuilding))
    if code != 0 or json.loads(told):
        faults.append(f"leaves collections behind: {told} ({code})")
    return faults


def collections_after_rebuilding(archive: Opened) -> list[str]:
    """Build an index once more; return the collections that belong to none."""
    archive.vectors.rebuild()
    (manifest,) = archive.catalogue.path.parent.glob("vectors/current.json")
    generation = read_manifest(manifest)
    assert generation is not None
    return ServerHome(address()).strays(generation)


@cache
def address() -> ServerAddress:
    """Start a Chroma server, once; return where it listens."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    server = ChromaRun(Path(folder.name))
    atexit.register(server.stop)
    server.start()
    return read_address(server.url)
