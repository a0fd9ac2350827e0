"""The chat page in a real browser, as the person in front of it meets it.

Most tests speak to the real service. Where the archive holds nothing of the kind
(hostile articles, emoji, failures), the service's replies are replaced on the network.
"""

import hashlib
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, Route, expect

Ask = Callable[[Page, str], Locator]

ANSWERED = "who met Park Jin?"
NOT_ANSWERED = "Who won the 1930 FIFA World Cup final?"
PHONE = {"width": 360, "height": 740}
SIDEWAYS = {"width": 740, "height": 360}
DESK = {"width": 1440, "height": 900}

# The first question of a cold service loads its models.
PATIENCE_MS = 30_000

PARTY = "🎉"
EMOJI_TEXT = (
    f"{PARTY * 3} Hello.\n\nA parade 👩‍👩‍👧 began. {PARTY} Mayor Ada Quill opened it.\n\nIt rained."
)
HOSTILE_TITLE = (
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
)
HOSTILE_TEXT = f"{HOSTILE_TITLE} said \u202enosrep a\u202c & <b>left</b>."


def reply_with(
    page: Page, *, title: str, text: str, quote: str, current_text: str | None = None
) -> None:
    """Answer every question with `quote`, cited from one article that now reads `current_text`."""
    start = text.index(quote)
    citation = {
        "article_id": "set/one",
        "article_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "title": title,
        "source": title,
        "url": "javascript:document.title='taken'",
        "published_at": "2021-03-17",
        "start": start,
        "end": start + len(quote),
        "quote": quote,
        "context": text,
        "context_start": 0,
    }
    answer = {
        "text": quote,
        "confidence": 0.83,
        "likelihood": "likely",
        "percentage": "83 %",
        "support": {"articles": 1, "text": "said by 1 article"},
        "citations": [citation],
    }
    now = current_text if current_text is not None else text
    article = {
        "id": "set/one",
        "title": title,
        "source": title,
        "url": citation["url"],
        "published_at": "2021-03-17",
        "author": title,
        "language": "en",
        "sha256": hashlib.sha256(now.encode()).hexdigest(),
        "text": now,
        "offset_unit": "codepoint",
    }
    result = {
        "status": "answered",
        "question": "?",
        "answers": [answer],
        "searched": {"articles": 1, "passages": 1},
        "index_version": "1",
        "offset_unit": "codepoint",
        "timing_ms": {"retrieve": 1, "read": 1, "total": 2},
        "request_id": "1",
    }
    page.route("**/v1/ask", lambda route: route.fulfill(json=result))
    page.route("**/v1/articles/set%2Fone", lambda route: route.fulfill(json=article))


def fail_with(route: Route, status: int, detail: str, headers: dict[str, str]) -> None:
    route.fulfill(
        status=status,
        headers={"Content-Type": "application/problem+json", **headers},
        json={
            "type": "/problems/x",
            "title": "Refused",
            "status": status,
            "detail": detail,
            "instance": "/requests/1",
        },
    )


# The story


def test_first_screen_tells_the_size_of_the_archive_and_how_answers_are_made(page: Page) -> None:
    expect(page.get_by_role("banner")).to_contain_text(re.compile(r"\d+\sarticles?"))
    expect(
        page.get_by_text("Answers are exact words from the archive, each with its source.")
    ).to_be_visible()


def test_asking_shows_the_answer_with_confidence_and_citations(page: Page, ask: Ask) -> None:
    turn = ask(page, ANSWERED)
    main = turn.locator(".answer.main")

    expect(turn.get_by_role("heading", name=ANSWERED)).to_be_visible()
    expect(main.locator(".answer-text")).to_contain_text("Blinken")
    expect(main.locator(".confidence")).to_have_text(
        re.compile(r"(likely|possible|doubtful) · .*\d+\s%")
    )
    expect(main.locator(".answer-facts")).to_contain_text(
        re.compile(r"said by ([2-9]|\d\d+)\sarticles")
    )
    assert main.locator("button.citation").count() >= 2
    expect(main.locator("button.citation mark").first).to_contain_text("Blinken")
    expect(page.get_by_role("status")).to_contain_text("Blinken")


def test_opening_a_citation_shows_its_words_marked_in_the_article(page: Page, ask: Ask) -> None:
    citation = ask(page, ANSWERED).locator("button.citation").first
    quote = citation.locator("mark").inner_text()
    citation.click()
    article = page.get_by_role("dialog")
    mark = article.locator("mark.current")

    expect(mark).to_have_text(quote)
    expect(mark).to_be_in_viewport(ratio=1)
    expect(mark).to_be_focused()
    expect(article.get_by_role("heading")).to_have_text(
        citation.locator(".citation-title").inner_text()
    )


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_escape_closes_the_article_and_returns_to_the_citation(
    page: Page, viewport: dict[str, int], ask: Ask
) -> None:
    page.set_viewport_size(viewport)
    citation = ask(page, ANSWERED).locator("button.citation").first
    citation.click()
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(citation).to_be_focused()


def test_closing_returns_to_the_citation_opened_last(page: Page, ask: Ask) -> None:
    citations = ask(page, ANSWERED).locator("button.citation")
    for position in (0, 1):
        citations.nth(position).click()
        expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text(
            citations.nth(position).locator(".citation-title").inner_text()
        )
    page.get_by_role("dialog").get_by_role("button", name="Close").click()

    expect(citations.nth(1)).to_be_focused()


def test_open_article_survives_a_change_from_desk_to_phone(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED).locator("button.citation").first.click()
    mark = page.get_by_role("dialog").locator("mark.current")
    expect(mark).to_be_focused()
    page.set_viewport_size(PHONE)

    expect(page.locator("dialog:modal")).to_be_visible()
    expect(mark).to_be_visible()


def test_silence_of_the_archive_shows_closest_passages_as_weaker(page: Page, ask: Ask) -> None:
    turn = ask(page, NOT_ANSWERED)
    closest = turn.locator("button.citation")

    expect(turn.get_by_text("The archive does not say.")).to_be_visible()
    expect(turn.get_by_role("heading", name="Closest passages, not answers")).to_be_visible()
    expect(turn.locator(".answer")).to_have_count(0)
    expect(closest.first).to_have_class(re.compile("weak"))
    expect(closest.first.locator("mark")).to_have_css("background-color", "rgba(0, 0, 0, 0)")


def test_closest_passage_can_be_opened(page: Page, ask: Ask) -> None:
    closest = ask(page, NOT_ANSWERED).locator("button.citation").first
    quote = closest.locator("mark").inner_text()
    closest.click()

    expect(page.get_by_role("dialog").locator("mark.current")).to_have_text(quote)


def test_new_conversation_clears_everything(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED).locator("button.citation").first.click()
    page.get_by_role("button", name="New conversation").click()

    expect(page.locator(".turn")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("heading", name="Ask the archive")).to_be_visible()
    expect(page.get_by_label("Your question")).to_be_focused()


def test_keyboard_alone_asks_opens_and_returns(page: Page) -> None:
    page.keyboard.type("who met")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Park Jin?")
    page.keyboard.press("Enter")
    citation = page.locator("button.citation").first
    expect(citation).to_be_visible(timeout=PATIENCE_MS)
    for _ in range(50):
        page.keyboard.press("Shift+Tab")
        if citation.evaluate("node => node === document.activeElement"):
            break
    expect(citation).to_be_focused()
    expect(citation).not_to_have_css("outline-style", "none")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_focused()
    page.keyboard.press("Escape")

    expect(citation).to_be_focused()


# Surroundings


def test_phone_never_scrolls_sideways(page: Page, ask: Ask) -> None:
    page.set_viewport_size(PHONE)
    root = page.locator("html")
    widths = [root.evaluate("node => node.scrollWidth")]
    citation = ask(page, ANSWERED).locator("button.citation").first
    widths.append(root.evaluate("node => node.scrollWidth"))
    citation.click()
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_in_viewport(ratio=1)
    widths.append(page.get_by_role("dialog").evaluate("node => node.scrollWidth"))

    assert widths == [360, 360, 360]


def test_nothing_leaves_the_service_and_nothing_is_complained_about(
    context: BrowserContext, service_url: str, ask: Ask
) -> None:
    requests: list[Request] = []
    complaints: list[str] = []
    # A built-in method would not do: the driver sets an attribute on what it is given.
    context.on("request", lambda request: requests.append(request))  # noqa: PLW0108
    context.on("console", lambda message: complaints.append(message.text))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    page = context.new_page()
    page.goto(service_url)
    ask(page, ANSWERED).locator("button.citation").first.click()
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_visible()
    ask(page, NOT_ANSWERED)

    origin = service_url.rstrip("/") + "/"
    assert [request.url for request in requests if not request.url.startswith(origin)] == []
    assert complaints == []


def test_page_forbids_all_that_it_does_not_need(page: Page, service_url: str) -> None:
    headers = page.request.get(service_url).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_dark_preference_darkens_the_page(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).to_have_css("background-color", "rgb(250, 249, 246)")
    page.emulate_media(color_scheme="dark")

    expect(page.locator("body")).to_have_css("background-color", "rgb(20, 22, 26)")


# Replies that the seed archive cannot give


def test_hostile_article_is_shown_word_for_word_and_not_run(page: Page, ask: Ask) -> None:
    reply_with(page, title=HOSTILE_TITLE, text=HOSTILE_TEXT, quote="<b>left</b>")
    turn = ask(page, HOSTILE_TITLE)
    turn.locator("button.citation").click()
    article = page.get_by_role("dialog")

    expect(turn.get_by_role("heading", level=2)).to_have_text(HOSTILE_TITLE)
    expect(turn.locator(".citation-title")).to_have_text(HOSTILE_TITLE)
    expect(article.get_by_role("heading")).to_have_text(HOSTILE_TITLE)
    expect(article.locator("mark")).to_have_text("<b>left</b>")
    assert article.locator(".article-text").text_content() == HOSTILE_TEXT
    expect(article.get_by_role("link")).to_have_count(0)
    expect(page).to_have_title("Citewire")


def test_reordering_controls_are_made_visible(page: Page, ask: Ask) -> None:
    reply_with(page, title="Plain", text=HOSTILE_TEXT, quote="<b>left</b>")
    turn = ask(page, "?")

    codes = turn.locator(".control").evaluate_all("nodes => nodes.map((node) => node.dataset.code)")
    assert codes == ["U+202E", "U+202C"]


def test_words_after_emoji_are_marked_exactly(page: Page, ask: Ask) -> None:
    reply_with(page, title="Parade", text=EMOJI_TEXT, quote="Ada Quill")
    citation = ask(page, "Who opened the parade?").locator("button.citation")
    citation.click()

    expect(citation.locator("mark")).to_have_text("Ada Quill")
    expect(page.get_by_role("dialog").locator("mark.current")).to_have_text("Ada Quill")


def test_emoji_themselves_can_be_the_quote(page: Page, ask: Ask) -> None:
    reply_with(page, title="Parade", text=EMOJI_TEXT, quote=f"👩‍👩‍👧 began. {PARTY}")
    ask(page, "What began?").locator("button.citation").click()

    expect(page.get_by_role("dialog").locator("mark.current")).to_have_text(
        f"👩‍👩‍👧 began. {PARTY}"
    )


@pytest.mark.parametrize("viewport", [DESK, PHONE, SIDEWAYS], ids=["desk", "phone", "sideways"])
def test_words_deep_in_a_long_article_are_scrolled_to(
    page: Page, viewport: dict[str, int], ask: Ask
) -> None:
    page.set_viewport_size(viewport)
    filler = "It rained, and then it rained again. " * 400
    reply_with(
        page, title="Rain", text=f"{filler}\n\nThen Ada Quill spoke.\n\n{filler}", quote="Ada Quill"
    )
    ask(page, "Who spoke?").locator("button.citation").click()

    expect(page.get_by_role("dialog").locator("mark.current")).to_be_in_viewport(ratio=1)


def test_endless_headline_leaves_room_and_is_scrolled_with_the_keyboard(
    page: Page, ask: Ask
) -> None:
    reply_with(page, title="Rain again and " * 60, text=EMOJI_TEXT, quote="Ada Quill")
    ask(page, "Who opened the parade?").locator("button.citation").click()
    article = page.get_by_role("dialog")

    expect(article.locator("mark")).to_be_in_viewport(ratio=1)
    expect(article.get_by_role("heading")).to_have_attribute("tabindex", "0")


def test_quote_over_a_paragraph_break_is_marked_in_both_paragraphs(page: Page, ask: Ask) -> None:
    reply_with(page, title="Parade", text=EMOJI_TEXT, quote="opened it.\n\nIt rained")
    ask(page, "Then?").locator("button.citation").click()

    expect(page.get_by_role("dialog").locator("mark.current")).to_have_text(
        ["opened it.", "It rained"]
    )


def test_changed_article_says_so_and_marks_nothing(page: Page, ask: Ask) -> None:
    reply_with(
        page,
        title="Parade",
        text=EMOJI_TEXT,
        quote="Ada Quill",
        current_text=f"{EMOJI_TEXT} Corrected.",
    )
    ask(page, "Who opened the parade?").locator("button.citation").click()
    article = page.get_by_role("dialog")

    expect(
        article.get_by_text("This article has changed since the answer was given")
    ).to_be_visible()
    expect(article.locator("mark")).to_have_count(0)
    expect(article).to_contain_text("Corrected.")


def test_failure_is_explained_and_can_be_tried_again(page: Page, ask: Ask) -> None:
    page.route(
        "**/v1/ask",
        lambda route: fail_with(route, 429, "Queue is full.", {"Retry-After": "2"}),
        times=1,
    )
    turn = ask(page, ANSWERED)
    expect(turn).to_contain_text("Queue is full.")
    expect(turn).to_contain_text(re.compile(r"wait 2\sseconds"))
    turn.get_by_role("button", name="Try again").click()

    expect(turn.locator(".answer-text").first).to_contain_text("Blinken", timeout=PATIENCE_MS)


def test_lost_connection_is_explained_and_the_conversation_survives(page: Page, ask: Ask) -> None:
    ask(page, ANSWERED)
    page.route("**/v1/ask", lambda route: route.abort())
    turn = ask(page, NOT_ANSWERED)

    expect(turn).to_contain_text("The service cannot be reached")
    expect(page.locator(".answer-text").first).to_contain_text("Blinken")


def test_empty_archive_is_greeted_kindly(context: BrowserContext, service_url: str) -> None:
    empty = {"status": "ready", "articles": 0, "passages": 0, "index_version": "1"}
    context.route("**/health/ready", lambda route: route.fulfill(json=empty))
    page = context.new_page()
    page.goto(service_url)

    expect(page.get_by_role("heading", name="The archive is still empty")).to_be_visible()


def test_new_conversation_drops_the_answer_under_way(page: Page, ask: Ask) -> None:
    page.route("**/v1/ask", lambda route: None)
    field = page.get_by_label("Your question")
    field.fill(ANSWERED)
    field.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Searching the archive…")
    page.get_by_role("button", name="New conversation").click()
    page.unroute("**/v1/ask")

    expect(ask(page, ANSWERED).locator(".answer-text").first).to_contain_text("Blinken")
    expect(page.locator(".turn")).to_have_count(1)
