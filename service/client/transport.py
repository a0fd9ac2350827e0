"""Calls to a Citewire service over HTTP, and what may come of them instead of an answer.

ClientError
├── ServiceProblem      the service says what is wrong; `problem` has its words
│   ├── BadRequest      correct what was asked
│   ├── KeyRefused      use a key that may do this
│   ├── NotFound        there is nothing of that name
│   └── Unavailable     try again, after `problem.retry_after_s` where it is given
├── Unreachable         no answer came, or not in time
├── NotCitewire         what answers there is something else
└── CutOff              a stream ended before it was whole
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
    """What came is no answer."""


class ServiceProblem(ClientError):
    """The service refuses, or fails, and says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title}: {problem.detail}")
        self.problem = problem


class BadRequest(ServiceProblem):
    """What was asked cannot be answered as it is."""


class KeyRefused(ServiceProblem):
    """No key was sent, or one that may not do this."""


class NotFound(ServiceProblem):
    """There is nothing of that name."""


class Unavailable(ServiceProblem):
    """The service cannot answer now."""


class Unreachable(ClientError):
    """No answer came, or not in time."""


class NotCitewire(ClientError):
    """What answered does not speak this API."""


class CutOff(ClientError):
    """The stream ended without `done`: what came of it is not all."""


KINDS: dict[int, type[ServiceProblem]] = {
    **dict.fromkeys((400, 405, 413, 415, 422, 431), BadRequest),
    **dict.fromkeys((401, 403), KeyRefused),
    404: NotFound,
    **dict.fromkeys((429, 503, 504, 507), Unavailable),
}


class NoRedirects(HTTPRedirectHandler):
    """A key is for one service: it is never sent on to where a response points."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request; a service that is silent for longer than the timeout is given up."""

    method: str
    path: str
    body: bytes | None = None
    timeout_seconds: float = TIMEOUT_SECONDS


class Line:
    """The way to one service; threads may share it. All methods raise ClientError.

    `handlers` are urllib's, and say how it is reached: through which proxy, say.
    """

    def __init__(self, url: str, api_key: str | None, *handlers: BaseHandler) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._opener = build_opener(NoRedirects, *handlers)

    def close(self) -> None:
        """Let go of what is held."""
        self._opener.close()

    def read(self, kind: type[Reply], call: Call) -> Reply:
        """Return the response's body."""
        with self.opened(call) as response:
            content = response.read()
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise NotCitewire(f"what answers at {self.url} is not Citewire") from error

    @contextmanager
    def opened(self, call: Call) -> Iterator[HTTPResponse]:
        """Open the response, to be read as it comes."""
        request = Request(self.url + call.path, call.body, self._headers, method=call.method)
        try:
            with self._opener.open(request, timeout=call.timeout_seconds) as response:
                yield response
        except HTTPError as error:
            raise self._problem(error) from error
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{self.url}: no answer: {error}") from error

    def _problem(self, error: HTTPError) -> ClientError:
        with error:
            try:
                problem = Problem.model_validate_json(error.read())
            except (ValidationError, OSError, HTTPException):
                return NotCitewire(
                    f"the service at {self.url} answers: {error.code} {error.reason}"
                )
        return problem_error(problem)


def problem_error(problem: Problem) -> ServiceProblem:
    """Return what to raise for a problem."""
    return KINDS.get(problem.status, ServiceProblem)(problem)
