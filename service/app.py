"""The web application: an opened library as an HTTP API and a chat page."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from rag.wiring import Library
from service import problems
from service.article_routes import build_article_routes
from service.courtesy import CourteousEncoder
from service.guard import LOOPBACK_HOSTS, Door, Drain, Guard
from service.inference import Inference, Reads
from service.keys import OPEN, Keyring
from service.observing import Observer
from service.quote_routes import build_quote_routes
from service.routes import build_routes
from service.writing import Writer, free_bytes_at

STATIC = Path(__file__).parent / "static"
DESCRIPTION = (
    "Answers questions over a news archive with the exact words of its articles. Every citation's"
    " `start` and `end` are offsets, in Unicode code points, into the text that"
    " `/v1/articles/{id}` returns. Errors are problem details (RFC 9457)."
)


class Application(FastAPI):
    """FastAPI, except that errors are documented in the media type that they come in."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document; it is made once."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    # What succeeds is JSON, or nothing at all.
                    if not status.startswith("2"):
                        response["content"] = {
                            problems.MEDIA_TYPE: response["content"]["application/json"]
                        }
        return document


def build_app(
    library: Library,
    *,
    keys: Keyring = OPEN,
    hosts: frozenset[str] = LOOPBACK_HOSTS,
    drain: Drain | None = None,
    free_bytes: Callable[[Path], int] = free_bytes_at,
) -> ASGIApp:
    """Return the application; `hosts` are the names that it answers to.

    Once `drain` has begun it says that it is not ready, and answers what still comes.
    """
    inference = Inference()
    reads = Reads()
    archive = library.archive

    def asking() -> bool:
        return inference.running + inference.waiting > 0

    writer = Writer(archive.catalogue, CourteousEncoder(archive.encoder, asking), free_bytes)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        inference.close()
        writer.close()
        reads.close()

    app = Application(
        title="Citewire",
        version=version("citewire"),
        description=DESCRIPTION,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from elsewhere; /openapi.json is all we serve.
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.include_router(build_routes(library, inference, reads))
    app.include_router(build_quote_routes(library, reads))
    app.include_router(build_article_routes(library, reads, writer))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    door = Door(hosts, keys, full=lambda: inference.full, drain=drain or Drain())
    return Observer(Guard(app, door))
