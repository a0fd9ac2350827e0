"""The real thing: the seed articles, indexed and served by the real command."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SECONDS_TO_START = 120


@pytest.fixture(scope="session")
def seed_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which `citewire index seeds` was run."""
    data = tmp_path_factory.mktemp("seed-archive")
    done = citewire("index", "--data", str(data), str(ROOT / "seeds"))
    assert done.returncode == 0, done.stderr
    return data


@pytest.fixture(scope="session")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `citewire serve` over the seed articles, in a directory of its own."""
    data = tmp_path_factory.mktemp("served-archive")
    done = citewire("index", "--data", str(data), str(ROOT / "seeds"))
    assert done.returncode == 0, done.stderr
    port = free_port()
    command = [sys.executable, "-m", "service.cli", "serve", "--data", data, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, process)
            yield url
        finally:
            process.terminate()


def citewire(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_TO_START,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert process.poll() is None, "the service ended"
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=5) as response:
                assert json.load(response)["status"] == "ready"
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} is not ready after {SECONDS_TO_START} seconds")
