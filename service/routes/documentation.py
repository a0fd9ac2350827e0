"""Parts of the API's description that many routes share."""

from citewire.service.wire.answers import Problem


def document_problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Document the statuses of a route's problems, except those that every route may have."""
    documented: dict[int | str, dict[str, object]] = {
        "default": {"model": Problem, "description": "Any other error"}
    }
    return documented | {status: {"model": Problem} for status in statuses}
