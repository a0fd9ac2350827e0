"""Problems in the shape that clients of OpenAI's API read."""

from http import HTTPStatus

from citewire.service.http.problems import Shape
from citewire.service.wire.answers import Problem

CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def convert_problem(found: Problem) -> tuple[int, dict[str, dict[str, str | None]]]:
    """Return the problem as that API's status and error object.

    A request that a schema refuses is a bad request there.
    """
    status = 400 if found.status == HTTPStatus.UNPROCESSABLE_ENTITY else found.status
    usual = "server_error" if found.status >= 500 else "invalid_request_error"
    return status, {
        "error": {
            "message": found.detail,
            "type": TYPES.get(found.status, usual),
            "param": found.errors[0].field if found.errors else None,
            "code": CODES.get(found.status, found.type.rpartition("/")[2].replace("-", "_")),
        }
    }


SHAPES: dict[str, Shape] = dict.fromkeys(["/v1/models", "/v1/chat/completions"], convert_problem)
