"""One connection of HTTP/1.1: uvicorn's, with deadlines, a bound, and problems for errors."""

import asyncio
import sys
import uuid
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from citewire.service.http.guard import MAX_HEADER_BYTES, SAFE_HEADERS
from citewire.service.http.problems import refuse

# From the first to the last byte of a request; a long body gets as much again for every part.
RECEIVE_SECONDS = 10.0
BODY_PART_BYTES = 1024 * 1024
# How long a client may leave what it is sent unread.
SEND_SECONDS = 30.0
# How long a connection may be idle between requests: longer than proxies and clients keep one, so
# that none is closed just when it is used again. Short where many are open.
IDLE_SECONDS = 75
CROWDED_IDLE_SECONDS = 5
# For how long what a client still sends is thrown away after the last response. Closing a
# connection with something unread in it resets it, and the response may be lost with it.
LINGER_SECONDS = 2.0
# How long a connection that has said nothing yet may still begin when the service ends.
LAST_WORD_SECONDS = 1.0
DETAILS = {
    400: "this is not HTTP/1.1",
    408: f"the request did not arrive within {RECEIVE_SECONDS:.0f} seconds",
    431: f"send headers of at most {MAX_HEADER_BYTES} bytes",
}


class BoundedConnection(H11Protocol):
    """Closes what is slow, refuses what is too much, and says why as everything else does."""

    receive_seconds = RECEIVE_SECONDS
    max_connections = 4000

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._receiving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._part_bytes = 0
        self._silent = True
        self.lingering = False

    # -- what the event loop calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(Lingering(transport, self))  # type: ignore[arg-type]
        if len(self.connections) > self.max_connections:
            self.app = too_many_connections
        self._receiving = self._later(self.receive_seconds, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._stop_receiving()
        if self._sending is not None:
            self._sending.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request, and see whether that is all of it."""
        if self.lingering:
            return
        self._silent = False
        self._part_bytes += len(data)
        super().data_received(data)
        self._look_whether_whole()

    def pause_writing(self) -> None:
        """Give the client a while to read what it was sent."""
        super().pause_writing()
        self._sending = self._later(SEND_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it did read."""
        super().resume_writing()
        if self._sending is not None:
            self._sending.cancel()

    # -- what uvicorn calls

    def on_response_complete(self) -> None:
        """Look for a request that came in while the last one was answered."""
        crowded = len(self.connections) > self.max_connections / 2
        self.timeout_keep_alive = CROWDED_IDLE_SECONDS if crowded else IDLE_SECONDS
        super().on_response_complete()
        self._look_whether_whole()

    def _should_upgrade(self) -> bool:
        # Nothing but HTTP/1.1 is spoken here, which uvicorn would note for the operator each time.
        return False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # it says less than ours
        """Refuse what is not HTTP, with the status that the parser suggests."""
        # Called where the parser's error is handled, which alone knows the status.
        status = getattr(sys.exception(), "error_status_hint", 400)
        self._refuse(status if status in DETAILS else 400)

    def shutdown(self) -> None:
        """End, unless a request is on its way; what has come in is answered."""
        if self._receiving is None:
            super().shutdown()
            return
        self._later(LAST_WORD_SECONDS, self._end_if_silent)

    def close(self, transport: asyncio.Transport) -> None:
        """Close; where the client is still sending, once it has had the time to stop."""
        self._stop_receiving()
        sending = self.conn.their_state in (h11.SEND_BODY, h11.ERROR)
        if not sending or not transport.can_write_eof():
            transport.close()
            return
        self.lingering = True
        transport.write_eof()
        transport.resume_reading()
        self._later(LINGER_SECONDS, transport.abort)

    # -- inside

    def _later(self, seconds: float, what: Any) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, what)

    def _look_whether_whole(self) -> None:
        if self.conn.their_state is h11.IDLE:
            whole = not self.conn.trailing_data[0]
        else:
            whole = self.conn.their_state is not h11.SEND_BODY
        if whole:
            self._stop_receiving()
            return
        if self._part_bytes >= BODY_PART_BYTES and not self.cycle.response_complete:
            self._stop_receiving()
        if self._receiving is None:
            self._receiving = self._later(self.receive_seconds, self._too_slow)

    def _stop_receiving(self) -> None:
        self._part_bytes = 0
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None

    def _too_slow(self) -> None:
        self._refuse(408)

    def _end_if_silent(self) -> None:
        if self._silent:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        """Answer with a problem where nothing was answered yet, and close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and not self.transport.is_closing():
            scope = {"state": {"request_id": uuid.uuid4().hex}}
            response = refuse(scope, status, DETAILS[status], headers=SAFE_HEADERS)
            headers = [*response.raw_headers, (b"connection", b"close")]
            for event in (
                h11.Response(status_code=status, headers=headers, reason=b""),
                h11.Data(data=bytes(response.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None and not self.cycle.response_complete:
            # Whoever reads the body hears that there will not be more of it.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


class Lingering:
    """A transport, except that its protocol decides how it is closed."""

    def __init__(self, transport: asyncio.Transport, protocol: BoundedConnection) -> None:
        self._transport = transport
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Say whether nothing more is to be sent."""
        return self._protocol.lingering or self._transport.is_closing()

    def close(self) -> None:
        """Begin to close."""
        if not self.is_closing():
            self._protocol.close(self._transport)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def too_many_connections(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request that came in over one connection too many."""
    scope["state"]["request_id"] = uuid.uuid4().hex
    headers = SAFE_HEADERS | {"Connection": "close"}
    detail = "too many connections are open; try again in a moment"
    await refuse(scope, 503, detail, headers=headers)(scope, receive, send)
