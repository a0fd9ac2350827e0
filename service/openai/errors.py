"""Problems in the shape that clients of OpenAI's API read."""

from http import HTTPStatus

from citewire.service.wire.answers import Problem

PATHS = frozenset(["/v1/models", "/v1/chat/completions"])
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def openai_status(status: int) -> int:
    """Return the status that OpenAI's API has for it: what a schema refuses is a bad request."""
    return 400 if status == HTTPStatus.UNPROCESSABLE_ENTITY else status


def openai_error(found: Problem) -> dict[str, dict[str, str | None]]:
    """Return the problem as that API's error object."""
    usual = "server_error" if found.status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": found.detail,
            "type": TYPES.get(found.status, usual),
            "param": found.errors[0].field if found.errors else None,
            "code": CODES.get(found.status, found.type.rpartition("/")[2].replace("-", "_")),
        }
    }
