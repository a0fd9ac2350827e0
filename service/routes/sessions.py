"""The routes of sessions: a browser signs in with a key, asks whether it is, signs out."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from citewire.service.auth.sessions import (
    HOST_PREFIX,
    SESSION_SECONDS,
    Sessions,
    is_own_page,
    name_cookie,
    parse_bearer,
)
from citewire.service.routes.documentation import document_problems
from citewire.service.wire.sessions import SessionOut, SignIn


def build_session_routes(sessions: Sessions) -> APIRouter:
    """Return the routes; the guard has checked the key before anybody signs in."""
    router = APIRouter()

    @router.get(
        "/v1/session",
        name="session",
        summary="Is this browser signed in?",
        responses=document_problems(),
    )
    async def read_session(request: Request) -> SessionOut:
        """Say whether a key is needed, and which key the browser's cookie stands for."""
        found = sessions.find(request.scope)
        return build_session(sessions.keys.is_required, found and found[0].name, found and found[1])

    @router.post(
        "/v1/session",
        summary="Sign in",
        responses=document_problems(400, 401, 403, 413, 415, 422),
    )
    async def sign_in(request: Request, response: Response, body: SignIn) -> SessionOut:  # noqa: ARG001
        """Exchange the key in the header for a cookie that is good for asking and reading.

        Only for pages of this service. The cookie ends with the key, and after twelve hours.
        """
        return begin_session(sessions, request, response)

    @router.delete(
        "/v1/session",
        summary="Sign out",
        status_code=204,
        responses=document_problems(),
    )
    async def sign_out(request: Request) -> Response:
        """Delete the browser's cookie."""
        return end_session(request)

    return router


def begin_session(sessions: Sessions, request: Request, response: Response) -> SessionOut:
    """Set the cookie of a new session; raise HTTPException where the key is missing or unknown."""
    if not sessions.keys.is_required:
        return build_session(False, None, None)
    if not is_own_page(request.headers):
        raise HTTPException(403, "only a page of this service signs a browser in")
    secret = parse_bearer(request.headers)
    key = None if secret is None else sessions.keys.find(secret)
    if key is None:
        # A session cannot be exchanged for a new one: it ends after twelve hours.
        headers = {"WWW-Authenticate": "Bearer"}
        raise HTTPException(401, "send the key itself to sign in", headers)
    token, until = sessions.begin(key)
    # By the page's own address, which no proxy changes, we know whether it has TLS.
    secure = request.headers["origin"].startswith("https:")
    response.set_cookie(
        (HOST_PREFIX if secure else "") + name_cookie(request.headers),
        token,
        max_age=SESSION_SECONDS,
        secure=secure,
        httponly=True,
        # Not strict: evidence links are followed from mail, documents and other programs.
        samesite="lax",
    )
    return build_session(True, key.name, until)


def end_session(request: Request) -> Response:
    """Return the response that deletes the cookie of a session."""
    response = Response(status_code=204)
    name = name_cookie(request.headers)
    response.delete_cookie(name, httponly=True, samesite="lax")
    response.delete_cookie(HOST_PREFIX + name, secure=True, httponly=True, samesite="lax")
    return response


def build_session(required: bool, key: str | None, until: int | None) -> SessionOut:
    """Return the wire object of a session, or of none."""
    expires = None if until is None else datetime.fromtimestamp(until, UTC)
    return SessionOut(required=required, key=key, expires_at=expires)
