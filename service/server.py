"""Serve an archive over HTTP until Ctrl-C or SIGTERM."""

import asyncio
import ipaddress
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from citewire.index.errors import InvalidInput, NotUsable
from citewire.index.system.malloc import return_large_blocks_at_once
from citewire.rag.wiring import Pipeline, open_pipeline, open_pipeline_read_only
from citewire.service.app import build_app
from citewire.service.auth.keys import KeyFile, Keyring
from citewire.service.http.connections import BoundedConnection
from citewire.service.http.guard import LOOPBACK_HOSTS, MAX_HEADER_BYTES, Drain
from citewire.service.settings import ServiceSettings
from citewire.service.work.logs import configure_logs

# Seconds that a shutdown waits for requests in progress.
GRACEFUL_SECONDS = 40
# Seconds for which a service that will end reports that it is not ready before it stops listening.
NOTICE_SECONDS = 0.5
# Seconds that the event loop waits for a computing thread to release the interpreter lock, at
# every system call.
# With Python's 5 ms, accepting a connection while questions are answered takes 50 ms.
SWITCH_SECONDS = 0.0005
MAX_CONNECTIONS = BoundedConnection.max_connections
# File descriptors for everything but connections: the catalogue, the index, the models, and some
# to spare.
OTHER_FILES = 200
TRACE_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DrainingServer(uvicorn.Server):
    """A server that reports that it will end before it does, and answers accepted requests."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; a second signal ends the process at once."""
        super().handle_exit(sig, frame)
        self._drain.begun = True
        for end_signal in END_SIGNALS:
            signal.signal(end_signal, signal.SIG_DFL)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down once load balancers have had time to notice."""
        await asyncio.sleep(NOTICE_SECONDS)
        await super().shutdown(sockets)


def serve(settings: ServiceSettings, host: str, port: int, *, read_only: bool = False) -> None:
    """Open the archive and serve it at the address; return after Ctrl-C or SIGTERM.

    Any number of `read_only` services may run while one owns the archive.

    Raises:
        InvalidInput: other machines could reach the address, and no key or no host name is set.
        NotUsable: the address is taken, or the archive cannot be opened.
    """
    require_key_beyond_loopback(host, build_keyring(settings))
    # Before the models are loaded, which for a moment takes twice their memory.
    return_large_blocks_at_once()
    with bind_socket(host, port) as listening:
        require_names_for_every_address(listening.getsockname()[0], settings.hosts)
        url = build_url(host, listening.getsockname()[1])
        if read_only:
            with open_pipeline_read_only(settings) as pipeline:
                serve_pipeline(pipeline, settings, host, listening)
            return
        with open_pipeline(settings, command="serve", url=url) as pipeline:
            serve_pipeline(pipeline, settings, host, listening)


def serve_pipeline(
    pipeline: Pipeline,
    settings: ServiceSettings,
    host: str,
    listening: socket.socket,
) -> None:
    """Serve an opened pipeline on a bound socket."""
    hosts = LOOPBACK_HOSTS | {format_authority(host).lower()} | settings.hosts
    drain = Drain()
    configure_logs(questions=settings.log_questions)
    app = build_app(pipeline, keys=build_keyring(settings), hosts=hosts, drain=drain)
    with pipeline.archive.maintenance(), trace(app, os.environ) as served:
        run(served, host, listening, drain)


@contextmanager
def trace(app: ASGIApp, environment: Mapping[str, str]) -> Iterator[ASGIApp]:
    """Yield the application, traced where OpenTelemetry's variables name an endpoint."""
    if not any(environment.get(name) for name in TRACE_ENDPOINTS):
        yield app
        return
    # Here, since OpenTelemetry takes a while to import.
    from citewire.service.http.tracing import TracingMiddleware

    tracing = TracingMiddleware(app)
    yield tracing
    tracing.close()


def run(app: ASGIApp, host: str, listening: socket.socket, drain: Drain) -> None:
    """Run the application on the socket until a signal ends it."""
    config = uvicorn.Config(
        app,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        http=BoundedConnection,
        ws="none",
    )
    allow_connections()
    sys.setswitchinterval(SWITCH_SECONDS)
    print(
        f"Citewire answers at {build_url(host, listening.getsockname()[1])} (Ctrl-C stops it)",
        flush=True,
    )
    # After its shutdown uvicorn raises the signal again: both signals become KeyboardInterrupt
    # and end here, so that the archive is closed as usual.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        DrainingServer(config, drain).run(sockets=[listening])


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; before the models are loaded, as it may be taken."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS)
    except UnicodeError as error:
        raise InvalidInput(f"--host {host}: not a host name") from error
    except OSError as error:
        raise NotUsable(f"{host}:{port}: cannot listen there: {error.strerror}") from error


def allow_connections() -> None:
    """Raise the limit of open files to the number of connections, or lower that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    BoundedConnection.max_connections = max(1, min(MAX_CONNECTIONS, allowed - OTHER_FILES))


def build_url(host: str, port: int) -> str:
    """Return the URL of an address."""
    return f"http://{format_authority(host)}:{port}"


def format_authority(host: str) -> str:
    """Return the host as in URLs and the Host header: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def build_keyring(settings: ServiceSettings) -> Keyring:
    """Return the configured keys; raise NotUsable where their file is broken."""
    return Keyring(KeyFile(settings.key_file), settings.api_key)


def require_key_beyond_loopback(host: str, keys: Keyring) -> None:
    """Raise InvalidInput where other machines could ask without a key."""
    if not keys.is_required and not is_loopback(host):
        raise InvalidInput(
            f"--host {host} can be reached from other machines: make a key with `citewire key add`"
            " or set CITEWIRE_API_KEY first"
        )


def require_names_for_every_address(address: str, hosts: frozenset[str]) -> None:
    """Raise InvalidInput where the service listens on every address and no host name is set."""
    if not hosts and ipaddress.ip_address(address).is_unspecified:
        raise InvalidInput(
            f"--host {address} stands for every address: set CITEWIRE_HOSTS to the names that"
            " clients use for this machine"
        )
