"""The address of a Chroma server."""

import http.client
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from citewire.index.errors import InvalidInput, VectorServerAway

# Seconds until connecting times out, and the answer to a heartbeat.
SECONDS_TO_CONNECT = 2.0
DEFAULT_PORTS = {"http": 8000, "https": 443}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of a Chroma server, over TLS or not."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def require_heartbeat(self) -> None:
        """Raise VectorServerAway unless a Chroma server answers in time."""
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        with closing(kind(self.host, self.port, timeout=SECONDS_TO_CONNECT)) as connection:
            try:
                connection.request("GET", "/api/v2/heartbeat")
                answer = connection.getresponse().read(1000)
            except (OSError, http.client.HTTPException) as error:
                raise VectorServerAway(
                    f"{self}: the Chroma server does not answer: {error}"
                ) from error
        if b"heartbeat" not in answer:
            raise VectorServerAway(f"{self}: answers, but is no Chroma server")


def read_address(url: str) -> ServerAddress:
    """Read `http://HOST:PORT` or `https://HOST:PORT`; raise InvalidInput for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput(f"CITEWIRE_CHROMA_URL is {url!r}: {error}") from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise InvalidInput(f"CITEWIRE_CHROMA_URL is {url!r}; it is like http://127.0.0.1:8000")
    if parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidInput(
            "CITEWIRE_CHROMA_URL has more than a host and a port; it is like http://127.0.0.1:8000"
        )
    return ServerAddress(
        parts.hostname,
        DEFAULT_PORTS[parts.scheme] if port is None else port,
        tls=parts.scheme == "https",
    )
