"""The tools' server inside the web application, made when the first language model speaks to it.

Its library takes a second and twenty-four megabytes, and most services are never asked that way.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from citewire.rag.wiring import Pipeline
from citewire.service.work.asker import Asker
from citewire.service.work.executor import Inference, Reads

PATH = "/mcp"


@dataclass(frozen=True, slots=True)
class Built:
    """What answers requests, while `running` is entered."""

    app: ASGIApp
    running: AbstractAsyncContextManager[None]


class Tools:
    """An application that builds what answers its requests at the first of them."""

    def __init__(self, build: Callable[[], Built]) -> None:
        self._build = build
        self._building = asyncio.Lock()
        self._app: ASGIApp | None = None
        self._closing = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        async with self._building:
            if self._app is None:
                built = await asyncio.to_thread(self._build)
                ready = asyncio.Event()
                self._keeper = asyncio.create_task(self._keep(built, ready))
                self._app = built.app
                await ready.wait()
        await self._app(scope, receive, send)

    async def close(self) -> None:
        """End what answers, if that was ever built."""
        self._closing.set()
        if self._keeper is not None:
            await self._keeper

    async def _keep(self, built: Built, ready: asyncio.Event) -> None:
        # It must be left by the task that has entered it, and requests' tasks end before.
        try:
            async with built.running:
                ready.set()
                await self._closing.wait()
        finally:
            # Whoever waits is told what is wrong by the application, which does not run.
            ready.set()


def tools_of(
    pipeline: Pipeline, asker: Asker, inference: Inference, reads: Reads, max_body_bytes: int
) -> Tools:
    """Return the library's tools."""

    def build() -> Built:
        # Here, to be imported when it is needed.
        from citewire.service.mcp.server import build_mcp_server, endpoint_of

        server = build_mcp_server(pipeline, asker, inference, reads)
        app = endpoint_of(server, PATH, max_body_bytes)
        return Built(app, server.session_manager.run())

    return Tools(build)


def route_to(tools: Tools) -> Route:
    """Return the tools' route. By GET a stream would be opened and stay, for nothing."""
    return Route(PATH, tools, methods=["POST"])
