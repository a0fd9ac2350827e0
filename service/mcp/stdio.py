"""The archive's tools on standard input and output, for a program that starts Citewire itself."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from citewire.rag.settings import Settings
from citewire.rag.wiring import Pipeline, open_pipeline_read_only
from citewire.service.mcp.server import build_mcp_server
from citewire.service.work.asker import Asker
from citewire.service.work.executor import Inference, Reads


def serve_tools(settings: Settings) -> None:
    """Answer until standard input ends; raises as open_pipeline_read_only does.

    The tools only read: a service or another program's tools may use the archive meanwhile.
    """
    with ExitStack() as stack:
        with output_kept_clean():
            pipeline = stack.enter_context(open_pipeline_read_only(settings))
        stack.enter_context(pipeline.archive.maintenance())
        asyncio.run(answer(pipeline))


async def answer(pipeline: Pipeline) -> None:
    """Answer over standard input and output, which the protocol has to itself."""
    inference, reads = Inference(), Reads()
    server = build_mcp_server(pipeline, Asker(pipeline, inference), inference, reads)
    try:
        await server.run_stdio_async()
    finally:
        inference.close()
        reads.close()


@contextmanager
def output_kept_clean() -> Iterator[None]:
    """Send to standard error whatever is printed meanwhile, by child processes as well.

    Models may be made ready, by libraries that tell of it. The protocol's server does the same
    from its beginning to its end.
    """
    sys.stdout.flush()
    wire = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(wire, sys.stdout.fileno())
        os.close(wire)
