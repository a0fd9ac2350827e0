"""axe finds nothing against WCAG 2.2 A and AA on the chat page, in light and in dark."""

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES = {"runOnly": {"type": "tag", "values": LEVELS}, "resultTypes": ["violations"]}
PHONE = {"width": 360, "height": 740}

Ask = Callable[[Page, str], Locator]


def faults(page: Page) -> list[str]:
    """The violations that axe reports on the page as it is, in light and dark: rule and place."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for rule in Axe().run(page, options=RULES).response["violations"]:
            found += [f"{scheme}: {rule['id']}: {node['html']}" for node in rule["nodes"]]
    return found


def test_faults_would_be_found(page: Page) -> None:
    text = page.get_by_text("Answers are exact words from the archive")
    text.evaluate("node => Object.assign(node.style, { color: '#888', background: '#999' })")
    found = faults(page)

    assert [fault.split(": ")[:2] for fault in found] == [
        ["light", "color-contrast"],
        ["dark", "color-contrast"],
    ]


def test_first_screen(page: Page) -> None:
    expect(page.locator("#starters")).to_be_visible()

    assert faults(page) == []


def test_answers_follow_ups_refusals_and_failures_beside_an_article(page: Page, ask: Ask) -> None:
    ask(page, "When did Ada Quill and Bo Frost marry?")
    ask(page, "where was she born?")
    ask(page, "How many people died in the Magnitogorsk building collapse?")
    ask(page, "who met Park Jin?")
    ask(page, "when?").locator("[data-action=edit]").click()
    trailed = ask(page, "where?")
    trailed.locator(".trail summary").click()
    expect(trailed.get_by_role("heading", name="Next in line")).to_be_visible()
    page.route("**/v1/ask", lambda route: route.fulfill(status=401, json={}))
    expect(ask(page, "Who spoke?").get_by_label("API key")).to_be_visible()
    trailed.locator("button.citation").first.click()
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_focused()

    assert faults(page) == []


def test_article_on_a_phone(page: Page, ask: Ask) -> None:
    page.set_viewport_size(PHONE)
    ask(page, "who met Park Jin?").locator("button.citation").first.click()
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_focused()

    assert faults(page) == []


def test_help_and_filters(page: Page) -> None:
    page.get_by_role("button", name="Help").click()
    of_help = faults(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Searched: All articles").click()
    page.get_by_label("From").fill("2023-11-02")
    page.get_by_label("To", exact=True).fill("2023-11-01")
    expect(page.get_by_label("Harbour Wire")).to_be_visible()
    page.get_by_role("button", name="Use").click()
    expect(page.get_by_role("alert")).to_be_visible()

    assert of_help == []
    assert faults(page) == []


def test_evidence(page: Page, ask: Ask) -> None:
    link = ask(page, "who met Park Jin?").get_by_role("link", name="Permanent link").first
    page.goto(link.get_attribute("href") or "")
    expect(page.locator("mark")).to_be_visible()

    assert faults(page) == []
