"""HTTP calls to a Citewire service, and their errors.

ClientError
├── ServiceProblem      the service reports a problem, `problem`
│   ├── BadRequest      correct the request
│   ├── KeyRefused      use a key with the scope that this needs
│   ├── NotFound        there is nothing of that name
│   └── Unavailable     try again, after `problem.retry_after_s` where it is given
├── Unreachable         no response came, or not in time
├── NotCitewire         the response is not Citewire's
└── CutOff              a stream ended before it was whole

By urllib and not httpx, although that is installed: the commands make one call each, beside a
running service, and httpx takes three times as long to import (86 ms against 26 ms) for pools
and HTTP/2 that a single call does not use.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import BaseHandler, HTTPRedirectHandler, Request, build_opener

from pydantic import BaseModel, ValidationError

from citewire.service.wire.answers import Problem

TIMEOUT_SECONDS = 60.0
Reply = TypeVar("Reply", bound=BaseModel)


class ClientError(Exception):
    """There is no answer."""


class ServiceProblem(ClientError):
    """The service refuses or fails, and reports a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title}: {problem.detail}")
        self.problem = problem

    @staticmethod
    def from_problem(problem: Problem) -> "ServiceProblem":
        """Build the error of the problem's kind, by its status."""
        return KINDS.get(problem.status, ServiceProblem)(problem)


class BadRequest(ServiceProblem):
    """The request cannot be answered as it is."""


class KeyRefused(ServiceProblem):
    """No key was sent, or one without the scope that this needs."""


class NotFound(ServiceProblem):
    """There is nothing of that name."""


class Unavailable(ServiceProblem):
    """The service cannot answer now."""


class Unreachable(ClientError):
    """No response came, or not in time."""


class NotCitewire(ClientError):
    """The response is not of this API."""


class CutOff(ClientError):
    """The stream ended without `done`; events are missing."""


KINDS: dict[int, type[ServiceProblem]] = {
    **dict.fromkeys((400, 405, 413, 415, 422, 431), BadRequest),
    **dict.fromkeys((401, 403), KeyRefused),
    404: NotFound,
    **dict.fromkeys((429, 503, 504, 507), Unavailable),
}


class NoRedirects(HTTPRedirectHandler):
    """Refuses redirects: a key is for one service, and is never sent to another."""

    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. The timeout is for each wait for the service, not for the whole call."""

    method: str
    path: str
    body: bytes | None = None
    timeout_seconds: float = TIMEOUT_SECONDS


class Transport:
    """Makes calls to one service; threads may share it. All methods raise ClientError.

    `handlers` are urllib's, such as a ProxyHandler.
    """

    def __init__(self, url: str, api_key: str | None, *handlers: BaseHandler) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._opener = build_opener(NoRedirects, *handlers)

    def close(self) -> None:
        """Close the connections."""
        self._opener.close()

    def read(self, kind: type[Reply], call: Call) -> Reply:
        """Return the response's body as a wire object."""
        with self.open(call) as response:
            content = response.read()
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise NotCitewire(f"what answers at {self.url} is not Citewire") from error

    @contextmanager
    def open(self, call: Call) -> Iterator[HTTPResponse]:
        """Yield the response, to be read as it comes."""
        request = Request(self.url + call.path, call.body, self._headers, method=call.method)
        try:
            with self._opener.open(request, timeout=call.timeout_seconds) as response:
                yield response
        except HTTPError as error:
            raise self._read_problem(error) from error
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{self.url}: no answer: {error}") from error

    def _read_problem(self, error: HTTPError) -> ClientError:
        with error:
            try:
                problem = Problem.model_validate_json(error.read())
            except (ValidationError, OSError, HTTPException):
                return NotCitewire(
                    f"the service at {self.url} answers: {error.code} {error.reason}"
                )
        return ServiceProblem.from_problem(problem)
