"""The HTTP API of sessions: signing a browser in with a key, asking about it, signing out."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from citewire.service.auth.sessions import (
    HOST_PREFIX,
    SESSION_SECONDS,
    Sessions,
    bearer_secret,
    cookie_name,
    own_page,
)
from citewire.service.routes.ask import problems
from citewire.service.wire.sessions import SessionOut, SignIn


def build_session_routes(sessions: Sessions) -> APIRouter:
    """Return the routes; the guard has let through who may sign in."""
    router = APIRouter()
    keys = sessions.keys

    @router.get("/v1/session", summary="Is this browser signed in?", responses=problems())
    async def session(request: Request) -> SessionOut:
        """Say whether a key is needed, and which one the browser's cookie stands for."""
        found = sessions.find(request.scope)
        return session_out(keys.required, found and found[0].name, found and found[1])

    @router.post("/v1/session", summary="Sign in", responses=problems(400, 401, 403, 413, 415, 422))
    async def sign_in(request: Request, response: Response, body: SignIn) -> SessionOut:  # noqa: ARG001
        """Exchange the key in the header for a cookie that is good for asking and reading.

        For pages of this service alone. The cookie ends with the key, and after twelve hours.
        """
        if not keys.required:
            return session_out(False, None, None)
        if not own_page(request.headers):
            raise HTTPException(403, "only a page of this service signs a browser in")
        secret = bearer_secret(request.headers)
        key = None if secret is None else keys.find(secret)
        if key is None:
            # A session does not beget another one: twelve hours are twelve hours.
            headers = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "send the key itself to sign in", headers)
        token, until = sessions.begin(key)
        # The page's own address, which no proxy in between changes, says whether it has TLS.
        secure = request.headers["origin"].startswith("https:")
        response.set_cookie(
            (HOST_PREFIX if secure else "") + cookie_name(request.headers),
            token,
            max_age=SESSION_SECONDS,
            secure=secure,
            httponly=True,
            # Not strict: evidence links are followed from mail, documents and other programs.
            samesite="lax",
        )
        return session_out(True, key.name, until)

    @router.delete("/v1/session", summary="Sign out", status_code=204, responses=problems())
    async def sign_out(request: Request) -> Response:
        """Take the browser's cookie back."""
        response = Response(status_code=204)
        name = cookie_name(request.headers)
        response.delete_cookie(name, httponly=True, samesite="lax")
        response.delete_cookie(HOST_PREFIX + name, secure=True, httponly=True, samesite="lax")
        return response

    return router


def session_out(required: bool, key: str | None, until: int | None) -> SessionOut:
    """Return the wire object of a session, or of none."""
    expires = None if until is None else datetime.fromtimestamp(until, UTC)
    return SessionOut(required=required, key=key, expires_at=expires)
