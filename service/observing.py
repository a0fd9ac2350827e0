"""The outermost layer: every request gets an id."""

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# An id from outside goes into logs and responses: only what cannot break either is taken.
SANE_ID = re.compile("[A-Za-z0-9._-]{1,64}")


class Observer:
    """Gives every request an id: the one it came with, where that is a sane one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = identity_of(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = identity

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = identity
            await send(message)

        await self._app(scope, receive, send_named)


def identity_of(headers: Headers) -> str:
    """Return the id that the request came with, else a new one."""
    given = headers.get("x-request-id", "")
    return given if SANE_ID.fullmatch(given) else uuid.uuid4().hex
