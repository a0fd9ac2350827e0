"""Articles are taken out of web pages, by a child process that no page can take down for good."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from citewire.index.errors import BadArticle
from citewire.index.ingest.html import PageParser

PAGE = """<!doctype html>
<html lang="en"><head><title>Harbour opens | Tideline</title>
<meta property="og:site_name" content="Tideline News">
<meta property="og:title" content="Harbour opens after the storm">
<meta property="article:published_time" content="2023-11-09">
</head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li></ul></nav>
<script>document.write("tracked")</script>
<article><h1>Harbour opens after the storm</h1>
<p>The harbour of Port Ellis opened again on Thursday, four days after the storm.</p>
<p>Mayor Ada Quill said that <b>eleven ships</b> were waiting to come in &amp; unload.</p>
</article>
<footer>Subscribe to our newsletter. Cookie settings.</footer>
</body></html>"""
# Attributes without an end: parsers that look ahead for it do so again at every one.
ENDLESS_ATTRIBUTES = b"<html><body>" + b'<a b="' * 50_000 + b"</body></html>"
# More elements in one paragraph than the parser is made for.
CROWDED = b"<html><body><article>" + b"<span>x</span>" * 200_000 + b"</article></body></html>"


@pytest.fixture
def html() -> Iterator[PageParser]:
    parser = PageParser()
    yield parser
    parser.close()


def test_article_is_taken_out_of_the_page_around_it(html: PageParser) -> None:
    page = html.parse(PAGE.encode(), "harbour.html")

    assert page.text == (
        "Harbour opens after the storm\n\n"
        "The harbour of Port Ellis opened again on Thursday, four days after the storm.\n\n"
        "Mayor Ada Quill said that eleven ships were waiting to come in & unload."
    )


def test_page_names_its_title_source_and_date(html: PageParser) -> None:
    fields = html.parse(PAGE.encode(), "harbour.html").fields

    assert fields["title"] == "Harbour opens after the storm"
    assert fields["source"] == "Tideline News"
    assert fields["published"] == "2023-11-09"


def test_page_in_another_encoding_is_read_as_it_declares(html: PageParser) -> None:
    page = PAGE.replace("<head>", '<head><meta charset="iso-8859-1">').replace("Quill", "Québec")

    assert "Mayor Ada Québec said" in html.parse(page.encode("latin-1"), "harbour.html").text


def test_page_without_an_article_is_refused(html: PageParser) -> None:
    with pytest.raises(BadArticle, match=r"^empty.html: holds no article"):
        html.parse(b"<html><body><script>alert(1)</script></body></html>", "empty.html")


def test_endless_attributes_cost_nothing(html: PageParser) -> None:
    html.parse(PAGE.encode(), "first.html")
    started = time.monotonic()
    with pytest.raises(BadArticle, match=r"^hostile.html: holds no article"):
        html.parse(ENDLESS_ATTRIBUTES, "hostile.html")

    assert time.monotonic() - started < 10


def test_page_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    # A fast machine parses the crowded page within the usual ten seconds.
    with closing(PageParser(seconds_per_page=2)) as html:
        html.parse(PAGE.encode(), "first.html")
        with pytest.raises(BadArticle, match=r"^crowded.html: cannot be parsed within 2 seconds"):
            html.parse(CROWDED, "crowded.html")

        assert "eleven ships" in html.parse(PAGE.encode(), "next.html").text


def test_parser_that_dies_takes_only_its_page_along(html: PageParser) -> None:
    html.parse(PAGE.encode(), "first.html")
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
    with pytest.raises(BadArticle, match=r"^second.html: cannot be parsed: the parser broke down"):
        html.parse(PAGE.encode(), "second.html")

    assert "eleven ships" in html.parse(PAGE.encode(), "third.html").text


def test_no_child_process_is_left_behind(html: PageParser) -> None:
    html.parse(PAGE.encode(), "harbour.html")
    html.close()

    assert multiprocessing.active_children() == []
