"""Every error as problem details (RFC 9457), whoever raised it."""

import logging
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from rag.errors import BrokenCitation, InvalidInput, NotUsable, UnknownArticle
from service.inference import DeadlinePassed, Overloaded
from service.schemas import FieldProblem, Problem

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
# The names of RFC 9110; Python has them from 3.13 on, and a problem's type must not vary.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

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
    body = Problem(
        type=f"/problems/{quote(title.lower().replace(' ', '-'))}",
        title=title,
        status=status,
        detail=detail,
        instance=f"/requests/{request_id(scope)}",
        errors=errors,
    )
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} | (headers or {})
    content = body.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make the application answer every error with problem details."""
    app.add_exception_handler(RequestValidationError, invalid_request)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(UnknownArticle, simple(HTTPStatus.NOT_FOUND))
    app.add_exception_handler(InvalidInput, simple(HTTPStatus.UNPROCESSABLE_ENTITY))
    app.add_exception_handler(Overloaded, simple(HTTPStatus.TOO_MANY_REQUESTS))
    app.add_exception_handler(DeadlinePassed, simple(HTTPStatus.GATEWAY_TIMEOUT))
    app.add_exception_handler(NotUsable, unusable)
    app.add_exception_handler(BrokenCitation, unexpected)
    app.add_exception_handler(Exception, unexpected)


def simple(status: HTTPStatus):  # type: ignore[no-untyped-def]
    """Return a handler that answers with this status and the error's own words."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        return problem(request.scope, status, str(error))

    return handle


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
        405: f"{request.method} is not allowed at {request.url.path}",
    }
    detail = details.get(error.status_code, str(error.detail))
    return problem(request.scope, error.status_code, detail, headers=dict(error.headers or {}))


async def unusable(request: Request, error: Exception) -> JSONResponse:
    """Answer that the archive cannot be used; why is the operator's to know."""
    log.error("archive not usable in request %s", request_id(request.scope), exc_info=error)
    detail = "the archive cannot be used at present"
    return problem(request.scope, HTTPStatus.SERVICE_UNAVAILABLE, detail)


async def unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answer a bug with its id alone; the log has the rest."""
    log.error("unexpected in request %s", request_id(request.scope), exc_info=error)
    detail = "something went wrong here; the operator finds it in the log by this instance"
    return problem(request.scope, HTTPStatus.INTERNAL_SERVER_ERROR, detail)
