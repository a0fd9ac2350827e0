"""The outermost layer: every request gets an id, a line in the log, and is counted."""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from citewire.service.work.logs import FIELDS, noting
from citewire.service.work.metrics import Metrics

# An id from outside goes into logs and responses: only what cannot break either is taken.
SANE_ID = re.compile("[A-Za-z0-9._-]{1,64}")
# The status in the log of a request whose client did not wait for one.
HUNG_UP = 499

log = logging.getLogger("citewire.requests")


class Observer:
    """Names, logs and counts requests; an id that one came with is kept, if it is a sane one."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = identity_of(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = identity
        started = time.perf_counter()
        status = HUNG_UP
        self._metrics.came()

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = identity
            await send(message)

        with noting() as notes:
            scope["state"]["notes"] = notes
            try:
                await self._app(scope, receive, send_named)
            finally:
                problem = scope["state"].get("problem")
                self._metrics.served(status, problem)
                line = {
                    "request_id": identity,
                    "method": scope["method"],
                    # Without the query, which may hold what was searched for.
                    "path": scope["path"],
                    "status": status,
                    "ms": round(1000 * (time.perf_counter() - started), 1),
                    "client": (scope.get("client") or [None])[0],
                    "key": scope["state"].get("key"),
                    "problem": problem,
                }
                known = {name: value for name, value in line.items() if value is not None}
                log.info("request", extra={FIELDS: known | notes})


def identity_of(headers: Headers) -> str:
    """Return the id that the request came with, else a new one."""
    given = headers.get("x-request-id", "")
    return given if SANE_ID.fullmatch(given) else uuid.uuid4().hex
