"""Ask the service that owns a data directory, when this process cannot open it itself."""

import json
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from rag.errors import ArchiveLocked, InvalidInput
from service.quote_schemas import VerifyResponse
from service.schemas import AskResponse, Problem, Ready

TIMEOUT_SECONDS = 60
# The statuses with which the service refuses a question that the library would refuse, too.
REFUSALS = (400, 413, 422)
Reply = TypeVar("Reply", bound=BaseModel)


class RunningService:
    """A service on this machine, found by the note its process left in the data directory."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self._url = url
        self._api_key = api_key

    def ask(self, question: str) -> AskResponse:
        """Return the service's response.

        Raises:
            InvalidInput: the service refuses the question.
            ArchiveLocked: it gives no response.
        """
        body = json.dumps({"question": question}).encode()
        return self._read(AskResponse, "/v1/ask", body)

    def verify(self, quote: str, article_id: str | None) -> VerifyResponse:
        """Return the service's response; raises as `ask` does."""
        body = json.dumps({"quote": quote, "article_id": article_id}).encode()
        return self._read(VerifyResponse, "/v1/verify", body)

    def ready(self) -> Ready:
        """Return what the service says of its archive; raise ArchiveLocked when it is silent."""
        return self._read(Ready, "/health/ready", None)

    def _read(self, kind: type[Reply], path: str, body: bytes | None) -> Reply:
        try:
            return kind.model_validate_json(self._call(path, body))
        except ValidationError as error:
            raise ArchiveLocked(
                f"the archive is in use, and what answers at {self._url} is not Citewire"
            ) from error

    def _call(self, path: str, body: bytes | None) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key}"
        request = urllib.request.Request(self._url + path, body, headers)
        # Never through a proxy: the service is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                content: bytes = response.read()
                return content
        except urllib.error.HTTPError as error:
            detail = detail_of(error)
            if error.code in REFUSALS:
                raise InvalidInput(detail) from error
            raise ArchiveLocked(f"the service at {self._url} answers: {detail}") from error
        except (OSError, HTTPException) as error:
            raise ArchiveLocked(
                f"the archive is in use by a service at {self._url} that does not answer: {error}"
            ) from error


def detail_of(error: urllib.error.HTTPError) -> str:
    """Return what a refusal says, its status where it says nothing that can be read."""
    with error:
        try:
            return Problem.model_validate_json(error.read()).detail
        except (ValidationError, OSError, HTTPException):
            return f"{error.code} {error.reason}"
