"""The part of OpenAI's API that chat programs need to ask the archive.

There is one model, the archive; it answers the last question of a conversation, which may refer
to those before it. These routes are left out of the API's description: OpenAI describes them, and
errors have its shape.
"""

from collections.abc import Iterable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from citewire.rag.conversation.types import Clarification, Rewrite
from citewire.rag.types import Question
from citewire.service.http.problems import get_request_id, refuse
from citewire.service.http.streaming import Emit, EventStream
from citewire.service.openai.completion import Completion, Fields, encode_data
from citewire.service.openai.history import rewrite_last_message
from citewire.service.openai.message import CitedMessage, write_clarification, write_message
from citewire.service.openai.schemas import MODEL, CompletionRequest
from citewire.service.openai.tasks import reply_to_task
from citewire.service.wire.answers import AskResponse
from citewire.service.wire.events import AskEvent
from citewire.service.work.asker import Asker

NOTHING_ASKED = "Ask a question about what the archive's articles say."


def build_openai_routes(asker: Asker) -> APIRouter:
    """Return the routes of OpenAI's API."""
    router = APIRouter(include_in_schema=False)

    @router.get("/v1/models")
    async def list_models() -> JSONResponse:
        model: Fields = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}
        return JSONResponse({"object": "list", "data": [model]})

    @router.post("/v1/chat/completions")
    async def complete(request: Request, body: CompletionRequest) -> Response:
        if body.model != MODEL:
            detail = f"there is no model {body.model!r} here; {MODEL!r} is the one"
            return refuse(request.scope, 404, detail)
        return await ChatReply(asker, request, body).respond()

    return router


class ChatReply:
    """The reply to one request, searched for or not, streamed or not."""

    def __init__(self, asker: Asker, request: Request, body: CompletionRequest) -> None:
        self._asker = asker
        self._body = body
        self._base_url = str(request.base_url)
        options = body.stream_options
        self._completion = Completion(
            get_request_id(request.scope),
            self._base_url,
            with_usage=options is not None and options.include_usage,
        )

    async def respond(self) -> Response:
        """Return the response; raises as `Asker.ask` does."""
        found = find_question(self._body)
        if isinstance(found, str):
            message = CitedMessage((found,), ())
            if self._body.stream:
                return self._stream(message)
            return JSONResponse(self._completion.build(message, None))
        if self._body.stream:
            return self._stream_answer(found)
        response = await self._asker.ask(Question(found.question), self._completion.request_id)
        return JSONResponse(self._completion.build(self._write(response, found), response))

    def _write(self, response: AskResponse, rewrite: Rewrite) -> CitedMessage:
        changed = rewrite.question != self._body.asked.strip()
        return write_message(response, self._base_url, rewrite.question if changed else "")

    def _stream(self, message: CitedMessage) -> EventStream:
        async def work(emit: Emit) -> None:
            emit(self._completion.begin())
            emit_all(emit, self._completion.finish(message, None))

        return EventStream(work, failed=encode_data)

    def _stream_answer(self, rewrite: Rewrite) -> EventStream:
        completion = self._completion

        async def work(emit: Emit) -> None:
            def report(event: AskEvent) -> None:
                if event.event == "status" and event.data.stage == "retrieving":
                    emit(completion.begin())
                elif event.event == "passages":
                    articles = len({passage.article_id for passage in event.data.passages})
                    emit(completion.show_progress(f"Reading {articles} articles"))

            question = Question(rewrite.question)
            response = await self._asker.ask_with_progress(question, completion.request_id, report)
            emit(completion.show_progress("Answered", done=True))
            emit_all(emit, completion.finish(self._write(response, rewrite), response))

        return EventStream(work, failed=encode_data)


def find_question(body: CompletionRequest) -> Rewrite | str:
    """Return the question to be answered, or the text of the reply where nothing is searched."""
    if not body.asked.strip():
        return NOTHING_ASKED
    reply = reply_to_task(body.asked)
    if reply is not None:
        return reply
    found = rewrite_last_message(body.messages)
    return write_clarification(found) if isinstance(found, Clarification) else found


def emit_all(emit: Emit, chunks: Iterable[bytes]) -> None:
    """Send all chunks."""
    for chunk in chunks:
        emit(chunk)
