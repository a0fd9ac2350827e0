"""The routes of questions: an answer in one piece, or as a stream."""

from fastapi import APIRouter, Request

from citewire.rag.types import Question
from citewire.service.http.problems import get_request_id
from citewire.service.http.streaming import MEDIA_TYPE, EventStream, stream_answer
from citewire.service.routes.documentation import document_problems
from citewire.service.wire.answers import AskRequest, AskResponse
from citewire.service.wire.events import StreamedEvent
from citewire.service.work.asker import Asker

STREAM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/StreamedEvent"}}}}


def build_ask_routes(asker: Asker) -> APIRouter:
    """Return the routes that answer a question."""
    router = APIRouter()

    @router.post(
        "/v1/ask",
        summary="Ask the archive",
        response_model=AskResponse,
        response_model_exclude_none=False,
        responses=document_problems(400, 413, 415, 422, 429, 503, 504) | {200: STREAM},
    )
    async def ask(request: Request, body: AskRequest) -> AskResponse | EventStream:
        """Answer with verbatim, cited spans, or say that the archive does not.

        With `Accept: text/event-stream`, answer as `/v1/ask/stream` does.
        """
        request_id = get_request_id(request.scope)
        if prefers_stream(request.headers.get("accept", "")):
            return stream_answer(asker, build_question(body), request_id)
        return await asker.ask(build_question(body), request_id)

    @router.post(
        "/v1/ask/stream",
        summary="Ask the archive, and follow how it answers",
        response_class=EventStream,
        status_code=200,
        responses=document_problems(400, 413, 415, 422, 429) | {200: {"model": StreamedEvent}},
    )
    async def ask_stream(request: Request, body: AskRequest) -> EventStream:
        """Answer as server-sent events; the one before the last is the response of `/v1/ask`.

        A stream that ends without `done` or `error` was cut off.
        """
        return stream_answer(asker, build_question(body), get_request_id(request.scope))

    return router


def build_question(body: AskRequest) -> Question:
    """Build the question of a request; raise InvalidInput where it is none."""
    return Question(body.question, body.filters.to_filters(), body.max_answers)


def prefers_stream(accept: str) -> bool:
    """Say whether an Accept header names server-sent events, and JSON not before them."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    wanted = [name for name in named if name in ("application/json", MEDIA_TYPE)]
    return wanted[:1] == [MEDIA_TYPE]
