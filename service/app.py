"""The web application: an opened archive as an HTTP API and a chat page."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from citewire.index.archive.protocol import Snapshot
from citewire.rag.wiring import Pipeline
from citewire.service.auth.keys import OPEN, Keyring
from citewire.service.auth.sessions import Sessions
from citewire.service.http import problems
from citewire.service.http.guard import LOOPBACK_HOSTS, AccessPolicy, Drain, Guard
from citewire.service.http.request_log import RequestLog
from citewire.service.http.streaming import MEDIA_TYPE as EVENTS
from citewire.service.mcp.mount import build_tools, build_tools_route
from citewire.service.openai import errors as openai_errors
from citewire.service.openai.routes import build_openai_routes
from citewire.service.routes.articles import build_article_routes, build_overview_routes
from citewire.service.routes.ask import build_ask_routes
from citewire.service.routes.changes import build_removal_routes, build_store_routes
from citewire.service.routes.chat import build_chat_routes
from citewire.service.routes.health import build_health_routes
from citewire.service.routes.quotes import build_evidence_routes, build_quote_routes
from citewire.service.routes.search import build_search_routes
from citewire.service.routes.sessions import build_session_routes
from citewire.service.work.asker import Asker
from citewire.service.work.cached_answerer import CachedAnswerer
from citewire.service.work.executor import QuestionExecutor, ReadExecutor
from citewire.service.work.metrics import CONTENT_TYPE, Metrics
from citewire.service.work.snapshots import from_snapshot
from citewire.service.work.writer import Writer
from citewire.service.work.yielding_encoder import YieldingEncoder

STATIC = Path(__file__).parent / "static"
DESCRIPTION = (
    "Answers questions over a news archive with the exact words of its articles. Every citation's"
    " `start` and `end` are offsets, in Unicode code points, into the text that"
    " `/v1/articles/{id}` returns. Errors are problem details (RFC 9457). `/v1/models` and"
    " `/v1/chat/completions` are those of OpenAI's API, which describes them."
)


class Application(FastAPI):
    """FastAPI, except that its description gives errors and events the media types they have."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document; it is made once."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    correct_media_type(status, response)
        for schema in document["components"]["schemas"].values():
            fields = schema.get("properties", {})
            if fields.keys() == {"event", "data"}:
                fields["data"] = describe_as_text(fields["data"])
        return document


def correct_media_type(status: str, response: dict[str, Any]) -> None:
    """Correct the description of a response where FastAPI's differs from the response."""
    if not status.startswith("2"):
        (shape,) = response["content"].values()
        response["content"] = {problems.MEDIA_TYPE: shape}
    elif EVENTS in response.get("content", {}):
        # FastAPI adds that they are a string.
        response["content"][EVENTS]["schema"].pop("type", None)


def describe_as_text(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an event's data as they are sent: JSON, in a line of text."""
    content = {name: value for name, value in schema.items() if name != "default"}
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": content}


class Service:
    """An opened pipeline with all that its routes share."""

    def __init__(self, pipeline: Pipeline, keys: Keyring) -> None:
        self.metrics = Metrics()
        self.questions = QuestionExecutor(on_begin=self.metrics.observe_wait)
        self.reads = ReadExecutor()
        self.sessions = Sessions(keys)
        self.pipeline = cache_answers(pipeline, self.metrics)
        self.asker = Asker(self.pipeline, self.questions)
        self.tools = build_tools(self.pipeline, self.asker, self.questions, self.reads)
        encoder = YieldingEncoder(pipeline.encoder, lambda: self.questions.is_busy)
        self.writer = Writer(pipeline.archive, encoder)

    async def close(self) -> None:
        """End the work in progress, and drop the work that waits."""
        await self.tools.close()
        self.questions.close()
        self.writer.close()
        self.reads.close()


def cache_answers(pipeline: Pipeline, metrics: Metrics) -> Pipeline:
    """Return the pipeline with an answerer that keeps and counts its results."""
    answerer = CachedAnswerer(pipeline.answerer.answer, pipeline.archive, metrics)
    return replace(pipeline, answerer=answerer)


def show_state(service: Service) -> None:
    """Add gauges of the queue and the archive to the metrics."""
    metrics, questions = service.metrics, service.questions
    metrics.show_models(service.pipeline.models)
    metrics.show_state("questions_running", "Being answered.", lambda: questions.running)
    metrics.show_state("questions_waiting", "Waiting for their turn.", lambda: questions.waiting)
    values: dict[str, tuple[str, Callable[[Snapshot], int]]] = {
        "articles": ("In the archive.", lambda snapshot: snapshot.size.articles),
        "passages": ("In the archive.", lambda snapshot: snapshot.size.passages),
        "index_version": ("Grows.", lambda snapshot: snapshot.state.version),
    }
    for name, (meaning, read) in values.items():
        metrics.show_state(name, meaning, from_snapshot(service.pipeline.archive, read))


def build_app(
    pipeline: Pipeline,
    *,
    keys: Keyring = OPEN,
    hosts: frozenset[str] = LOOPBACK_HOSTS,
    drain: Drain | None = None,
) -> ASGIApp:
    """Return the application; `hosts` are the names that it answers to.

    Once `drain` has begun it reports that it is not ready, and still answers. Where the archive
    was opened read-only, changes are refused before their bodies are read.
    """
    service = Service(pipeline, keys)
    show_state(service)
    app = build_application(service)
    policy = AccessPolicy(
        hosts,
        keys,
        service.sessions,
        is_full=lambda: service.questions.is_full,
        drain=drain or Drain(),
        read_only=pipeline.archive.read_only,
        has_route=lambda scope: problems.has_route(app, scope),
    )
    return RequestLog(Guard(app, policy), service.metrics)


def build_application(service: Service) -> FastAPI:
    """Return the application without its guard and its request log."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, object]]:
        yield {problems.SHAPES: openai_errors.SHAPES}
        await service.close()

    app = Application(
        title="Citewire",
        version=version("citewire"),
        description=DESCRIPTION,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from other hosts; only /openapi.json is served.
        docs_url=None,
        redoc_url=None,
        # Redirects would lead from TLS to plain HTTP behind a proxy, and are documented nowhere.
        redirect_slashes=False,
    )
    problems.install(app)
    for router in build_routers(service):
        app.include_router(router)
    app.router.routes.append(build_tools_route(service.tools))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def build_routers(service: Service) -> Iterator[APIRouter]:
    """Yield the routes of each resource."""
    archive, reads = service.pipeline.archive, service.reads
    yield build_ask_routes(service.asker)
    yield build_chat_routes(service.asker)
    yield build_openai_routes(service.asker)
    yield build_search_routes(service.pipeline, service.questions)
    yield build_quote_routes(archive, reads)
    yield build_evidence_routes(archive, reads)
    yield build_article_routes(archive, reads)
    yield build_overview_routes(archive, reads)
    yield build_store_routes(service.writer)
    yield build_removal_routes(archive, reads)
    yield build_health_routes(archive, reads)
    yield build_session_routes(service.sessions)
    yield build_page_routes(service)


def build_page_routes(service: Service) -> APIRouter:
    """Return the routes of the chat page and the metrics."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def show_page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @router.get("/metrics")
    async def show_metrics() -> Response:
        return Response(await service.reads.run(service.metrics.render), media_type=CONTENT_TYPE)

    return router
