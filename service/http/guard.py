"""What every request passes: checks of host, origin, key, type and length, safe headers.

Pure ASGI, so that responses are never buffered and refusals come before a body is read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from citewire.service.auth.keys import OPEN, Key, Keyring, KeyScope
from citewire.service.auth.sessions import Sessions, bearer_secret
from citewire.service.http.access_rules import CHANGING, Rule, rule_of
from citewire.service.http.pages import sign_in_page
from citewire.service.http.problems import changes_elsewhere, overloaded, problem, rate_limited
from citewire.service.http.rate_limit import RateLimit
from citewire.service.http.request_body import AwaitedCaller, BodyTooLarge, Caller

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
    """Whether the service is about to end, and wants no new clients."""

    begun: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """What is let in: requests to these names, with these keys, while there is room.

    `hosts` are the names a request may be addressed to, without port; `sessions` are those of
    browsers that signed in with a key; `full` says whether
    another question would be refused, `takes` whether there is anything for this method at this
    path. While it drains, what still comes is answered. Changes are let in unless the archive is
    `read_only`.
    """

    hosts: frozenset[str] = LOOPBACK_HOSTS
    keys: Keyring = OPEN
    sessions: Sessions = field(default_factory=Sessions)
    rates: RateLimit = field(default_factory=RateLimit)
    full: Callable[[], bool] = lambda: False
    drain: Drain = field(default_factory=Drain)
    read_only: bool = False
    takes: Callable[[Scope], bool] = lambda _: True


class Guard:
    """Lets through what may reach the application, and completes what it answers."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope, body = origin_form(scope), Body(receive)
        rule = rule_of(scope["method"], scope["path"])
        send = self._completing(scope, body, send)
        refusal = self._refusal(scope, rule)
        if refusal is not None:
            await refusal(scope, body.receive, send)
            return
        # A response to HEAD is that to GET, of which the server sends the head alone.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        caller = (AwaitedCaller if rule.stops else Caller)(body.receive, send, rule.max_body_bytes)
        try:
            await caller.serve(self._app, inner)
        except BodyTooLarge as error:
            refusal = problem(scope, 413, error.detail, headers=dict(error.headers or {}))
            await refusal(scope, body.receive, send)

    def _completing(self, scope: Scope, body: "Body", send: Send) -> Send:
        # Who was not told to go on may send the body or leave it: what comes next would be unclear.
        # Chunks may be so many that leaving them out takes longer than anything else.
        unclear = {"expect", "transfer-encoding"} & {*Headers(scope=scope)}

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers["Cache-Control"] = "no-store"
                if self._door.drain.begun or (unclear and not body.wanted):
                    headers["Connection"] = "close"
            await send(message)

        return send_completed

    def _refusal(self, scope: Scope, rule: Rule) -> ASGIApp | None:
        headers = Headers(scope=scope)
        misdirected = self._misdirected(scope, headers)
        if misdirected is not None:
            return misdirected
        if scope["path"] == READINESS and self._door.drain.begun:
            return problem(scope, 503, "the service is ending")
        unauthorized = self._without_right(scope, rule, headers)
        if unauthorized is not None:
            return unauthorized
        if scope["method"] in CHANGING and not self._door.takes(scope):
            # The application says what there is instead, whatever the body would be.
            return oversized(scope, headers, rule.max_body_bytes)
        return (
            (changes_elsewhere(scope) if self._door.read_only and changes(rule) else None)
            or oversized(scope, headers, rule.max_body_bytes)
            or not_json(scope, headers)
            or (overloaded(scope) if rule.asks and self._door.full() else None)
        )

    def _misdirected(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        if "transfer-encoding" in headers and "content-length" in headers:
            # A proxy in between may have believed the other one.
            detail = "send the body's length or send it in chunks, not both"
            return problem(scope, 400, detail, headers={"Connection": "close"})
        if host_name(headers.get("host", "")) not in self._door.hosts:
            return problem(scope, 421, "this service does not answer for that host name")
        if not same_origin(headers):
            return problem(scope, 403, "requests from pages of other origins are not answered")
        return None

    def _without_right(self, scope: Scope, rule: Rule, headers: Headers) -> ASGIApp | None:
        if rule.scope is None or not self._door.keys.required:
            return None
        key = self._key(scope, headers)
        if key is None and rule.page and "text/html" in headers.get("accept", ""):
            scope["state"]["problem"] = "/problems/unauthorized"
            return HTMLResponse(sign_in_page(), 401, UNAUTHORIZED | {"Cache-Control": "no-store"})
        if key is None:
            detail = "send a key of this service as `Authorization: Bearer KEY`"
            return problem(scope, 401, detail, headers=UNAUTHORIZED)
        scope["state"]["key"] = key.name
        if rule.scope not in key.scopes:
            return problem(scope, 403, f"this needs a key with the scope `{rule.scope}`")
        seconds = self._door.rates.seconds_to_wait(key)
        return rate_limited(scope, seconds) if seconds else None

    def _key(self, scope: Scope, headers: Headers) -> Key | None:
        if "authorization" not in headers:
            found = self._door.sessions.find(scope)
            return None if found is None else found[0]
        secret = bearer_secret(headers)
        return None if secret is None else self._door.keys.find(secret)


def changes(rule: Rule) -> bool:
    """Say whether the rule is about what changes the archive."""
    return rule.scope is KeyScope.WRITE


def same_origin(headers: Headers) -> bool:
    """Browsers send an Origin with requests that a page makes; others send none."""
    origins = headers.getlist("origin")
    return all(origin.partition("://")[2] == headers.get("host") for origin in origins)


def oversized(scope: Scope, headers: Headers, max_body_bytes: int) -> ASGIApp | None:
    """Return why the request is too long to be read, None when it is not."""
    # The server bounds what has not yet arrived whole; a long head can come in one piece.
    if sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEADER_BYTES:
        return problem(scope, 431, f"send headers of at most {MAX_HEADER_BYTES} bytes")
    # What comes in chunks is counted as it is read.
    if int(headers.get("content-length", 0)) > max_body_bytes:
        detail = f"send at most {max_body_bytes} bytes"
        return problem(scope, 413, detail, headers={"Connection": "close"})
    return None


def not_json(scope: Scope, headers: Headers) -> ASGIApp | None:
    """Return the refusal of a body that is not JSON, as pages of other sites may send it."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        return problem(scope, 415, "send the body as it is, without a Content-Encoding")
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if scope["method"] in CHANGING - {"DELETE"} and media_type != "application/json":
        return problem(scope, 415, "send JSON, with `Content-Type: application/json`")
    return None


def host_name(host: str) -> str:
    """Return the Host header without its port, in lower case."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host.lower()


class Body:
    """A request's body, and whether anybody has begun to read it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.wanted = False

    async def receive(self) -> Message:
        """Return the next part."""
        self.wanted = True
        return await self._receive()


def origin_form(scope: Scope) -> Scope:
    """Return the request as if its target were a path; a target with a host names the host."""
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
