"""The seed articles, indexed and served by the real command, seen in a real browser."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from browser import PATIENCE_MS, ask, launch_chromium
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

ROOT = Path(__file__).parent.parent.parent
SECONDS_TO_START = 120
DESK = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def seed_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which `citewire index seeds` was run."""
    data = tmp_path_factory.mktemp("seed-archive")
    done = citewire("index", "--data", str(data), str(ROOT / "seeds"))
    assert done.returncode == 0, done.stderr
    return data


@pytest.fixture(scope="session")
def served_archive(seed_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory, with the seed articles, of the service at `service_url`."""
    return Path(shutil.copytree(seed_archive, tmp_path_factory.mktemp("served") / "archive"))


@pytest.fixture(scope="session")
def service_url(served_archive: Path) -> Iterator[str]:
    """The address of `citewire serve` over the seed articles, in a directory of its own."""
    with serving(served_archive) as (url, _):
        yield url


@pytest.fixture(name="citewire", scope="session")
def citewire_fixture() -> "Callable[..., subprocess.CompletedProcess[str]]":
    """Runs the command line."""
    return citewire


@pytest.fixture(name="serving", scope="session")
def serving_fixture() -> "Callable[..., AbstractContextManager[tuple[str, subprocess.Popen[str]]]]":
    """Begins to serve a data directory."""
    return serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Upper bound of waiting for an expectation: on a busy machine five seconds can be too few.
    expect.set_options(timeout=PATIENCE_MS)
    with launch_chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, service_url: str) -> Page:
    """The open page, nothing asked yet."""
    page = context.new_page()
    page.goto(service_url)
    return page


@pytest.fixture(name="ask")
def ask_fixture() -> "Callable[[Page, str], Locator]":
    """Asks a question on the page, as a person does."""
    return ask


def citewire(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "citewire", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_TO_START,
    )


@contextmanager
def serving(
    data: Path, *options: str, **variables: str
) -> "Iterator[tuple[str, subprocess.Popen[str]]]":
    """Run `citewire serve` over a data directory; yield its address and its process."""
    command = [
        sys.executable,
        "-m",
        "citewire",
        "serve",
        "--data",
        str(data),
        "--port",
        "0",
    ]
    with subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            ready = re.search(r"http://\S+", process.stdout.readline())
            assert ready, "the service ended"
            yield ready.group(), process
        finally:
            process.terminate()
