"""A browser where keys are needed: evidence links and the chat page, signed in and out."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from citewire.service.auth.keys import KeyFile, KeyScope

QUESTION = "who met Park Jin?"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
KEPT = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
Serving = Callable[..., AbstractContextManager[tuple[str, Any]]]


@dataclass(frozen=True)
class Guarded:
    """A service that needs keys, a key for it, and an evidence link into it."""

    url: str
    keys: KeyFile
    key: str
    link: str


@pytest.fixture(scope="module")
def guarded(
    served_archive: Path, serving: Serving, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    keys = KeyFile(file)
    key = keys.add("desk", [KeyScope.ASK])
    with serving(served_archive, "--read-only", CITEWIRE_KEYS=str(file)) as (url, _):
        asked = httpx2.post(
            f"{url}/v1/ask",
            json={"question": QUESTION},
            headers={"Authorization": f"Bearer {key}"},
            timeout=120,
            trust_env=False,
        )
        evidence = asked.json()["answers"][0]["citations"][0]["evidence"]
        yield Guarded(url, keys, key, url + evidence)


def faults(page: Page) -> list[str]:
    """The violations that axe finds on the page, in light and in dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        options = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
        for rule in Axe().run(page, options=options).response["violations"]:
            found += [f"{scheme}: {rule['id']}: {node['html']}" for node in rule["nodes"]]
    return found


def test_evidence_link_asks_for_a_key_and_goes_on_to_the_quote(
    context: BrowserContext, guarded: Guarded
) -> None:
    page = context.new_page()
    refused = page.goto(guarded.link)
    field = page.get_by_label("API key")
    expect(field).to_be_focused()
    found = faults(page)
    field.fill("citewire_another")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This key was not accepted")
    field.fill(guarded.key)
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator("mark")).to_contain_text("Blinken")
    assert refused is not None
    assert refused.status == 401
    assert found == []
    assert page.url == guarded.link
    assert guarded.key not in str(page.evaluate(KEPT))
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


def test_chat_page_is_signed_in_once_and_signed_out_for_good(
    context: BrowserContext, guarded: Guarded, ask: Callable[[Page, str], Locator]
) -> None:
    page = context.new_page()
    page.goto(guarded.url)
    expect(page.get_by_label("API key")).to_be_visible()
    assert faults(page) == []
    page.get_by_label("API key").fill(guarded.key)
    page.get_by_label("API key").press("Enter")
    expect(page.get_by_label("API key")).to_be_hidden()
    turn = ask(page, QUESTION)
    expect(turn.locator(".answer-text").first).to_contain_text("Blinken")

    evidence = context.new_page()
    evidence.goto(turn.get_by_role("link", name="Permanent link").first.get_attribute("href") or "")
    expect(evidence.locator("mark")).to_be_visible()
    assert guarded.key not in str(page.evaluate(KEPT))

    page.get_by_role("button", name="Help").click()
    expect(page.locator("#signed-in")).to_contain_text("Signed in with the key desk.")
    assert faults(page) == []
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)
    evidence.reload()
    expect(evidence.get_by_role("heading", name="Sign in")).to_be_visible()
    assert context.cookies() == []


def test_question_after_the_key_was_revoked_asks_for_another(
    context: BrowserContext, guarded: Guarded, ask: Callable[[Page, str], Locator]
) -> None:
    page = context.new_page()
    page.goto(guarded.url)
    page.get_by_label("API key").fill(guarded.keys.add("guest", [KeyScope.ASK]))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("API key")).to_be_hidden()
    guarded.keys.revoke("guest")
    turn = ask(page, QUESTION)
    turn.get_by_label("API key").fill(guarded.key)
    turn.get_by_role("button", name="Sign in").click()

    expect(turn.locator(".answer-text").first).to_contain_text("Blinken")
