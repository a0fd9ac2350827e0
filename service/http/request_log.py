"""The outermost layer: every request gets an id, a line in the log, and is counted."""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from citewire.service.work.logs import FIELDS, collect_notes
from citewire.service.work.metrics import Metrics

# A client's id goes into logs and responses: only characters that can break neither.
SAFE_ID = re.compile("[A-Za-z0-9._-]{1,64}")
# The status that is logged where the client hung up before a response (nginx's).
CLIENT_CLOSED_REQUEST = 499

log = logging.getLogger("citewire.requests")


class RequestLog:
    """Gives each request an id, logs it and counts it; a client's own id is kept if it is safe."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = CLIENT_CLOSED_REQUEST
        self._metrics.count_arrival()

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with collect_notes() as notes:
            scope["state"]["notes"] = notes
            try:
                await self._app(scope, receive, send_named)
            finally:
                problem = scope["state"].get("problem")
                self._metrics.count_response(status, problem)
                line = {
                    "request_id": request_id,
                    "method": scope["method"],
                    # Without the query string, which may hold a search.
                    "path": scope["path"],
                    "status": status,
                    "ms": round(1000 * (time.perf_counter() - started), 1),
                    "client": (scope.get("client") or [None])[0],
                    "key": scope["state"].get("key"),
                    "problem": problem,
                }
                known = {name: value for name, value in line.items() if value is not None}
                log.info("request", extra={FIELDS: known | notes})


def choose_id(headers: Headers) -> str:
    """Return the request's own id where it is safe, else a new one."""
    given = headers.get("x-request-id", "")
    return given if SAFE_ID.fullmatch(given) else uuid.uuid4().hex
