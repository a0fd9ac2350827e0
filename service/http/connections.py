"""An HTTP/1.1 connection of uvicorn's, with deadlines, a limit, and problem details for errors.

It overrides and reads private parts of uvicorn's H11Protocol, of the version that is pinned.
"""

import asyncio
import sys
import uuid
from collections.abc import Callable
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from citewire.service.http.guard import MAX_HEADER_BYTES, SAFE_HEADERS
from citewire.service.http.problems import refuse

# Seconds from the first to the last byte of a request; a long body gets as many again for each
# part.
RECEIVE_SECONDS = 10.0
BODY_PART_BYTES = 1024 * 1024
# Seconds for which a client may leave the response unread.
SEND_SECONDS = 30.0
# Seconds for which a connection may be idle between requests (keep-alive): more than proxies and
# clients keep one, so that none is closed just as it is used again; few where many are open.
IDLE_SECONDS = 75
CROWDED_IDLE_SECONDS = 5
# Lingering close: seconds after the last response for which received bytes are discarded. Closing
# a socket with unread bytes sends RST, and the client may lose the response.
LINGER_SECONDS = 2.0
# Seconds in which a new connection may still send its first byte when the service ends.
LAST_WORD_SECONDS = 1.0
DETAILS = {
    400: "this is not HTTP/1.1",
    408: f"the request did not arrive within {RECEIVE_SECONDS:.0f} seconds",
    431: f"send headers of at most {MAX_HEADER_BYTES} bytes",
}


class BoundedConnection(H11Protocol):
    """Closes slow connections and refuses excess ones, with problem details as everywhere."""

    receive_seconds = RECEIVE_SECONDS
    max_connections = 4000

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._receiving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._part_bytes = 0
        self._silent = True
        self.lingering = False

    # -- called by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request."""
        super().connection_made(Lingering(transport, self))  # type: ignore[arg-type]
        if len(self.connections) > self.max_connections:
            self.app = refuse_connection
        self._receiving = self._later(self.receive_seconds, self._refuse_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        self._stop_receiving()
        if self._sending is not None:
            self._sending.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; cancel its deadline once it is complete."""
        if self.lingering:
            return
        self._silent = False
        self._part_bytes += len(data)
        super().data_received(data)
        self._update_deadline()

    def pause_writing(self) -> None:
        """Start the deadline for reading the response."""
        super().pause_writing()
        self._sending = self._later(SEND_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Cancel the deadline: the client has read."""
        super().resume_writing()
        if self._sending is not None:
            self._sending.cancel()

    # -- called by uvicorn

    def on_response_complete(self) -> None:
        """Go on with a request that was received while the last one was answered."""
        crowded = len(self.connections) > self.max_connections / 2
        self.timeout_keep_alive = CROWDED_IDLE_SECONDS if crowded else IDLE_SECONDS
        super().on_response_complete()
        self._update_deadline()

    def _should_upgrade(self) -> bool:
        # Only HTTP/1.1 is supported; uvicorn would log a warning at each attempt.
        return False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # ours says more
        """Refuse bytes that are not HTTP, with the status that the parser suggests."""
        # Called in the handler of the parser's error, which has the status.
        status = getattr(sys.exception(), "error_status_hint", 400)
        self._refuse(status if status in DETAILS else 400)

    def shutdown(self) -> None:
        """Close, unless a request is being received: that one is answered first."""
        if self._receiving is None:
            super().shutdown()
            return
        self._later(LAST_WORD_SECONDS, self._close_if_silent)

    def close(self, transport: asyncio.Transport) -> None:
        """Close; where the client is still sending, after it has had time to stop."""
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

    def _later(self, seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, action)

    def _update_deadline(self) -> None:
        if self.conn.their_state is h11.IDLE:
            is_complete = not self.conn.trailing_data[0]
        else:
            is_complete = self.conn.their_state is not h11.SEND_BODY
        if is_complete:
            self._stop_receiving()
            return
        if self._part_bytes >= BODY_PART_BYTES and not self.cycle.response_complete:
            self._stop_receiving()
        if self._receiving is None:
            self._receiving = self._later(self.receive_seconds, self._refuse_slow)

    def _stop_receiving(self) -> None:
        self._part_bytes = 0
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None

    def _refuse_slow(self) -> None:
        self._refuse(408)

    def _close_if_silent(self) -> None:
        if self._silent:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        """Answer with a problem where no response has begun, and close."""
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
            # The application, where it waits for the body, gets a disconnect.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


class Lingering:
    """A transport whose close is left to its protocol."""

    def __init__(self, transport: asyncio.Transport, protocol: BoundedConnection) -> None:
        self._transport = transport
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Say whether nothing more will be sent."""
        return self._protocol.lingering or self._transport.is_closing()

    def close(self) -> None:
        """Begin to close."""
        if not self.is_closing():
            self._protocol.close(self._transport)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def refuse_connection(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request on a connection above the limit."""
    scope["state"]["request_id"] = uuid.uuid4().hex
    headers = SAFE_HEADERS | {"Connection": "close"}
    detail = "too many connections are open; try again in a moment"
    await refuse(scope, 503, detail, headers=headers)(scope, receive, send)
