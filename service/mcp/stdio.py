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
from citewire.service.work.executor import QuestionExecutor, ReadExecutor


def serve_tools(settings: Settings) -> None:
    """Answer until standard input ends; raises as open_pipeline_read_only does.

    The tools only read: a service and the tools of other programs may use the archive as well.
    """
    with ExitStack() as stack:
        with print_to_stderr():
            pipeline = stack.enter_context(open_pipeline_read_only(settings))
        stack.enter_context(pipeline.archive.maintenance())
        asyncio.run(answer(pipeline))


async def answer(pipeline: Pipeline) -> None:
    """Answer over standard input and output, which belong to the protocol."""
    questions, reads = QuestionExecutor(), ReadExecutor()
    server = build_mcp_server(pipeline, Asker(pipeline, questions), questions, reads)
    try:
        await server.run_stdio_async()
    finally:
        questions.close()
        reads.close()


@contextmanager
def print_to_stderr() -> Iterator[None]:
    """Redirect standard output to standard error, for child processes as well.

    Standard output belongs to the protocol, and libraries that prepare models print to it. The
    protocol's server does the same while it runs.
    """
    sys.stdout.flush()
    protocol = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(protocol, sys.stdout.fileno())
        os.close(protocol)
