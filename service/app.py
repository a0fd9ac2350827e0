"""The web application: an opened library as an HTTP API and a chat page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from rag.wiring import Library
from service import problems
from service.guard import LOOPBACK_HOSTS, Guard
from service.inference import Inference
from service.routes import build_routes

STATIC = Path(__file__).parent / "static"
MAX_BODY_BYTES = 64 * 1024
DESCRIPTION = (
    "Answers questions over a news archive with the exact words of its articles. Every citation's"
    " `start` and `end` are offsets, in Unicode code points, into the text that"
    " `/v1/articles/{id}` returns. Errors are problem details (RFC 9457)."
)


def build_app(
    library: Library, *, api_key: str | None = None, hosts: frozenset[str] = LOOPBACK_HOSTS
) -> ASGIApp:
    """Return the application; `hosts` are the names that it answers to."""
    inference = Inference()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        inference.close()

    app = FastAPI(
        title="Citewire",
        version=version("citewire"),
        description=DESCRIPTION,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from elsewhere; /openapi.json is all we serve.
        docs_url=None,
        redoc_url=None,
        max_body_size=MAX_BODY_BYTES,
    )
    problems.install(app)
    app.include_router(build_routes(library, inference))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    return Guard(app, hosts, api_key)
