"""A conversation on the chat page: follow-ups, filters, the trail, marks, quotes to take along."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

ANSWERED = "who met Park Jin?"
ANSWER = "Antony Blinken"
WHERE = f"Where was it that {ANSWER} met Park Jin?"
TWO_PEOPLE = "When did Ada Quill and Bo Frost marry?"
PATIENCE_MS = 30_000

Ask = Callable[[Page, str], Locator]


def settled(turn: Locator) -> Locator:
    """The turn, once a new reply stands in it."""
    expect(turn.locator(".busy")).to_have_count(0, timeout=PATIENCE_MS)
    expect(turn.locator(".result")).to_be_visible(timeout=PATIENCE_MS)
    return turn


def texts_in(turn: Locator, selector: str) -> list[str]:
    return turn.locator(selector).all_text_contents()


# Follow-ups


def test_follow_up_shows_how_it_was_understood_and_is_answered(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED)
    turn = ask(page, "where?")

    expect(turn.get_by_role("heading", level=2)).to_have_text("where?")
    expect(turn.locator(".asked-as")).to_have_text(WHERE)
    expect(turn.locator(".answer.main .answer-text")).to_have_text(re.compile("seoul", re.I))
    expect(page.get_by_role("status")).to_contain_text("Asked as: Where was it that")


def test_reading_can_be_corrected(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED)
    turn = ask(page, "where?")
    turn.get_by_role("button", name="Edit how the question was understood").click()
    field = turn.get_by_label("Ask instead")
    expect(field).to_be_focused()
    expect(field).to_have_value(WHERE)
    field.fill("When did Alexei Leonov die?")
    field.press("Enter")
    expect(turn.locator(".asked-as")).to_have_text("When did Alexei Leonov die?")
    settled(turn)

    expect(turn.locator(".citation-title").first).to_contain_text("Leonov")
    expect(turn.get_by_role("heading", level=2)).to_have_text("where?")
    expect(turn.get_by_role("heading", level=2)).to_be_focused()


def test_correction_can_be_thought_better_of(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED)
    turn = ask(page, "where?")
    edit = turn.get_by_role("button", name="Edit how the question was understood")
    edit.click()
    turn.get_by_role("button", name="Cancel").click()

    expect(turn.locator(".asked-as")).to_be_visible()
    expect(edit).to_be_focused()


def test_what_cannot_be_understood_is_asked_back_and_not_searched(page: Page, ask: Ask) -> None:
    searched: list[str] = []
    page.on("request", lambda request: searched.append(request.url))
    turn = ask(page, "where?")

    expect(turn.locator(".ask-back")).to_contain_text("Ask the whole question.")
    assert [url for url in searched if url.endswith("/v1/ask")] == []


def test_one_of_several_readings_can_be_chosen(page: Page, ask: Ask) -> None:
    ask(page, TWO_PEOPLE)
    turn = ask(page, "where was she born?")
    choices = turn.locator(".reading-choice")
    expect(choices).to_have_text(["Where was Ada Quill born?", "Where was Bo Frost born?"])
    choices.nth(1).click()

    expect(turn.locator(".asked-as")).to_have_text("Where was Bo Frost born?", timeout=PATIENCE_MS)


def test_page_tells_what_it_reads_before_it_answers(page: Page, ask: Ask) -> None:
    page.evaluate(
        """() => {
          window.seen = [];
          const watcher = new MutationObserver((records) => records.forEach(({ addedNodes }) =>
            window.seen.push(...[...addedNodes].map((node) => node.textContent))));
          watcher.observe(document.getElementById("log"), { childList: true, subtree: true });
        }"""
    )
    ask(page, ANSWERED)
    seen = page.evaluate("window.seen")

    reading = next(i for i, text in enumerate(seen) if re.match(r"Reading \d+\spassages…", text))
    answer = next(i for i, text in enumerate(seen) if text.startswith(ANSWER))
    assert reading < answer


def test_stream_that_is_cut_off_is_no_answer(page: Page, ask: Ask) -> None:
    cut = (
        'event: status\ndata: {"stage":"retrieving"}\n\nevent: passages\ndata: {"passages":[]}\n\n'
    )
    page.route("**/v1/ask", lambda route: route.fulfill(body=cut, content_type="text/event-stream"))
    turn = ask(page, ANSWERED)

    expect(turn).to_contain_text("The answer was cut off")
    expect(turn.get_by_role("button", name="Try again")).to_be_visible()


# Storage in the browser


def test_conversation_outlives_the_page_and_goes_on(page: Page, ask: Ask) -> None:
    before = ask(page, ANSWERED).locator(".result").inner_text()
    page.reload()
    turns = page.locator(".turn")

    expect(turns).to_have_count(1)
    expect(turns.first.locator(".result")).to_have_text(before, use_inner_text=True)
    expect(ask(page, "where?").locator(".asked-as")).to_have_text(WHERE)


def test_new_conversation_is_new_after_a_reload_as_well(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED)
    page.get_by_role("button", name="New conversation").click()
    page.reload()

    expect(page.get_by_role("heading", name="Ask the archive")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)


def test_question_answered_at_the_second_try_keeps_its_place(page: Page, ask: Ask) -> None:
    page.route("**/v1/ask", lambda route: route.abort(), times=1)
    failed = ask(page, ANSWERED)
    ask(page, "When did Alexei Leonov die?")
    failed.get_by_role("button", name="Try again").click()
    settled(failed)
    page.reload()

    expect(page.locator(".turn .question")).to_have_text([ANSWERED, "When did Alexei Leonov die?"])


@pytest.mark.parametrize(
    "kept", ["{", "7", '[{"id": 1}]', '[null, {"result": {"answers": [1]}}]', '["x"]']
)
def test_memory_that_is_not_ours_is_passed_over(page: Page, ask: Ask, kept: str) -> None:
    page.evaluate("kept => localStorage.setItem('citewire.conversation', kept)", kept)
    page.reload()

    expect(page.get_by_role("heading", name="Ask the archive")).to_be_visible()
    expect(ask(page, ANSWERED).locator(".answer-text").first).to_contain_text("Blinken")


def test_exchange_kept_by_a_page_that_knew_no_texts_is_passed_over(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED)
    page.evaluate(
        """() => {
          const kept = JSON.parse(localStorage.getItem("citewire.conversation"));
          delete kept[0].result.answers[0].percentage;
          localStorage.setItem("citewire.conversation", JSON.stringify(kept));
        }"""
    )
    page.reload()

    expect(page.get_by_role("heading", name="Ask the archive")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)


# Filters


def test_filters_narrow_what_is_searched(page: Page, ask: Ask) -> None:
    page.get_by_role("button", name="Searched: All articles").click()
    page.get_by_label("From").fill("2023-11-01")
    page.get_by_label("Harbour Wire").check()
    page.get_by_role("button", name="Use").click()
    turn = ask(page, ANSWERED)

    expect(page.locator("#filters-summary")).to_have_text("from 1 November 2023, Harbour Wire")
    expect(turn.locator(".provenance")).to_contain_text("only from 1 November 2023, Harbour Wire")
    facts = texts_in(turn, ".citation-facts")
    assert facts
    assert all(fact.startswith("Harbour Wire") for fact in facts)


def test_filters_that_contradict_each_other_are_not_used(page: Page) -> None:
    page.get_by_role("button", name="Searched: All articles").click()
    page.get_by_label("From").fill("2023-11-02")
    page.get_by_label("To", exact=True).fill("2023-11-01")
    page.get_by_role("button", name="Use").click()

    expect(page.get_by_role("alert")).to_have_text("The first day is later than the last.")
    page.keyboard.press("Escape")
    expect(page.locator("#filters-summary")).to_have_text("All articles")


# The trail


def test_trail_tells_why_this_and_why_not_that(page: Page, ask: Ask) -> None:
    turn = ask(page, ANSWERED)
    turn.get_by_text(re.compile(r"Why this\? [2-8]\spassages read")).click()
    passages = turn.locator(".passage")

    expect(passages.first).to_contain_text(f"quoted for “{ANSWER}”")
    expect(passages.first).to_contain_text(re.compile(r"Found \d+(st|nd|rd|th) by (meaning|words)"))
    expect(turn.get_by_role("heading", name="Next in line")).to_be_visible()
    expect(passages.last).to_contain_text("found, not read")


def test_passage_of_the_trail_opens_in_its_article(page: Page, ask: Ask) -> None:
    turn = ask(page, ANSWERED)
    turn.locator(".trail summary").click()
    turn.locator(".passage-title").first.click()
    article = page.get_by_role("dialog")

    expect(article).to_contain_text("The marked passage was read for the question.")
    expect(article.locator("mark.current").first).to_be_in_viewport()


# Marks


def test_article_steps_through_all_that_the_conversation_cites_of_it(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED)
    turn = ask(page, "where?")
    citation = turn.locator("button.citation", has_text="Blinken and Park warn")
    citation.click()
    article = page.get_by_role("dialog")
    current = article.locator("mark.current")
    expect(current).to_have_text("SEOUL")
    expect(article.locator("#steps-place")).to_have_text(re.compile(r"1 of 2\smarks"))
    article.get_by_role("button", name="Next mark").click()

    expect(current).to_have_text(ANSWER)
    expect(current).to_be_focused()
    page.keyboard.press("n")
    expect(current).to_have_text("SEOUL")


# To take along


def test_quote_is_copied_with_a_link_that_proves_it(
    context: BrowserContext, page: Page, ask: Ask
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    turn = ask(page, ANSWERED)
    quote = turn.locator(".citation-context").first.inner_text()
    source, day = turn.locator(".citation-facts").first.locator("> *").all_inner_texts()[:2]
    turn.get_by_role("button", name=re.compile("Copy quote from")).first.click()
    expect(page.get_by_role("status")).to_have_text("Copied the quote with its link.")
    copied, link = page.evaluate("navigator.clipboard.readText()").rsplit("\n", 1)
    page.goto(link)

    title = turn.page.locator("h1").inner_text()
    assert copied == f"“{quote}” — {title}, {source}, {day}"
    expect(page.locator(".state")).to_contain_text("Verified")
    expect(page.locator("mark")).to_have_text(ANSWER)


def test_quote_is_copied_where_the_browser_has_no_clipboard(page: Page, ask: Ask) -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    turn = ask(page, ANSWERED)
    copier = turn.get_by_role("button", name=re.compile("Copy quote from")).first
    copier.click()

    expect(page.get_by_role("status")).to_have_text("Copied the quote with its link.")
    expect(copier).to_be_focused()


def test_conversation_is_exported_as_markdown(page: Page, ask: Ask, tmp_path: Path) -> None:
    ask(page, ANSWERED)
    ask(page, "where?")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    download.value.save_as(tmp_path / "conversation.md")
    text = (tmp_path / "conversation.md").read_text("utf-8")

    assert re.fullmatch(r"citewire-\d{4}-\d\d-\d\d\.md", download.value.suggested_filename)
    assert text.startswith(f"# Questions to the archive\n\n## {ANSWERED}\n\n**{ANSWER}**")
    assert f"*Asked as: {WHERE}*" in text
    assert re.search(
        r"> SEOUL — US Secretary of State .*\n>\n> — Blinken and Park warn of North Korea's arms"
        r" trade with Russia, Harbour Wire, 9 November 2023 <http://127\.0\.0\.1:\d+/evidence/\S+>",
        text,
    )


# Keys

# Presses Escape and another key before the browser can report that the article was closed, and
# waits for that report.
CLOSE_AND_PRESS = """async (key) => {
  const dialog = document.getElementById("article");
  const closed = new Promise((resolve) => dialog.addEventListener("close", resolve));
  for (const pressed of ["Escape", key]) {
    const event = new KeyboardEvent("keydown", { key: pressed, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(event);
  }
  await closed;
}"""


def test_key_pressed_at_once_after_escape_is_not_undone(page: Page, ask: Ask) -> None:
    turn = ask(page, ANSWERED)
    turn.locator("button.citation").nth(1).click()
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_focused()
    page.evaluate(CLOSE_AND_PRESS, "k")

    expect(turn.locator("button.citation").first).to_be_focused()
    expect(turn.locator("button.citation[aria-current]")).to_have_count(0)


def test_keys_find_open_and_copy_sources(context: BrowserContext, page: Page, ask: Ask) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    turn = ask(page, ANSWERED)
    page.keyboard.press("Escape")
    expect(turn.get_by_role("heading", level=2)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = turn.locator("button.citation").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("c")
    expect(page.get_by_role("status")).to_have_text("Copied the quote with its link.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    expect(turn.locator("button.citation").first).to_be_focused()
    page.keyboard.press("/")

    expect(page.get_by_label("Your question")).to_be_focused()
    assert second.locator(".citation-context").inner_text() in page.evaluate(
        "navigator.clipboard.readText()"
    )


def test_help_tells_the_keys_and_switches_them_off(page: Page, ask: Ask) -> None:
    turn = ask(page, ANSWERED)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    panel = page.get_by_role("dialog", name="Help")
    expect(panel.get_by_role("cell", name="Copy the quote with its link")).to_be_visible()
    panel.get_by_label("Keys without Ctrl or Alt are on").uncheck()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.reload()
    page.get_by_role("heading", name=ANSWERED).focus()
    page.keyboard.press("j")

    expect(turn.locator("button.citation").first).not_to_be_focused()


def test_typing_is_never_taken_for_a_key(page: Page) -> None:
    page.keyboard.type("fix? jackets/")

    expect(page.get_by_label("Your question")).to_have_value("fix? jackets/")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_key_pressed_while_a_panel_is_open_does_nothing(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED)
    page.get_by_role("button", name="Help").click()
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    page.keyboard.press("f")

    expect(page.get_by_role("dialog")).to_have_count(1)


def test_sources_that_cannot_be_read_are_said_so(page: Page) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"title": "Not ready", "detail": "It is starting."})

    page.route("**/v1/sources", refuse)
    page.get_by_role("button", name="Searched: All articles").click()

    expect(page.get_by_role("dialog")).to_contain_text("It is starting.")
