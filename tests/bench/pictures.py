"""Take the README's pictures of the chat page, over the articles in seeds/.

    python tests/bench/pictures.py

Fonts are those of this machine. Prints each file with its size.
"""

import base64
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from browser import ask, launch_chromium, serve_articles
from playwright.sync_api import Page, expect

ROOT = Path(__file__).parent.parent.parent
PICTURES = ROOT / "tests" / "pictures"
DESK = {"width": 1240, "height": 860}
Scheme = Literal["light", "dark"]
# Device scale factor: sharp on a high-density screen, and still small files.
PIXELS_PER_DOT = 1.5
QUALITY = 82


def show_answer_with_source(page: Page) -> None:
    ask(page, "who met Park Jin?").locator("button.citation").nth(1).click()
    expect(page.get_by_role("dialog").locator("mark.current")).to_be_visible()


def show_follow_up_trail(page: Page) -> None:
    ask(page, "Who flew across the Channel?")
    turn = ask(page, "when?")
    turn.locator(".trail summary").click()
    expect(turn.get_by_role("heading", name="Next in line")).to_be_visible()
    turn.evaluate("node => node.scrollIntoView()")


def show_disagreement(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    ask(page, "How many people died in the Magnitogorsk building collapse?")


SCENES: dict[str, tuple[Scheme, Callable[[Page], None]]] = {
    "answer": ("light", show_answer_with_source),
    "follow-up": ("dark", show_follow_up_trail),
    "phone": ("light", show_disagreement),
}


def take_picture(page: Page, file: Path) -> None:
    """Save a screenshot as WebP, by the DevTools protocol since Playwright has no WebP."""
    # Without focus there is no blinking caret.
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    asked = {"format": "webp", "quality": QUALITY}
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    file.write_bytes(base64.b64decode(shot["data"]))
    print(f"{file.relative_to(ROOT)}  {file.stat().st_size / 1000:.0f} kB")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        launch_chromium() as browser,
        serve_articles(ROOT / "seeds", Path(folder)) as address,
    ):
        for name, (scheme, scene) in SCENES.items():
            context = browser.new_context(
                viewport=DESK,
                device_scale_factor=PIXELS_PER_DOT,
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.goto(address)
            scene(page)
            take_picture(page, PICTURES / f"{name}.webp")
            context.close()


if __name__ == "__main__":
    main()
