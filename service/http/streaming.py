"""Server-sent events: a response that tells of work while it goes on.

One coroutine, the response's own, starts the work and ends it. Nothing is started before the
server awaits it and nothing outlives it, whichever way the client goes; a generator that was
never begun would not even run its `finally`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from citewire.rag.types import Question
from citewire.service.http.problems import respond_to
from citewire.service.wire.events import (
    AnswerEvent,
    AskEvent,
    DoneEvent,
    ResultEvent,
    StatusEvent,
    StatusOut,
)
from citewire.service.work.asker import Asker

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# Work that fails this early is refused with a status of its own, not after a 200.
PATIENCE_SECONDS = 1.0
# Proxies close connections on which nothing moves, some of them after 15 seconds.
PING_SECONDS = 10.0
PING = b": ping\n\n"

# Sends a chunk on its way; may be called from any thread.
Emit = Callable[[bytes], None]
Work = Callable[[Emit], Awaitable[None]]


class EventStream(Response):
    """Sends what the work emits, as it comes.

    `waiting` is sent when the work is silent from the start; an error before anything was sent
    is raised, and answered like that of any other route; a later one is sent as `failed` puts
    it, from the problem's JSON.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        work: Work,
        *,
        failed: Callable[[bytes], bytes],
        waiting: bytes = PING,
        patience_seconds: float = PATIENCE_SECONDS,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._work = work
        self._failed = failed
        self._waiting = waiting
        self._patience_seconds = patience_seconds
        self._ping_seconds = ping_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; return when all was sent or the client is gone."""
        inbox = Inbox()
        tasks = [
            asyncio.ensure_future(work_through(self._work, inbox)),
            asyncio.ensure_future(notice_leaving(receive, inbox)),
        ]
        try:
            await self._send_all(inbox, Request(scope), send)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self, inbox: "Inbox", request: Request, send: Send) -> None:
        message = await inbox.next(self._patience_seconds) or self._waiting
        if isinstance(message, Exception):
            raise message
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        while isinstance(message, bytes):
            await send({"type": "http.response.body", "body": message, "more_body": True})
            message = await inbox.next(self._ping_seconds) or PING
        if isinstance(message, Exception):
            problem = await respond_to(request, message)
            last = self._failed(bytes(problem.body))
            await send({"type": "http.response.body", "body": last, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Over:
    """Nothing more will come: the work is done, or nobody listens."""


Message = bytes | Exception | Over


class Inbox:
    """What the response has still to see to, in order."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def put(self, message: Message) -> None:
        """Add a message, from any thread."""
        self._loop.call_soon_threadsafe(self._messages.put_nowait, message)

    async def next(self, seconds: float) -> Message | None:
        """Return the next message, None when there is none for so long."""
        try:
            async with asyncio.timeout(seconds):
                return await self._messages.get()
        except TimeoutError:
            return None


async def work_through(work: Work, inbox: Inbox) -> None:
    """Do the work; its end is the last message, its error before that."""
    try:
        await work(inbox.put)
    except Exception as error:
        # Answered, and logged where it is a bug, by whoever takes the message.
        inbox.put(error)
    else:
        inbox.put(Over())


async def notice_leaving(receive: Receive, inbox: Inbox) -> None:
    """Wait until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    inbox.put(Over())


def stream_answer(asker: Asker, question: Question, request_id: str) -> EventStream:
    """Return the answer of `/v1/ask` as the events of `citewire.service.wire.events`."""

    async def work(emit: Emit) -> None:
        response = await asker.ask_with_progress(
            question, request_id, lambda event: emit(encode_event(event))
        )
        for answer in response.answers:
            emit(encode_event(AnswerEvent(data=answer)))
        emit(encode_event(ResultEvent(data=response)))
        emit(encode_event(DoneEvent()))

    return EventStream(
        work,
        failed=lambda problem: event_bytes("error", problem.decode()),
        waiting=encode_event(StatusEvent(data=StatusOut(stage="waiting"))),
    )


def encode_event(event: AskEvent) -> bytes:
    """Write an event as it is sent."""
    return event_bytes(event.event, event.data.model_dump_json())


def event_bytes(name: str, data: str) -> bytes:
    """Write one event as it is sent; `data` is JSON, which has no line breaks."""
    return f"event: {name}\ndata: {data}\n\n".encode()
