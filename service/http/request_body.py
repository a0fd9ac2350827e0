"""The client behind a request: its body, counted as it is read, and whether it is still there."""

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# In so many turns of the event loop it is noticed that a client has already gone, and nothing is
# begun for it.
TURNS = 4


class BodyTooLarge(HTTPException):
    """The body is longer than it may be; the framework passes this on as it is."""

    def __init__(self, max_bytes: int) -> None:
        # The rest would be read for nothing, and in pieces so small that it takes long.
        super().__init__(413, f"send at most {max_bytes} bytes", {"Connection": "close"})


class Caller:
    """Passes on what the client sends, up to a bound, and what it is answered."""

    def __init__(self, receive: Receive, send: Send, max_body_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._bytes_received = 0
        self._answering = False

    async def serve(self, app: ASGIApp, scope: Scope) -> None:
        """Let the application answer.

        Raises:
            BodyTooLarge: the body is too long, and nothing was answered yet.
        """
        try:
            await self._answer(app, scope)
        except BodyTooLarge:
            if not self._answering:
                raise

    async def _answer(self, app: ASGIApp, scope: Scope) -> None:
        await app(scope, self._receive_counted, self._send_noticed)

    async def _receive_counted(self) -> Message:
        message = await self._receive()
        self._bytes_received += len(message.get("body", b""))
        if self._bytes_received > self._max_body_bytes:
            raise BodyTooLarge(self._max_body_bytes)
        return message

    async def _send_noticed(self, message: Message) -> None:
        self._answering = True
        await self._send(message)


class AwaitedCaller(Caller):
    """A client whose request costs much: the application stops when it hangs up."""

    def __init__(self, receive: Receive, send: Send, max_body_bytes: int) -> None:
        super().__init__(receive, send, max_body_bytes)
        self._body_read = asyncio.Event()
        self._gone = asyncio.Event()

    async def _answer(self, app: ASGIApp, scope: Scope) -> None:
        answering = asyncio.ensure_future(app(scope, self._receive_watched, self._send_noticed))
        watching = asyncio.ensure_future(self._watch())
        try:
            await asyncio.wait([answering, watching], return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Either it is done, or nobody is there to hear of it.
            for task in (answering, watching):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        with suppress(asyncio.CancelledError):
            await answering

    async def _receive_watched(self) -> Message:
        # Once the body is whole, only one may wait for the client's next word: _watch.
        if self._body_read.is_set():
            await self._gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive_counted()
        if not message.get("more_body", False):
            self._body_read.set()
            for _ in range(TURNS):
                await asyncio.sleep(0)
        return message

    async def _watch(self) -> None:
        await self._body_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self._gone.set()
