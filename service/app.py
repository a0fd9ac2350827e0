"""The web application: an opened archive as an HTTP API and a chat page."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from citewire.index.archive.protocol import Snapshot
from citewire.rag.answerer import Answerer
from citewire.rag.wiring import Pipeline
from citewire.service.auth.keys import OPEN, Keyring
from citewire.service.auth.sessions import Sessions
from citewire.service.http import problems
from citewire.service.http.access_rules import MAX_QUESTION_BYTES
from citewire.service.http.guard import LOOPBACK_HOSTS, Door, Drain, Guard
from citewire.service.http.request_log import Observer
from citewire.service.http.streaming import MEDIA_TYPE as EVENTS
from citewire.service.mcp.mount import route_to, tools_of
from citewire.service.openai import errors as openai_errors
from citewire.service.openai.routes import build_openai_routes
from citewire.service.routes.articles import build_article_routes
from citewire.service.routes.ask import build_routes
from citewire.service.routes.chat import build_chat_routes
from citewire.service.routes.quotes import build_quote_routes
from citewire.service.routes.search import build_search_routes
from citewire.service.routes.sessions import build_session_routes
from citewire.service.work.asker import Asker
from citewire.service.work.cached_answerer import RecordingAnswerer
from citewire.service.work.executor import Inference, Reads
from citewire.service.work.metrics import CONTENT_TYPE, Metrics
from citewire.service.work.snapshots import from_snapshot
from citewire.service.work.writer import Writer
from citewire.service.work.yielding_encoder import CourteousEncoder

STATIC = Path(__file__).parent / "static"
DESCRIPTION = (
    "Answers questions over a news archive with the exact words of its articles. Every citation's"
    " `start` and `end` are offsets, in Unicode code points, into the text that"
    " `/v1/articles/{id}` returns. Errors are problem details (RFC 9457). `/v1/models` and"
    " `/v1/chat/completions` are those of OpenAI's API, which describes them."
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
                    # What succeeds comes in the media type that its route says.
                    if not status.startswith("2"):
                        (shape,) = response["content"].values()
                        response["content"] = {problems.MEDIA_TYPE: shape}
                    elif EVENTS in response.get("content", {}):
                        # FastAPI takes them for mere text as well.
                        response["content"][EVENTS]["schema"].pop("type", None)
        for schema in document["components"]["schemas"].values():
            fields = schema.get("properties", {})
            if fields.keys() == {"event", "data"}:
                fields["data"] = as_sent(fields["data"])
        return document


def as_sent(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an event's data as they are sent: JSON, in a line of text."""
    content = {name: value for name, value in schema.items() if name != "default"}
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": content}


def recording(pipeline: Pipeline, metrics: Metrics) -> Pipeline:
    """Return the pipeline with an answerer that remembers and counts what it answers."""
    answerer = RecordingAnswerer(pipeline.answerer.answer, pipeline.archive, metrics)
    # It answers like the one that the pipeline is annotated with.
    return replace(pipeline, answerer=cast(Answerer, answerer))


def show(metrics: Metrics, pipeline: Pipeline, inference: Inference) -> None:
    """Let the metrics tell of what changes without an event."""
    metrics.show_models(pipeline.models)
    metrics.show_state("questions_running", "Being answered.", lambda: inference.running)
    metrics.show_state("questions_waiting", "Waiting for their turn.", lambda: inference.waiting)
    values: dict[str, tuple[str, Callable[[Snapshot], int]]] = {
        "articles": ("In the archive.", lambda snapshot: snapshot.size.articles),
        "passages": ("In the archive.", lambda snapshot: snapshot.size.passages),
        "index_version": ("Grows.", lambda snapshot: snapshot.state.version),
    }
    for name, (meaning, read) in values.items():
        metrics.show_state(name, meaning, from_snapshot(pipeline.archive, read))


def build_app(
    pipeline: Pipeline,
    *,
    keys: Keyring = OPEN,
    hosts: frozenset[str] = LOOPBACK_HOSTS,
    drain: Drain | None = None,
) -> ASGIApp:
    """Return the application; `hosts` are the names that it answers to.

    Once `drain` has begun it says that it is not ready, and answers what still comes. Where the
    archive was opened for reading alone, changes are refused before their bodies are read.
    """
    metrics = Metrics()
    inference = Inference(on_begin=metrics.waited)
    reads = Reads()
    sessions = Sessions(keys)
    pipeline = recording(pipeline, metrics)
    show(metrics, pipeline, inference)

    def asking() -> bool:
        return inference.running + inference.waiting > 0

    asker = Asker(pipeline, inference)
    tools = tools_of(pipeline, asker, inference, reads, MAX_QUESTION_BYTES)
    writer = Writer(pipeline.archive, CourteousEncoder(pipeline.encoder, asking))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, object]]:
        yield {problems.SHAPES: openai_errors.SHAPES}
        await tools.close()
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
        # They would lead from TLS to plain HTTP behind a proxy, and are documented nowhere.
        redirect_slashes=False,
    )
    problems.install(app)
    app.include_router(build_routes(pipeline, asker, reads))
    app.include_router(build_chat_routes(asker))
    app.include_router(build_openai_routes(asker))
    app.include_router(build_search_routes(pipeline, inference))
    app.include_router(build_quote_routes(pipeline, reads))
    app.include_router(build_article_routes(pipeline, reads, writer))
    app.include_router(build_session_routes(sessions))
    app.router.routes.append(route_to(tools))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/metrics", include_in_schema=False)
    async def measured() -> Response:
        return Response(await reads.run(metrics.text), media_type=CONTENT_TYPE)

    door = Door(
        hosts,
        keys,
        sessions,
        full=lambda: inference.full,
        drain=drain or Drain(),
        read_only=pipeline.archive.read_only,
        takes=lambda scope: problems.has_route(app, scope),
    )
    return Observer(Guard(app, door), metrics)
