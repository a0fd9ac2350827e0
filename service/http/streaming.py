"""Server-sent events: a response that reports progress while the work goes on.

FastAPI's `fastapi.sse` is not enough: it sends status 200 before the first event, so that a full
queue could not be refused with a status of its own; an error after that cuts the stream, where
ours ends with an `error` event; and it makes a route's every response a stream, where `/v1/ask`
answers with JSON or a stream as the client accepts.

One coroutine, the response's own, starts the work and ends it: nothing starts before the server
awaits it, and nothing outlives it when the client hangs up.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from citewire.rag.types import Question
from citewire.service.http.problems import handle_error
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
# Seconds without an event before status 200 is sent; an error until then has its own status.
PATIENCE_SECONDS = 1.0
# Seconds of silence between comment lines: some proxies close an idle connection after 15.
PING_SECONDS = 10.0
PING = b": ping\n\n"

# Sends a chunk; safe to call from any thread.
Emit = Callable[[bytes], None]
Work = Callable[[Emit], Awaitable[None]]


class EventStream(Response):
    """Sends the chunks that the work emits, as they come.

    `waiting` is sent first where the work emits nothing for `patience_seconds`. An error before
    anything was sent is raised, and handled like any other route's; for a later one, `failed`
    makes the last chunk from the problem's JSON.
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
        """Serve one request; return when all is sent or the client has hung up."""
        queue = SendQueue()
        tasks = [
            asyncio.ensure_future(run(self._work, queue)),
            asyncio.ensure_future(wait_for_disconnect(receive, queue)),
        ]
        try:
            await self._send_all(queue, Request(scope), send)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self, queue: "SendQueue", request: Request, send: Send) -> None:
        item = await queue.next(self._patience_seconds) or self._waiting
        if isinstance(item, Exception):
            raise item
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        while isinstance(item, bytes):
            await send({"type": "http.response.body", "body": item, "more_body": True})
            item = await queue.next(self._ping_seconds) or PING
        if isinstance(item, Exception):
            problem = await handle_error(request, item)
            last = self._failed(bytes(problem.body))
            await send({"type": "http.response.body", "body": last, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class End:
    """Marks the end of a stream: the work is done, or the client has hung up."""


# A chunk to send, or why there are no more.
SendItem = bytes | Exception | End


class SendQueue:
    """The items that a response has yet to send, in order."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[SendItem] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def put(self, item: SendItem) -> None:
        """Add an item, from any thread."""
        self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    async def next(self, seconds: float) -> SendItem | None:
        """Return the next item, None where none comes for this long."""
        try:
            async with asyncio.timeout(seconds):
                return await self._items.get()
        except TimeoutError:
            return None


async def run(work: Work, queue: SendQueue) -> None:
    """Do the work; the last item is its error or the end."""
    (outcome,) = await asyncio.gather(work(queue.put), return_exceptions=True)
    # An error is handled, and logged where it is a bug, by the response that takes the item.
    queue.put(outcome if isinstance(outcome, Exception) else End())


async def wait_for_disconnect(receive: Receive, queue: SendQueue) -> None:
    """Wait until the client hangs up, and end the stream."""
    while (await receive())["type"] != "http.disconnect":
        pass
    queue.put(End())


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
        failed=lambda problem: format_event("error", problem.decode()),
        waiting=encode_event(StatusEvent(data=StatusOut(stage="waiting"))),
    )


def encode_event(event: AskEvent) -> bytes:
    """Write an event as it is sent."""
    return format_event(event.event, event.data.model_dump_json())


def format_event(name: str, data: str) -> bytes:
    """Write one event as it is sent; `data` is JSON, which has no line breaks."""
    return f"event: {name}\ndata: {data}\n\n".encode()
