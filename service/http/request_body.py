"""The body of a request, bounded as it is read; work that stops when the client hangs up."""

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Iterations of the event loop to yield before work starts, so that a pending disconnect is seen.
YIELDED_ITERATIONS = 4


class BodyTooLarge(HTTPException):
    """The body is too long; the framework passes this error on as it is."""

    def __init__(self, max_bytes: int) -> None:
        # The connection is closed: reading the rest would take long, for nothing.
        super().__init__(413, f"send at most {max_bytes} bytes", {"Connection": "close"})


class BoundedRequest:
    """Serves one request whose body has at most `max_body_bytes`."""

    def __init__(self, receive: Receive, send: Send, max_body_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._bytes_received = 0
        self._responding = False

    async def serve(self, app: ASGIApp, scope: Scope) -> None:
        """Let the application answer.

        Raises:
            BodyTooLarge: the body is too long, and the response has not begun.
        """
        try:
            await self._answer(app, scope)
        except BodyTooLarge:
            if not self._responding:
                raise

    async def _answer(self, app: ASGIApp, scope: Scope) -> None:
        await app(scope, self._receive_bounded, self._send_tracked)

    async def _receive_bounded(self) -> Message:
        message = await self._receive()
        self._bytes_received += len(message.get("body", b""))
        if self._bytes_received > self._max_body_bytes:
            raise BodyTooLarge(self._max_body_bytes)
        return message

    async def _send_tracked(self, message: Message) -> None:
        self._responding = True
        await self._send(message)


class CancellableRequest(BoundedRequest):
    """Serves an expensive request: the application is cancelled when the client hangs up."""

    def __init__(self, receive: Receive, send: Send, max_body_bytes: int) -> None:
        super().__init__(receive, send, max_body_bytes)
        self._body_read = asyncio.Event()
        self._disconnected = asyncio.Event()

    async def _answer(self, app: ASGIApp, scope: Scope) -> None:
        answer = app(scope, self._receive_while_watched, self._send_tracked)
        answering = asyncio.ensure_future(answer)
        watching = asyncio.ensure_future(self._watch())
        try:
            await asyncio.wait([answering, watching], return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Either the response is sent, or the client has hung up.
            for task in (answering, watching):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        with suppress(asyncio.CancelledError):
            await answering

    async def _receive_while_watched(self) -> Message:
        # Once the body is read, only _watch may wait for the client's next message.
        if self._body_read.is_set():
            await self._disconnected.wait()
            return {"type": "http.disconnect"}
        message = await self._receive_bounded()
        if not message.get("more_body", False):
            self._body_read.set()
            for _ in range(YIELDED_ITERATIONS):
                await asyncio.sleep(0)
        return message

    async def _watch(self) -> None:
        await self._body_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self._disconnected.set()
