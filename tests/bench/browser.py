"""Shared by commands and tests of the chat page: Chromium, and asking as a person does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from load import run_service
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

# Milliseconds to wait; the first question of a cold service loads the models.
PATIENCE_MS = 60_000


@contextmanager
def launch_chromium() -> Iterator[Browser]:
    """Launch the installed Chromium, or the one that the variable CHROMIUM names."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit("no browser: install Chromium, or name one in CHROMIUM")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


@contextmanager
def serve_articles(articles: Path, data: Path) -> Iterator[str]:
    """Index the articles into `data` and serve them; yield the page's address."""
    command = [
        sys.executable,
        "-m",
        "citewire",
        "index",
        "--data",
        str(data),
        str(articles),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with run_service(data) as running:
        yield f"http://{running.host}:{running.port}"


def ask(page: Page, question: str) -> Locator:
    """Type and send the question; return the turn once the service has replied."""
    turns = page.get_by_role("log").locator(".turn")
    turn = turns.nth(turns.count())
    field = page.get_by_label("Your question")
    field.fill(question)
    field.press("Enter")
    expect(turn.locator(".result, .problem")).to_be_visible(timeout=PATIENCE_MS)
    return turn
