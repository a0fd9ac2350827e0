"""Every error as problem details (RFC 9457), whoever raised it."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount
from starlette.types import Scope

from citewire.index.errors import (
    InvalidInput,
    NotUsable,
    ReadOnlyArchive,
    StorageFull,
    UnknownArticle,
    VectorServerAway,
)
from citewire.rag.errors import BrokenCitation, UnknownEvidence
from citewire.service.wire.answers import FieldProblem, Problem
from citewire.service.work.executor import DeadlinePassed, Overloaded
from citewire.service.work.writer import WriterBusy

MEDIA_TYPE = "application/problem+json"
# The key of the application's state, by the lifespan's protocol, that holds a Shape for each path
# whose clients speak a foreign protocol.
SHAPES = "problem_shapes"
RETRY_AFTER_SECONDS = 2
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The names of RFC 9110; Python has them from 3.13 on, and a problem's type must not vary.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

# Gives a problem's status and body as a foreign protocol has them.
Shape = Callable[[Problem], tuple[int, Mapping[str, object]]]

log = logging.getLogger("citewire.service")


def request_id(scope: Scope) -> str:
    """Return the id that the outermost layer gave this request."""
    return str(scope["state"]["request_id"])


def problem(
    scope: Scope,
    status: int,
    detail: str,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return an error response with the status' usual title."""
    title = TITLES.get(status, HTTPStatus(status).phrase)
    return respond(scope, titled(scope, title, status, detail, errors), headers)


def overloaded(scope: Scope) -> JSONResponse:
    """Return the response to a question for which there is no place."""
    detail = "too many questions are waiting; try again in a moment"
    return respond(scope, titled(scope, "Overloaded", HTTPStatus.TOO_MANY_REQUESTS, detail))


def rate_limited(scope: Scope, seconds: int) -> JSONResponse:
    """Return the response to a key that made as many requests as it may for now."""
    detail = f"this key has made as many requests as it may; try again in {seconds} seconds"
    limited = titled(scope, "Rate Limited", HTTPStatus.TOO_MANY_REQUESTS, detail)
    return respond(scope, limited.model_copy(update={"retry_after_s": seconds}))


def changes_elsewhere(scope: Scope) -> JSONResponse:
    """Return the response to a change that is sent to a service which only reads."""
    detail = "this service only reads the archive; send changes to the one that owns it"
    return respond(scope, titled(scope, "Read Only", HTTPStatus.FORBIDDEN, detail))


def titled(
    scope: Scope, title: str, status: int, detail: str, errors: list[FieldProblem] | None = None
) -> Problem:
    """Return a problem; its type follows from its title."""
    again = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    return Problem(
        type=f"/problems/{quote(title.lower().replace(' ', '-'))}",
        title=title,
        status=status,
        detail=sendable(detail),
        instance=f"/requests/{request_id(scope)}",
        errors=errors
        and [
            FieldProblem(field=sendable(each.field), problem=sendable(each.problem))
            for each in errors
        ],
        retry_after_s=RETRY_AFTER_SECONDS if again else None,
    )


def sendable(text: str) -> str:
    """Return the text without what UTF-8 cannot say: a request may have named its fields so."""
    return text.encode("utf-8", "replace").decode()


def respond(scope: Scope, found: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the problem as a response, and leave its type where logs and metrics find it."""
    scope["state"]["problem"] = found.type
    if found.retry_after_s is not None:
        headers = {"Retry-After": str(found.retry_after_s)} | (headers or {})
    # A request that cannot be parsed asks for no path.
    shape = scope["state"].get(SHAPES, {}).get(scope.get("path"))
    if shape is not None:
        status, error = shape(found)
        return JSONResponse(error, status, headers)
    content = found.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, found.status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make the application answer every error with problem details."""
    app.add_exception_handler(RequestValidationError, invalid_request)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(UnknownArticle, simple(HTTPStatus.NOT_FOUND))
    app.add_exception_handler(UnknownEvidence, simple(HTTPStatus.NOT_FOUND))
    app.add_exception_handler(InvalidInput, simple(HTTPStatus.UNPROCESSABLE_ENTITY))
    app.add_exception_handler(Overloaded, no_place)
    app.add_exception_handler(DeadlinePassed, simple(HTTPStatus.GATEWAY_TIMEOUT))
    app.add_exception_handler(WriterBusy, busy)
    app.add_exception_handler(StorageFull, full)
    app.add_exception_handler(ReadOnlyArchive, read_only)
    app.add_exception_handler(VectorServerAway, away)
    app.add_exception_handler(NotUsable, unusable)
    app.add_exception_handler(BrokenCitation, unexpected)
    app.add_exception_handler(Exception, unexpected)


async def respond_to(request: Request, error: Exception) -> Response:
    """Return what the application answers when a route raises this error."""
    handlers = request.app.exception_handlers
    handle = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
    response: Response = await handle(request, error)
    return response


def simple(status: HTTPStatus):  # type: ignore[no-untyped-def]
    """Return a handler that answers with this status and the error's own words."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        return problem(request.scope, status, str(error))

    return handle


async def no_place(request: Request, _: Exception) -> JSONResponse:
    """Answer a question for which there was no place any more when its body had been read."""
    return overloaded(request.scope)


async def busy(request: Request, error: Exception) -> JSONResponse:
    """Answer a change that would have to wait behind too many others."""
    found = titled(request.scope, "Overloaded", HTTPStatus.TOO_MANY_REQUESTS, str(error))
    return respond(request.scope, found)


async def full(request: Request, error: Exception) -> JSONResponse:
    """Answer that there is no room for more; where is the operator's to know."""
    log.error("no room in request %s", request_id(request.scope), exc_info=error)
    detail = "the disk is nearly full: nothing more is stored; articles can still be removed"
    return problem(request.scope, HTTPStatus.INSUFFICIENT_STORAGE, detail)


async def invalid_request(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that the schema refuses: 400 for broken JSON, else 422."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return problem(request.scope, HTTPStatus.BAD_REQUEST, "the body is not valid JSON")
    errors = [
        FieldProblem(field=".".join(str(part) for part in item["loc"][1:]), problem=item["msg"])
        for item in found
    ]
    detail = "; ".join(f"{item.field or 'the body'}: {item.problem}" for item in errors)
    return problem(request.scope, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


async def http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses: no such route, method not allowed, body too large."""
    assert isinstance(error, HTTPException)
    details = {
        404: f"there is nothing at {request.url.path}",
        # The framework found it to be no text, or too deep.
        400: "the body is not valid JSON",
        405: f"{request.method} is not allowed at {request.url.path}",
    }
    detail = details.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework names the methods of one route; static files are no routes.
        headers["Allow"] = allowed_methods(request) or "GET"
    return problem(request.scope, error.status_code, detail, headers=headers)


def allowed_methods(request: Request) -> str:
    """Return the methods of all routes at the request's path, as the Allow header has them."""
    return ", ".join(
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    )


def has_route(app: FastAPI, scope: Scope) -> bool:
    """Say whether a route answers this method at this path; static files are no routes."""
    return any(
        route.matches(scope)[0] is Match.FULL
        for route in app.routes
        if not isinstance(route, Mount)
    )


async def unusable(request: Request, error: Exception) -> JSONResponse:
    """Answer that the archive cannot be used; why is the operator's to know."""
    log.error("archive not usable in request %s", request_id(request.scope), exc_info=error)
    detail = "the archive cannot be used at present"
    return problem(request.scope, HTTPStatus.SERVICE_UNAVAILABLE, detail)


async def read_only(request: Request, _: Exception) -> JSONResponse:
    """Answer a change that reached a service which only reads."""
    return changes_elsewhere(request.scope)


async def away(request: Request, error: Exception) -> JSONResponse:
    """Answer that the Chroma server does not answer; where it is is the operator's to know."""
    log.warning("%s, in request %s", error, request_id(request.scope))
    detail = "the server that holds the vector index does not answer; try again in a moment"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return respond(request.scope, titled(request.scope, "Vector Server Away", status, detail))


async def unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answer a bug with its id alone; the log has the rest."""
    log.error("unexpected in request %s", request_id(request.scope), exc_info=error)
    detail = "something went wrong here; the operator finds it in the log by this instance"
    return problem(request.scope, HTTPStatus.INTERNAL_SERVER_ERROR, detail)
