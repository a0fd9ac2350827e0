"""Every error as problem details (RFC 9457), wherever it was raised."""

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
# Key in the ASGI lifespan state of a Shape for each path whose clients expect another one.
SHAPES = "problem_shapes"
# Seconds that a client waits after a refusal before it tries again.
RETRY_AFTER_SECONDS = 2
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# As in RFC 9110. Python's names are these from 3.13 on; a problem's type must not depend on it.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

# Converts a problem to the status and body of another protocol.
Shape = Callable[[Problem], tuple[int, Mapping[str, object]]]

log = logging.getLogger("citewire.service")


def get_request_id(scope: Scope) -> str:
    """Return the request's id, which RequestLog has set."""
    return str(scope["state"]["request_id"])


def refuse(
    scope: Scope,
    status: int,
    detail: str,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return a problem as a response, with the usual title of its status."""
    title = TITLES.get(status, HTTPStatus(status).phrase)
    return build_response(scope, build_problem(scope, title, status, detail, errors), headers)


def refuse_overload(scope: Scope) -> JSONResponse:
    """Return the refusal of a question because the queue is full."""
    detail = "too many questions are waiting; try again in a moment"
    overloaded = build_problem(scope, "Overloaded", HTTPStatus.TOO_MANY_REQUESTS, detail)
    return build_response(scope, overloaded)


def refuse_rate(scope: Scope, seconds: int) -> JSONResponse:
    """Return the refusal of a key that has spent its requests."""
    detail = f"this key has made as many requests as it may; try again in {seconds} seconds"
    limited = build_problem(scope, "Rate Limited", HTTPStatus.TOO_MANY_REQUESTS, detail)
    return build_response(scope, limited.model_copy(update={"retry_after_s": seconds}))


def refuse_change(scope: Scope) -> JSONResponse:
    """Return the refusal of a change by a service that only reads."""
    detail = "this service only reads the archive; send changes to the one that owns it"
    return build_response(scope, build_problem(scope, "Read Only", HTTPStatus.FORBIDDEN, detail))


def build_problem(
    scope: Scope, title: str, status: int, detail: str, errors: list[FieldProblem] | None = None
) -> Problem:
    """Build a problem; its type is made from its title."""
    retry_helps = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    return Problem(
        type=f"/problems/{quote(title.lower().replace(' ', '-'))}",
        title=title,
        status=status,
        detail=replace_surrogates(detail),
        instance=f"/requests/{get_request_id(scope)}",
        errors=errors
        and [
            FieldProblem(
                field=replace_surrogates(each.field), problem=replace_surrogates(each.problem)
            )
            for each in errors
        ],
        retry_after_s=RETRY_AFTER_SECONDS if retry_helps else None,
    )


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which have no UTF-8 form; a request may contain them, escaped."""
    return text.encode("utf-8", "replace").decode()


def build_response(
    scope: Scope, found: Problem, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return the problem as a response, and note its type for the log and the metrics."""
    scope["state"]["problem"] = found.type
    if found.retry_after_s is not None:
        headers = {"Retry-After": str(found.retry_after_s)} | (headers or {})
    # A request that could not be parsed has no path.
    shape = scope["state"].get(SHAPES, {}).get(scope.get("path"))
    if shape is not None:
        status, error = shape(found)
        return JSONResponse(error, status, headers)
    content = found.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, found.status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make the application answer every error with problem details."""
    app.add_exception_handler(RequestValidationError, handle_invalid_request)
    app.add_exception_handler(HTTPException, handle_http_error)
    app.add_exception_handler(UnknownArticle, build_handler(HTTPStatus.NOT_FOUND))
    app.add_exception_handler(UnknownEvidence, build_handler(HTTPStatus.NOT_FOUND))
    app.add_exception_handler(InvalidInput, build_handler(HTTPStatus.UNPROCESSABLE_ENTITY))
    app.add_exception_handler(Overloaded, handle_overload)
    app.add_exception_handler(DeadlinePassed, build_handler(HTTPStatus.GATEWAY_TIMEOUT))
    app.add_exception_handler(WriterBusy, handle_writer_busy)
    app.add_exception_handler(StorageFull, handle_storage_full)
    app.add_exception_handler(ReadOnlyArchive, handle_read_only)
    app.add_exception_handler(VectorServerAway, handle_server_away)
    app.add_exception_handler(NotUsable, handle_not_usable)
    app.add_exception_handler(BrokenCitation, handle_unexpected)
    app.add_exception_handler(Exception, handle_unexpected)


async def handle_error(request: Request, error: Exception) -> Response:
    """Return the application's response to an error that a route raises."""
    handlers = request.app.exception_handlers
    handle = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
    response: Response = await handle(request, error)
    return response


def build_handler(status: HTTPStatus):  # type: ignore[no-untyped-def]
    """Return a handler that answers with this status and the error's message."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        return refuse(request.scope, status, str(error))

    return handle


async def handle_overload(request: Request, _: Exception) -> JSONResponse:
    """Refuse a question because the queue became full while its body was read."""
    return refuse_overload(request.scope)


async def handle_writer_busy(request: Request, error: Exception) -> JSONResponse:
    """Refuse a change because too many others are waiting."""
    found = build_problem(request.scope, "Overloaded", HTTPStatus.TOO_MANY_REQUESTS, str(error))
    return build_response(request.scope, found)


async def handle_storage_full(request: Request, error: Exception) -> JSONResponse:
    """Answer that the disk is full; the folder is only logged."""
    log.error("no room in request %s", get_request_id(request.scope), exc_info=error)
    detail = "the disk is nearly full: nothing more is stored; articles can still be removed"
    return refuse(request.scope, HTTPStatus.INSUFFICIENT_STORAGE, detail)


async def handle_invalid_request(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that its schema refuses: 400 for invalid JSON, else 422."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return refuse(request.scope, HTTPStatus.BAD_REQUEST, "the body is not valid JSON")
    errors = [
        FieldProblem(field=".".join(str(part) for part in item["loc"][1:]), problem=item["msg"])
        for item in found
    ]
    detail = "; ".join(f"{item.field or 'the body'}: {item.problem}" for item in errors)
    return refuse(request.scope, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


async def handle_http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer a refusal by the framework: no such route, method not allowed, body too large."""
    if not isinstance(error, HTTPException):
        raise error
    details = {
        404: f"there is nothing at {request.url.path}",
        # It is not UTF-8, or nested too deep.
        400: "the body is not valid JSON",
        405: f"{request.method} is not allowed at {request.url.path}",
    }
    detail = details.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework names the methods of one route only.
        headers["Allow"] = list_methods(request) or "GET"
    return refuse(request.scope, error.status_code, detail, headers=headers)


def list_methods(request: Request) -> str:
    """Return the value of the Allow header: the methods of all routes at the request's path."""
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


async def handle_not_usable(request: Request, error: Exception) -> JSONResponse:
    """Answer that the archive cannot be used; the reason is only logged."""
    log.error("archive not usable in request %s", get_request_id(request.scope), exc_info=error)
    detail = "the archive cannot be used at present"
    return refuse(request.scope, HTTPStatus.SERVICE_UNAVAILABLE, detail)


async def handle_read_only(request: Request, _: Exception) -> JSONResponse:
    """Refuse a change because the service only reads."""
    return refuse_change(request.scope)


async def handle_server_away(request: Request, error: Exception) -> JSONResponse:
    """Answer that the Chroma server does not respond; its address is only logged."""
    log.warning("%s, in request %s", error, get_request_id(request.scope))
    detail = "the server that holds the vector index does not answer; try again in a moment"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return build_response(
        request.scope, build_problem(request.scope, "Vector Server Away", status, detail)
    )


async def handle_unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answer a bug with the request's id only; the log has the rest."""
    log.error("unexpected in request %s", get_request_id(request.scope), exc_info=error)
    detail = "something went wrong here; the operator finds it in the log by this instance"
    return refuse(request.scope, HTTPStatus.INTERNAL_SERVER_ERROR, detail)
