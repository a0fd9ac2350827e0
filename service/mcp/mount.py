"""The tools' server inside the web application, built at the first request to it.

Its library takes a second and 24 MB, and most services are never asked by a language model.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from citewire.rag.wiring import Pipeline
from citewire.service.http.access_rules import MAX_QUESTION_BYTES
from citewire.service.work.asker import Asker
from citewire.service.work.executor import QuestionExecutor, ReadExecutor

PATH = "/mcp"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An application, and the context within which it answers."""

    app: ASGIApp
    running: AbstractAsyncContextManager[None]


class LazyEndpoint:
    """An application that builds the one which answers at the first request."""

    def __init__(self, build: Callable[[], Endpoint]) -> None:
        self._build = build
        self._building = asyncio.Lock()
        self._app: ASGIApp | None = None
        self._closing = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        async with self._building:
            if self._app is None:
                endpoint = await asyncio.to_thread(self._build)
                ready = asyncio.Event()
                self._keeper = asyncio.create_task(self._keep_running(endpoint, ready))
                self._app = endpoint.app
                await ready.wait()
        await self._app(scope, receive, send)

    async def close(self) -> None:
        """Leave the application's context, if it was ever entered."""
        self._closing.set()
        if self._keeper is not None:
            await self._keeper

    async def _keep_running(self, endpoint: Endpoint, ready: asyncio.Event) -> None:
        # The task that enters the context must leave it, and requests' tasks end before.
        try:
            async with endpoint.running:
                ready.set()
                await self._closing.wait()
        finally:
            # Where entering failed, the application itself reports that it does not run.
            ready.set()


def build_tools(
    pipeline: Pipeline, asker: Asker, questions: QuestionExecutor, reads: ReadExecutor
) -> LazyEndpoint:
    """Return the pipeline's tools."""

    def build() -> Endpoint:
        # Here, so that the library is imported at the first request.
        from citewire.service.mcp.server import build_endpoint, build_mcp_server

        server = build_mcp_server(pipeline, asker, questions, reads)
        app = build_endpoint(server, PATH, MAX_QUESTION_BYTES)
        return Endpoint(app, server.session_manager.run())

    return LazyEndpoint(build)


def build_tools_route(tools: LazyEndpoint) -> Route:
    """Return the tools' route: POST only, since GET would open a stream that nothing uses."""
    return Route(PATH, tools, methods=["POST"])
