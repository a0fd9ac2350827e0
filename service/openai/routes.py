"""The part of OpenAI's API that chat programs need to ask the archive.

There is one model, the archive; it answers the last question of a conversation, which may lean on
those before it. These routes are left out of the API's description: OpenAI's describes them, and
errors have its shape.
"""

import json
import time
from collections.abc import Iterable, Iterator

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue

from citewire.rag.conversation.types import Clarification, Rewrite
from citewire.rag.types import Question
from citewire.service.http.problems import problem, request_id
from citewire.service.http.streaming import Emit, EventStream
from citewire.service.openai.history import render_clarification, rewrite_last_question
from citewire.service.openai.message import Message, message_of, url_of
from citewire.service.openai.schemas import MODEL, CompletionRequest
from citewire.service.openai.tasks import task_reply
from citewire.service.wire.answers import AnswerOut, AskResponse
from citewire.service.wire.events import AskEvent
from citewire.service.work.asker import Asker

# No language model reads or writes: there are no tokens to count.
USAGE: dict[str, JsonValue] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
NOTHING_ASKED = "Ask a question about what the archive's articles say."
END = b"data: [DONE]\n\n"
Fields = dict[str, JsonValue]


class Completion:
    """One completion on its way: its id, and the shapes that its parts come in."""

    def __init__(self, request: Request, body: CompletionRequest) -> None:
        self.request_id = request_id(request.scope)
        self.base_url = str(request.base_url)
        self.asked = body.asked
        self.with_usage = bool(body.stream_options and body.stream_options.include_usage)
        self._head: Fields = {
            "id": f"chatcmpl-{self.request_id}",
            "created": int(time.time()),
            "model": MODEL,
        }

    def message(self, response: AskResponse, rewrite: Rewrite) -> Message:
        """Return the message that says what the response says, and how it was asked."""
        changed = rewrite.question != self.asked.strip()
        return message_of(response, self.base_url, rewrite.question if changed else "")

    def whole(self, message: Message, response: AskResponse | None) -> Fields:
        """Return the completion in one piece."""
        said: Fields = {"role": "assistant", "content": message.text, "refusal": None}
        choice: Fields = {
            "index": 0,
            "message": said | notes(message, response),
            "finish_reason": "stop",
            "logprobs": None,
        }
        return self._head | {"object": "chat.completion", "choices": [choice], "usage": USAGE}

    def chunk(self, delta: Fields, *, finish: str | None = None, **more: JsonValue) -> bytes:
        """Return one piece of a streamed completion."""
        choices: JsonValue = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return data(self._head | {"object": "chat.completion.chunk", "choices": choices} | more)

    def chunks(self, message: Message, response: AskResponse | None) -> Iterator[bytes]:
        """Yield the pieces from the first word on."""
        for piece in message.pieces:
            yield self.chunk({"content": piece})
        for answer in response.answers if response else []:
            for event in sources(answer, self.base_url):
                yield self.chunk({}, event=event)
        yield self.chunk(notes(message, response))
        yield self.chunk({}, finish="stop")
        if self.with_usage:
            yield data(
                self._head | {"object": "chat.completion.chunk", "choices": [], "usage": USAGE}
            )
        yield END


def build_openai_routes(asker: Asker) -> APIRouter:
    """Return the routes of OpenAI's API."""
    router = APIRouter(include_in_schema=False)

    @router.get("/v1/models")
    async def models() -> JSONResponse:
        model: Fields = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}
        return JSONResponse({"object": "list", "data": [model]})

    @router.post("/v1/chat/completions")
    async def complete(request: Request, body: CompletionRequest) -> Response:
        if body.model != MODEL:
            detail = f"there is no model {body.model!r} here; {MODEL!r} is the one"
            return problem(request.scope, 404, detail)
        completion = Completion(request, body)
        rewritten = read(body)
        if isinstance(rewritten, str):
            told = Message((rewritten,), ())
            if body.stream:
                return streamed(completion, told)
            return JSONResponse(completion.whole(told, None))
        if body.stream:
            return answering(completion, asker, rewritten)
        response = await asker.ask(Question(rewritten.question), completion.request_id)
        message = completion.message(response, rewritten)
        return JSONResponse(completion.whole(message, response))

    return router


def read(body: CompletionRequest) -> Rewrite | str:
    """Return the question that is to be answered, or the reply where nothing is searched."""
    if not body.asked.strip():
        return NOTHING_ASKED
    reply = task_reply(body.asked)
    if reply is not None:
        return reply
    rewritten = rewrite_last_question(body.messages)
    return render_clarification(rewritten) if isinstance(rewritten, Clarification) else rewritten


def answering(completion: Completion, asker: Asker, rewrite: Rewrite) -> EventStream:
    """Return the answer as it comes; whoever shows progress is told of it."""

    async def work(emit: Emit) -> None:
        def tell(event: AskEvent) -> None:
            if event.event == "status" and event.data.stage == "retrieving":
                emit(completion.chunk({"role": "assistant", "content": ""}))
            elif event.event == "passages":
                articles = len({passage.article_id for passage in event.data.passages})
                emit(completion.chunk({}, event=progress(f"Reading {articles} articles")))

        response = await asker.watched(Question(rewrite.question), completion.request_id, tell)
        emit(completion.chunk({}, event=progress("Answered", done=True)))
        send_each(emit, completion.chunks(completion.message(response, rewrite), response))

    return EventStream(work, failed=lambda error: b"data: " + error + b"\n\n")


def streamed(completion: Completion, message: Message) -> EventStream:
    """Return a message that is known already, as a stream."""

    async def work(emit: Emit) -> None:
        emit(completion.chunk({"role": "assistant", "content": ""}))
        send_each(emit, completion.chunks(message, None))

    return EventStream(work, failed=lambda error: b"data: " + error + b"\n\n")


def send_each(emit: Emit, chunks: Iterable[bytes]) -> None:
    """Send all chunks."""
    for chunk in chunks:
        emit(chunk)


def data(content: Fields) -> bytes:
    """Return an event without a name, as this API has them."""
    return b"data: " + json.dumps(content, ensure_ascii=False).encode() + b"\n\n"


def notes(message: Message, response: AskResponse | None) -> Fields:
    """Return what goes with the text: the notes, and as an extension all that `/v1/ask` answers."""
    if response is None:
        return {"annotations": []}
    return {
        "annotations": [note.model_dump(mode="json") for note in message.annotations],
        "citewire": response.model_dump(mode="json"),
    }


def progress(description: str, *, done: bool = False) -> Fields:
    """Return what Open WebUI shows while one waits."""
    return {"type": "status", "data": {"description": description, "done": done}}


def sources(answer: AnswerOut, base_url: str) -> Iterator[Fields]:
    """Yield what Open WebUI shows as the answer's sources: their sentences, and how likely."""
    for citation in answer.citations:
        address = url_of(citation, base_url)
        named: Fields = {"id": citation.article_id, "name": citation.title, "url": address}
        where: Fields = {"source": address, "name": citation.title, "source_url": address}
        yield {
            "type": "source",
            "data": {
                "source": named,
                "document": [citation.context],
                "metadata": [where],
                "distances": [answer.confidence],
            },
        }
