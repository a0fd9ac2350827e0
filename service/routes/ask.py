"""The HTTP API: each route is one call of the pipeline."""

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from citewire.index.errors import InvalidInput
from citewire.index.types import Filters, refuse_unstorable
from citewire.rag.types import Question
from citewire.rag.wiring import Pipeline
from citewire.service.http.problems import request_id
from citewire.service.http.streaming import MEDIA_TYPE, EventStream, stream_answer
from citewire.service.wire.answers import (
    Alive,
    ArticleList,
    ArticleOut,
    AskRequest,
    AskResponse,
    Day,
    FiltersIn,
    Problem,
    Ready,
    SourceList,
    SourceOut,
)
from citewire.service.wire.convert import convert_article, convert_record
from citewire.service.wire.events import StreamedEvent
from citewire.service.work.asker import Asker
from citewire.service.work.executor import Reads
from citewire.service.work.snapshots import from_snapshot

MAX_PAGE = 200
MAX_SOURCES = 500
STREAM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/StreamedEvent"}}}}


class ArticleFilters:
    """Which articles are listed."""

    def __init__(
        self,
        published_from: Annotated[Day | None, Query(description="this day or later")] = None,
        published_to: Annotated[Day | None, Query(description="this day or earlier")] = None,
        source: Annotated[list[str], Query(max_length=50, description="one of these sources")] = [],  # noqa: B006
        named: Annotated[str, Query(max_length=400, description="in the title or the id")] = "",
    ) -> None:
        self.published_from = published_from
        self.published_to = published_to
        self.sources = source
        self.named = named

    def filters(self) -> Filters:
        """Return the filters; raise InvalidInput when they contradict each other."""
        refuse_unstorable(self.named, "named")
        return Filters(self.published_from, self.published_to, frozenset(self.sources))


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Document which errors a route answers with, besides those that every route may."""
    documented: dict[int | str, dict[str, object]] = {
        "default": {"model": Problem, "description": "Any other error"}
    }
    return documented | {status: {"model": Problem} for status in statuses}


def build_routes(pipeline: Pipeline, asker: Asker, reads: Reads) -> APIRouter:
    """Return the routes of an opened pipeline."""
    router = APIRouter()
    archive = pipeline.archive

    @router.post(
        "/v1/ask",
        summary="Ask the archive",
        response_model=AskResponse,
        response_model_exclude_none=False,
        responses=problems(400, 413, 415, 422, 429, 503, 504) | {200: STREAM},
    )
    async def ask(request: Request, body: AskRequest) -> AskResponse | EventStream:
        """Answer with verbatim, cited spans, or say that the archive does not.

        With `Accept: text/event-stream`, answer as `/v1/ask/stream` does.
        """
        identity = request_id(request.scope)
        if prefers_stream(request.headers.get("accept", "")):
            return stream_answer(asker, question_of(body), identity)
        return await asker.ask(question_of(body), identity)

    @router.post(
        "/v1/ask/stream",
        summary="Ask the archive, and hear how it comes to its answer",
        response_class=EventStream,
        status_code=200,
        responses=problems(400, 413, 415, 422, 429) | {200: {"model": StreamedEvent}},
    )
    async def ask_stream(request: Request, body: AskRequest) -> EventStream:
        """Answer as server-sent events; the one before the last holds what `/v1/ask` answers.

        A stream that ends without `done` or `error` was cut off.
        """
        return stream_answer(asker, question_of(body), request_id(request.scope))

    @router.get("/v1/articles", summary="List the articles", responses=problems(422, 503))
    async def articles(
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str, Query(max_length=4000)] = "",
        only: Annotated[ArticleFilters, Depends()] = ArticleFilters(),  # noqa: B008
    ) -> ArticleList:
        """Return a page of the archive's articles, in the order of their ids."""
        after, filters = read_cursor(cursor), only.filters()
        records = await reads.run(
            from_snapshot(
                archive,
                lambda snapshot: snapshot.list_articles(
                    after=after, limit=limit + 1, filters=filters, named=only.named
                ),
            )
        )
        page = records[:limit]
        more = write_cursor(page[-1].id) if len(records) > limit else None
        return ArticleList(articles=[convert_record(item) for item in page], next_cursor=more)

    @router.get(
        "/v1/articles/{article_id:path}",
        summary="Read an article",
        responses=problems(404, 503),
    )
    async def article(article_id: str) -> ArticleOut:
        """Return an article's canonical text, to which citations' offsets refer."""
        read = from_snapshot(archive, lambda snapshot: snapshot.article(article_id))
        return convert_article(await reads.run(read))

    @router.get("/v1/sources", summary="List the sources", responses=problems(503))
    async def sources() -> SourceList:
        """Return what `filters.sources` may name."""
        found = await reads.run(
            from_snapshot(archive, lambda snapshot: snapshot.sources(limit=MAX_SOURCES + 1))
        )
        listed = found[:MAX_SOURCES]
        return SourceList(
            sources=[SourceOut(name=item.name, articles=item.articles) for item in listed],
            more=len(found) > MAX_SOURCES,
        )

    @router.get("/health/live", summary="Is the process alive?", responses=problems())
    async def live() -> Alive:
        """Say that the process answers; nothing else is touched."""
        return Alive()

    @router.get("/health/ready", summary="Can questions be answered?", responses=problems(503))
    async def ready() -> Ready:
        """Say that the models are loaded and the archive can be searched, and how large it is."""
        await reads.run(archive.require_answering)
        size, state = await reads.run(
            from_snapshot(archive, lambda snapshot: (snapshot.size, snapshot.state))
        )
        return Ready(articles=size.articles, passages=size.passages, index_version=str(state))

    return router


def question_of(body: AskRequest) -> Question:
    """Return the question that a request asks; raise InvalidInput where it asks none."""
    return Question(body.question, filters_of(body.filters), body.max_answers)


def filters_of(given: FiltersIn) -> Filters:
    """Return the filters of a request; raise InvalidInput where they contradict each other."""
    return Filters(given.published_from, given.published_to, frozenset(given.sources))


def prefers_stream(accept: str) -> bool:
    """Say whether an Accept header names server-sent events, and JSON not before them."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    wanted = [name for name in named if name in ("application/json", MEDIA_TYPE)]
    return wanted[:1] == [MEDIA_TYPE]


def write_cursor(article_id: str) -> str:
    """Return where a page ended, in a form that clients pass back unread."""
    return base64.urlsafe_b64encode(article_id.encode()).decode()


def read_cursor(cursor: str) -> str:
    """Return the article id behind which a page begins; raise InvalidInput for other text."""
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise InvalidInput("cursor: not one that this service gave") from error
