"""Requests made up from the OpenAPI document; `tests/bench/fuzz.py` sends many more."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from citewire.service.app import build_app

CONFIGURATION = Path(__file__).parent.parent / "bench" / "schemathesis.toml"


@pytest.fixture
def url(pipeline: Any) -> Iterator[str]:
    """The service without models, behind a real server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(build_app(pipeline), log_config=None, ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_every_answer_is_as_documented(url: str, tmp_path: Path) -> None:
    """The same requests each time: each constraint kept and broken, and a few at random."""
    command = [str(Path(sys.executable).parent / "st"), "--config-file", str(CONFIGURATION)]
    command += ["run", f"{url}/openapi.json"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--workers", "1"]
    command += ["--generation-deterministic", "--suppress-health-check", "all"]
    command += ["--warnings", "off", "--no-color", "--continue-on-failure"]
    # A busy machine is slow, not wrong.
    command += ["--request-timeout", "120"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=250
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
