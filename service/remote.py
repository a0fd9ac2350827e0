"""Ask the service that owns a data directory, when this process cannot open it itself."""

import json
import urllib.error
import urllib.request

from rag.errors import ArchiveLocked
from service.schemas import AskResponse, Ready

TIMEOUT_SECONDS = 60


class RunningService:
    """A service on this machine, found by the note its process left in the data directory."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self._url = url
        self._api_key = api_key

    def ask(self, question: str) -> AskResponse:
        """Return the service's response; raise ArchiveLocked when it gives none."""
        body = json.dumps({"question": question}).encode()
        return AskResponse.model_validate_json(self._call("/v1/ask", body))

    def ready(self) -> Ready:
        """Return what the service says of its archive; raise ArchiveLocked when it is silent."""
        return Ready.model_validate_json(self._call("/health/ready", None))

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
            detail = json.loads(error.read() or b"{}").get("detail", error.reason)
            raise ArchiveLocked(f"the service at {self._url} answers: {detail}") from error
        except OSError as error:
            raise ArchiveLocked(
                f"the archive is in use by a service at {self._url} that does not answer: {error}"
            ) from error
