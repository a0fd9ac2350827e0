"""Shared by the load commands: a service, questions, and clients that count and time responses.

The clients run in this process, at a lower priority than the service: on a small machine they
would otherwise take the CPU time that they measure.
"""

import argparse
import asyncio
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

# Status of a request whose connection failed.
RESET = 0
# Longest question that the service takes.
MAX_CHARACTERS = 1000
# Seconds without a new file, thread or child process until the service counts as settled, and the
# most that are waited for this.
SETTLED_SECONDS = 3
MAX_SECONDS_TO_SETTLE = 60


def build_parser(purpose: str, seconds: float) -> argparse.ArgumentParser:
    """Build the parser with the arguments of every load command."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("questions", type=Path, help='one {"question": …} a line')
    parser.add_argument("--data", type=Path, required=True, help="an indexed data directory")
    parser.add_argument("--seconds", type=float, default=seconds, help="default: %(default)s")
    parser.add_argument(
        "--cached", action="store_true", help="let the answer cache answer repeated questions"
    )
    return parser


@dataclass
class Service:
    """A running service and the resources that its process uses."""

    host: str
    port: int
    pid: int

    @property
    def resident_mib(self) -> float:
        """Resident set size, mapped files included."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def own_mib(self) -> float:
        """Anonymous resident memory (RssAnon), without mapped files."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found.group(1)) / 1024

    @property
    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @property
    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    @property
    def has_children(self) -> bool:
        """Whether it has child processes, other than Python's resource tracker."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        pids = [pid for task in tasks for pid in (task / "children").read_text().split()]
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids]
        return any(b"resource_tracker" not in command for command in commands)


@contextmanager
def run_service(data: Path) -> Iterator[Service]:
    """Serve the archive in its own process; lower the priority of this one."""
    process, url = start_service(data)
    with process:
        try:
            os.nice(5)
            address = urlsplit(url)
            assert address.hostname is not None
            assert address.port is not None
            yield Service(address.hostname, address.port, process.pid)
        finally:
            process.terminate()


def start_service(data: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a service over the archive; once it listens, return its process and its address."""
    command = [
        sys.executable,
        "-m",
        "citewire",
        "serve",
        "--port",
        "0",
        "--data",
        str(data),
    ]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        if found is None:
            process.wait()
            log.seek(0)
            sys.exit(f"the service ended: {log.read()[-500:]}")
    return process, found.group()


def generate_requests(file: Path, *, cached: bool) -> Iterator[bytes]:
    """Yield the file's questions as requests, endlessly; all different unless `cached`."""
    lines = file.read_text("utf-8").splitlines()
    texts = [json.loads(line)["question"] for line in lines if line.strip()]
    for turn in itertools.count():
        for text in texts:
            # Trailing spaces change the key of the answer cache and nothing else.
            varied = text if cached else text + " " * (turn % (MAX_CHARACTERS - len(text)))
            yield json.dumps({"question": varied}).encode()


@dataclass
class Client:
    """A keep-alive connection, which is opened again when the service has closed it."""

    service: Service
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, body: bytes = b"") -> tuple[int, float, bytes]:
        """Return the status, the seconds until the last byte, and the body; RESET for none."""
        started = time.perf_counter()
        try:
            if self.streams is not None and self.streams[0].at_eof():
                # Servers may close idle keep-alive connections; clients then open a new one.
                self.close()
            if self.streams is None:
                self.streams = await asyncio.open_connection(self.service.host, self.service.port)
            reader, writer = self.streams
            head = f"{method} {path} HTTP/1.1\r\nHost: {self.service.host}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            received = await reader.readuntil(b"\r\n\r\n")
            status = int(received[9:12])
            length = re.search(rb"content-length: (\d+)", received.lower())
            assert length is not None
            content = await reader.readexactly(int(length.group(1)))
        except (OSError, EOFError, ValueError):
            self.close()
            return RESET, time.perf_counter() - started, b""
        if b"connection: close" in received.lower():
            self.close()
        return status, time.perf_counter() - started, content

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


@dataclass
class Tally:
    """Response times in seconds by status, and the number of requests that were not sent."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    unsent: int = 0

    def add(self, status: int, seconds: float) -> None:
        self.seconds.setdefault(status, []).append(seconds)

    def count(self, status: int) -> int:
        return len(self.seconds.get(status, []))

    @property
    def statuses(self) -> Counter[int]:
        return Counter({status: len(times) for status, times in self.seconds.items()})

    @property
    def errors(self) -> int:
        return sum(self.count(status) for status in self.seconds if status >= 500)

    @property
    def failed(self) -> int:
        """Number of requests without status 200."""
        return sum(len(times) for status, times in self.seconds.items() if status != 200)

    def compute_percentile_ms(self, status: int, share: float) -> float:
        """Return a percentile (a share, 0 to 1) of the response times with this status, in ms."""
        times = sorted(self.seconds.get(status, []))
        if not times:
            return float("nan")
        return 1000 * times[min(len(times) - 1, int(share * len(times)))]


async def run_closed_loop(
    running: Service, requests: Iterator[bytes], *, clients: int, seconds: float
) -> Tally:
    """Closed-loop load: each client sends its next question when it has its answer."""
    tally = Tally()
    end = time.perf_counter() + seconds

    async def ask_on() -> None:
        client = Client(running)
        while time.perf_counter() < end:
            status, took, _ = await client.send("POST", "/v1/ask", next(requests))
            tally.add(status, took)
        client.close()

    await asyncio.gather(*[ask_on() for _ in range(clients)])
    return tally


async def run_open_loop(
    running: Service, requests: Iterator[bytes], *, rate: float, clients: int, seconds: float
) -> Tally:
    """Open-loop load: questions at a fixed rate; without an idle client they count as `unsent`."""
    tally = Tally()
    idle = [Client(running) for _ in range(clients)]
    asking: set[asyncio.Task[None]] = set()

    async def ask(client: Client) -> None:
        status, took, _ = await client.send("POST", "/v1/ask", next(requests))
        tally.add(status, took)
        idle.append(client)

    started = time.perf_counter()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        if not idle:
            tally.unsent += 1
            continue
        task = asyncio.ensure_future(ask(idle.pop()))
        asking.add(task)
        task.add_done_callback(asking.discard)
    await asyncio.gather(*asking)
    for client in idle:
        client.close()
    return tally


@asynccontextmanager
async def probe(running: Service, path: str, every_seconds: float) -> AsyncIterator[Tally]:
    """Request a path at an interval during the block."""
    tally = Tally()

    async def watch() -> None:
        client = Client(running)
        while True:
            status, took, _ = await client.send("GET", path)
            tally.add(status, took)
            await asyncio.sleep(every_seconds)

    watching = asyncio.ensure_future(watch())
    try:
        yield tally
    finally:
        watching.cancel()


async def warm_up(running: Service, requests: Iterator[bytes]) -> None:
    """Ask a few questions, then wait until the service has loaded everything and settled."""
    await run_closed_loop(running, requests, clients=4, seconds=3)
    started = quiet_since = time.perf_counter()
    state = 0, 0
    while time.perf_counter() - quiet_since < SETTLED_SECONDS:
        now = running.open_files, running.threads
        # A child process verifies the vector index before the service opens it.
        if now != state or running.has_children:
            state, quiet_since = now, time.perf_counter()
        if time.perf_counter() - started > MAX_SECONDS_TO_SETTLE:
            print("the service does not settle; measuring all the same")
            return
        await asyncio.sleep(0.2)
