"""What every request passes: an id, checks of host, key and content type, safe headers.

Pure ASGI, so that responses are never buffered and refusals come before a body is read.
"""

import hashlib
import hmac
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import problem

MAX_BODY_BYTES = 64 * 1024
MAX_HEADER_BYTES = 16 * 1024
LOOPBACK_HOSTS = frozenset(["127.0.0.1", "localhost", "[::1]"])
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'"
)
SAFE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Lets through what may reach the application, and completes what it answers.

    `hosts` are the names a request may be addressed to, without port; `api_key`, where set,
    must come with every request under /v1/ as `Authorization: Bearer KEY`.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], api_key: str | None) -> None:
        self._app = app
        self._hosts = hosts
        self._key_digest = None if api_key is None else digest(api_key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = identity

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = identity
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_completed)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if host_name(headers.get("host", "")) not in self._hosts:
            return problem(scope, 421, "this service does not answer for that host name")
        if not self._same_origin(headers):
            return problem(scope, 403, "requests from pages of other origins are not answered")
        if scope["path"].startswith("/v1/") and not self._has_key(headers):
            detail = "send the service's key as `Authorization: Bearer KEY`"
            return problem(scope, 401, detail, headers={"WWW-Authenticate": "Bearer"})
        return unreadable(scope, headers)

    def _same_origin(self, headers: Headers) -> bool:
        """Browsers send an Origin with requests that a page makes; others send none."""
        origin = headers.get("origin")
        return origin is None or origin.partition("://")[2] == headers.get("host")

    def _has_key(self, headers: Headers) -> bool:
        if self._key_digest is None:
            return True
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(digest(key), self._key_digest)


def unreadable(scope: Scope, headers: Headers) -> ASGIApp | None:
    """Return why the request is not read: too long, or not JSON; None when it may be."""
    # The server bounds what has not yet arrived whole; a long head can come in one piece.
    if sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEADER_BYTES:
        return problem(scope, 431, f"send headers of at most {MAX_HEADER_BYTES} bytes")
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if scope["method"] in ("POST", "PUT", "PATCH") and media_type != "application/json":
        return problem(scope, 415, "send JSON, with `Content-Type: application/json`")
    # What comes in chunks is counted by the framework, whose own refusal by length is plain.
    if int(headers.get("content-length", 0)) > MAX_BODY_BYTES:
        return problem(scope, 413, f"send at most {MAX_BODY_BYTES} bytes")
    return None


def digest(key: str) -> bytes:
    """Hash the key: digests of equal length compare in constant time."""
    return hashlib.sha256(key.encode()).digest()


def host_name(host: str) -> str:
    """Return the Host header without its port, in lower case."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()
