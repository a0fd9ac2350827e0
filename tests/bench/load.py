"""What the load commands share: a service of its own, questions, and clients that count.

The clients run in this process, at a lower priority than the service's: on a small machine
they would otherwise take the time away that they measure.
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

RESET = 0
MAX_CHARACTERS = 1000
SETTLED_SECONDS = 3
MOST_SECONDS_TO_SETTLE = 60


def arguments(purpose: str, seconds: float) -> argparse.ArgumentParser:
    """What every load command takes."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("questions", type=Path, help='one {"question": …} a line')
    parser.add_argument("--data", type=Path, required=True, help="an indexed data directory")
    parser.add_argument("--seconds", type=float, default=seconds, help="default: %(default)s")
    parser.add_argument(
        "--cached", action="store_true", help="let the answer cache help (default: it cannot)"
    )
    return parser


@dataclass
class Service:
    """A service that runs."""

    host: str
    port: int
    pid: int

    def resident_mib(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def own_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found.group(1)) / 1024

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def has_children(self) -> bool:
        """Whether a process works for it, other than the one that Python keeps for its own."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        pids = [pid for task in tasks for pid in (task / "children").read_text().split()]
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids]
        return any(b"resource_tracker" not in command for command in commands)


@contextmanager
def service(data: Path) -> Iterator[Service]:
    """Serve the archive in a process of its own; the caller's priority is lowered."""
    process, url = started(data)
    with process:
        try:
            os.nice(5)
            address = urlsplit(url)
            assert address.hostname is not None
            assert address.port is not None
            yield Service(address.hostname, address.port, process.pid)
        finally:
            process.terminate()


def started(data: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a service over the archive; return its process and, once it listens, its address."""
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


def bodies(file: Path, *, cached: bool) -> Iterator[bytes]:
    """The file's questions as requests, over and over; not two the same unless `cached`."""
    lines = file.read_text("utf-8").splitlines()
    texts = [json.loads(line)["question"] for line in lines if line.strip()]
    for turn in itertools.count():
        for text in texts:
            # Spaces at the end change what the cache sees, and nothing else.
            varied = text if cached else text + " " * (turn % (MAX_CHARACTERS - len(text)))
            yield json.dumps({"question": varied}).encode()


@dataclass
class Client:
    """One connection, kept open, and opened again where the service closed it."""

    service: Service
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, body: bytes = b"") -> tuple[int, float, bytes]:
        """Return the status, the seconds until the last byte, and the body; RESET for none."""
        started = time.perf_counter()
        try:
            if self.streams is not None and self.streams[0].at_eof():
                # Closed while nobody used it, as a server may: every client opens another one.
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
    """What came of many requests."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    unsent: int = 0

    def add(self, status: int, seconds: float) -> None:
        self.seconds.setdefault(status, []).append(seconds)

    def count(self, status: int) -> int:
        return len(self.seconds.get(status, []))

    def statuses(self) -> Counter[int]:
        return Counter({status: len(times) for status, times in self.seconds.items()})

    def errors(self) -> int:
        return sum(self.count(status) for status in self.seconds if status >= 500)

    def failed(self) -> int:
        """How many were not answered, whatever came instead."""
        return sum(len(times) for status, times in self.seconds.items() if status != 200)

    def milliseconds(self, status: int, share: float) -> float:
        """The time that this share of the responses with the status did not exceed."""
        times = sorted(self.seconds.get(status, []))
        if not times:
            return float("nan")
        return 1000 * times[min(len(times) - 1, int(share * len(times)))]


async def closed_loop(
    running: Service, requests: Iterator[bytes], *, clients: int, seconds: float
) -> Tally:
    """Let so many clients ask, each again as soon as it is answered."""
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


async def open_loop(
    running: Service, requests: Iterator[bytes], *, rate: float, clients: int, seconds: float
) -> Tally:
    """Ask so many times a second, whatever is answered; what finds no client is `unsent`."""
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
async def watched(running: Service, path: str, every_seconds: float) -> AsyncIterator[Tally]:
    """Ask for a path again and again meanwhile."""
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
    """Ask a few times, so that everything is loaded; wait for what is done beside that."""
    await closed_loop(running, requests, clients=4, seconds=3)
    begun = quiet_since = time.perf_counter()
    state = 0, 0
    while time.perf_counter() - quiet_since < SETTLED_SECONDS:
        now = running.open_files(), running.threads()
        # The vector index is tried out in a child process before it is opened.
        if now != state or running.has_children():
            state, quiet_since = now, time.perf_counter()
        if time.perf_counter() - begun > MOST_SECONDS_TO_SETTLE:
            print("the service does not settle; measuring all the same")
            return
        await asyncio.sleep(0.2)
