"""The checks that every request passes: host, origin, key, type and length; safe headers.

Pure ASGI, so that responses are never buffered, and a request is refused before its body is read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from citewire.service.auth.keys import OPEN, Key, Keyring, KeyScope
from citewire.service.auth.sessions import Sessions, parse_bearer
from citewire.service.http.access_rules import CHANGING, AccessRule, find_rule
from citewire.service.http.pages import render_sign_in_page
from citewire.service.http.problems import refuse, refuse_change, refuse_overload, refuse_rate
from citewire.service.http.rate_limit import RateLimit
from citewire.service.http.request_body import BodyTooLarge, BoundedRequest, CancellableRequest

# Bytes of the names and values of all headers together.
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
READINESS = "/health/ready"
UNAUTHORIZED = {"WWW-Authenticate": "Bearer"}


@dataclass(slots=True)
class Drain:
    """Whether the service is about to end, and refuses new clients."""

    begun: bool = False


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Which requests are let in.

    `hosts` are the names, without port, that a request may be addressed to; `sessions` are those
    of browsers that signed in with a key. `is_full` says whether another question would be
    refused, `has_route` whether a route takes the request's method and path. While `drain` has
    begun, requests are still answered. Changes are refused where the archive is `read_only`.
    """

    hosts: frozenset[str] = LOOPBACK_HOSTS
    keys: Keyring = OPEN
    sessions: Sessions = field(default_factory=Sessions)
    rates: RateLimit = field(default_factory=RateLimit)
    is_full: Callable[[], bool] = lambda: False
    drain: Drain = field(default_factory=Drain)
    read_only: bool = False
    has_route: Callable[[Scope], bool] = lambda _: True


class Guard:
    """Refuses the requests that the policy does not let in, and adds headers to all responses."""

    def __init__(self, app: ASGIApp, policy: AccessPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope, body = to_origin_form(scope), TrackedBody(receive)
        rule = find_rule(scope["method"], scope["path"])
        send = self._add_headers(scope, body, send)
        refusal = self._refuse(scope, rule)
        if refusal is not None:
            await refusal(scope, body.receive, send)
            return
        # HEAD is answered as GET; the server sends only the response's head.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        kind = CancellableRequest if rule.stops_on_disconnect else BoundedRequest
        try:
            await kind(body.receive, send, rule.max_body_bytes).serve(self._app, inner)
        except BodyTooLarge as error:
            refusal = refuse(scope, 413, error.detail, headers=dict(error.headers or {}))
            await refusal(scope, body.receive, send)

    def _add_headers(self, scope: Scope, body: "TrackedBody", send: Send) -> Send:
        # With `Expect: 100-continue` unanswered we cannot tell whether a body follows, and the
        # rest of a chunked body may be endless: where either is unread, the connection is closed.
        unclear = {"expect", "transfer-encoding"} & {*Headers(scope=scope)}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers["Cache-Control"] = "no-store"
                if self._policy.drain.begun or (unclear and not body.is_read):
                    headers["Connection"] = "close"
            await send(message)

        return send_with_headers

    def _refuse(self, scope: Scope, rule: AccessRule) -> ASGIApp | None:
        headers = Headers(scope=scope)
        misdirected = self._refuse_origin(scope, headers)
        if misdirected is not None:
            return misdirected
        if scope["path"] == READINESS and self._policy.drain.begun:
            return refuse(scope, 503, "the service is ending")
        unauthorized = self._refuse_key(scope, rule, headers)
        if unauthorized is not None:
            return unauthorized
        if scope["method"] in CHANGING and not self._policy.has_route(scope):
            # The application answers 404 or 405, whatever the body is.
            return refuse_size(scope, headers, rule.max_body_bytes)
        return (
            (refuse_change(scope) if self._policy.read_only and is_change(rule) else None)
            or refuse_size(scope, headers, rule.max_body_bytes)
            or refuse_type(scope, headers)
            or (refuse_overload(scope) if rule.is_question and self._policy.is_full() else None)
        )

    def _refuse_origin(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        if "transfer-encoding" in headers and "content-length" in headers:
            # Request smuggling: a proxy in between may have gone by the other of the two.
            detail = "send the body's length or send it in chunks, not both"
            return refuse(scope, 400, detail, headers={"Connection": "close"})
        if strip_port(headers.get("host", "")) not in self._policy.hosts:
            return refuse(scope, 421, "this service does not answer for that host name")
        if not is_same_origin(headers):
            return refuse(scope, 403, "requests from pages of other origins are not answered")
        return None

    def _refuse_key(self, scope: Scope, rule: AccessRule, headers: Headers) -> ASGIApp | None:
        if rule.scope is None or not self._policy.keys.is_required:
            return None
        key = self._find_key(scope, headers)
        if key is None and rule.is_page and "text/html" in headers.get("accept", ""):
            scope["state"]["problem"] = "/problems/unauthorized"
            uncached = UNAUTHORIZED | {"Cache-Control": "no-store"}
            return HTMLResponse(render_sign_in_page(), 401, uncached)
        if key is None:
            detail = "send a key of this service as `Authorization: Bearer KEY`"
            return refuse(scope, 401, detail, headers=UNAUTHORIZED)
        scope["state"]["key"] = key.name
        if rule.scope not in key.scopes:
            return refuse(scope, 403, f"this needs a key with the scope `{rule.scope}`")
        seconds = self._policy.rates.spend(key)
        return refuse_rate(scope, seconds) if seconds else None

    def _find_key(self, scope: Scope, headers: Headers) -> Key | None:
        if "authorization" not in headers:
            found = self._policy.sessions.find(scope)
            return None if found is None else found[0]
        secret = parse_bearer(headers)
        return None if secret is None else self._policy.keys.find(secret)


def is_change(rule: AccessRule) -> bool:
    """Say whether requests under the rule change the archive."""
    return rule.scope is KeyScope.WRITE


def is_same_origin(headers: Headers) -> bool:
    """Say whether no page of another origin sent the request; other clients send no Origin."""
    origins = headers.getlist("origin")
    return all(origin.partition("://")[2] == headers.get("host") for origin in origins)


def refuse_size(scope: Scope, headers: Headers, max_body_bytes: int) -> ASGIApp | None:
    """Return the refusal of a head or a body that is too long, None where neither is."""
    # The server's own bound holds only while a head is incomplete; one can come in one piece.
    if sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEADER_BYTES:
        return refuse(scope, 431, f"send headers of at most {MAX_HEADER_BYTES} bytes")
    # A chunked body is counted as it is read.
    if int(headers.get("content-length", 0)) > max_body_bytes:
        detail = f"send at most {max_body_bytes} bytes"
        return refuse(scope, 413, detail, headers={"Connection": "close"})
    return None


def refuse_type(scope: Scope, headers: Headers) -> ASGIApp | None:
    """Return the refusal of a body that is not JSON, None where it is JSON.

    Pages of other sites can send simple types without a CORS preflight, but not JSON.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        return refuse(scope, 415, "send the body as it is, without a Content-Encoding")
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if scope["method"] in CHANGING - {"DELETE"} and media_type != "application/json":
        return refuse(scope, 415, "send JSON, with `Content-Type: application/json`")
    return None


def strip_port(host: str) -> str:
    """Return the Host header without its port, in lower case."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host.lower()


class TrackedBody:
    """A request's body, and whether reading it has begun."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_read = False

    async def receive(self) -> Message:
        """Return the next part."""
        self.is_read = True
        return await self._receive()


def to_origin_form(scope: Scope) -> Scope:
    """Return the request with the path as its target; one in absolute form also names the host.

    Source: RFC 9112, section 3.2.
    """
    scheme, separator, rest = scope.get("raw_path", b"").partition(b"://")
    if not separator or scheme.lower() not in (b"http", b"https"):
        return scope
    host, _, path = rest.partition(b"/")
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {
        **scope,
        "path": "/" + unquote(path.decode("ascii")),
        "raw_path": b"/" + path,
        "headers": [(b"host", host), *headers],
    }
