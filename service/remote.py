"""Ask the service that owns a data directory, when this process cannot open it itself."""

import json
import urllib.error
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from rag.data_directory import read_owner
from rag.errors import ArchiveLocked, InvalidInput, UnknownArticle
from rag.settings import Settings
from rag.types import Filters, Question
from service.article_schemas import BatchOutcome, KnownArticles
from service.quote_schemas import VerifyResponse
from service.schemas import AskResponse, Problem, Ready
from service.search_schemas import SearchResponse

# A silent service is given up after this long; storing a batch takes seconds, a very long
# article some minutes.
TIMEOUT_SECONDS = 60
STORING_TIMEOUT_SECONDS = 1800
# The statuses with which the service refuses a question that the library would refuse, too.
REFUSALS = (400, 413, 422)
EVERYTHING = Filters()
Reply = TypeVar("Reply", bound=BaseModel)


class RunningService:
    """A service on this machine, found by the note its process left in the data directory."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self.url = url
        self._api_key = api_key

    def ask(self, question: str, filters: Filters = EVERYTHING) -> AskResponse:
        """Return the service's response.

        Raises:
            InvalidInput: the service refuses the question.
            ArchiveLocked: it gives no response.
        """
        asked = {"question": question} | filters_json(filters)
        return self._read(AskResponse, "/v1/ask", json.dumps(asked).encode())

    def search(self, question: Question, limit: int, *, explain: bool) -> SearchResponse:
        """Return the service's response; raises as `ask` does."""
        asked = {"question": question.text, "limit": limit, "explain": explain}
        asked |= filters_json(question.filters)
        return self._read(SearchResponse, "/v1/search", json.dumps(asked).encode())

    def verify(self, words: str, article_id: str | None) -> VerifyResponse:
        """Return the service's response; raises as `ask` does."""
        body = json.dumps({"quote": words, "article_id": article_id}).encode()
        return self._read(VerifyResponse, "/v1/verify", body)

    def known(self, cursor: str) -> KnownArticles:
        """Return a page of what the service knows of its articles; raises as `ask` does."""
        body = json.dumps({"cursor": cursor}).encode()
        return self._read(KnownArticles, "/v1/articles/known", body)

    def store(self, body: bytes) -> BatchOutcome:
        """Have articles stored, those of a request's body; raises as `ask` does."""
        return self._read(BatchOutcome, "/v1/articles", body)

    def remove(self, article_id: str) -> None:
        """Have an article removed; raise UnknownArticle when there is none, else as `ask`."""
        self._call(f"/v1/articles/{quote(article_id, safe='')}", None, "DELETE")

    def ready(self) -> Ready:
        """Return what the service says of its archive; raise ArchiveLocked when it is silent."""
        return self._read(Ready, "/health/ready", None)

    def _timeout(self, path: str) -> int:
        return STORING_TIMEOUT_SECONDS if path == "/v1/articles" else TIMEOUT_SECONDS

    def _read(self, kind: type[Reply], path: str, body: bytes | None) -> Reply:
        try:
            return kind.model_validate_json(self._call(path, body))
        except ValidationError as error:
            raise ArchiveLocked(
                f"the archive is in use, and what answers at {self.url} is not Citewire"
            ) from error

    def _call(self, path: str, body: bytes | None, method: str | None = None) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key}"
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        # Never through a proxy: the service is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self._timeout(path)) as response:
                content: bytes = response.read()
                return content
        except urllib.error.HTTPError as error:
            detail = detail_of(error)
            if error.code == HTTPStatus.NOT_FOUND and method == "DELETE":
                raise UnknownArticle(path) from error
            if error.code in REFUSALS:
                raise InvalidInput(detail) from error
            raise ArchiveLocked(f"the service at {self.url} answers: {detail}") from error
        except (OSError, HTTPException) as error:
            raise ArchiveLocked(
                f"the archive is in use by a service at {self.url} that does not answer: {error}"
            ) from error


def service_with(settings: Settings, locked: ArchiveLocked) -> RunningService:
    """Return the service that has the archive open; raise `locked` when what has it is none."""
    owner = read_owner(settings.data)
    if owner is None or owner.url is None:
        raise locked
    return RunningService(owner.url, settings.api_key)


def filters_json(filters: Filters) -> dict[str, object]:
    """Return the filters as a request gives them; nothing when there are none."""
    if not filters:
        return {}
    given = {
        "published_from": filters.published_from and filters.published_from.isoformat(),
        "published_to": filters.published_to and filters.published_to.isoformat(),
        "sources": sorted(filters.sources),
    }
    return {"filters": given}


def detail_of(error: urllib.error.HTTPError) -> str:
    """Return what a refusal says, its status where it says nothing that can be read."""
    with error:
        try:
            return Problem.model_validate_json(error.read()).detail
        except (ValidationError, OSError, HTTPException):
            return f"{error.code} {error.reason}"
