"""Read article files: Markdown, plain text, HTML and JSON lines.

Every file and every line is loaded on its own: one that cannot be used is yielded as a
BadArticle, and the others go on.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from citewire.index.errors import BadArticle
from citewire.index.ingest.fields import build_article, require_storable
from citewire.index.ingest.files import FoundFile, measure_file, open_regular, read_bytes
from citewire.index.ingest.front_matter import split_front_matter
from citewire.index.ingest.html import PageParser
from citewire.index.text.cleaning import render_markdown
from citewire.index.types import Article

# Bytes of one line of a JSON-lines file.
MAX_LINE_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadedArticle:
    """An article, the file that it came from, its name in messages, and its size in the file."""

    article: Article
    origin: Path
    name: str
    size_bytes: int


def load(file: FoundFile, html: PageParser) -> Iterator[LoadedArticle | BadArticle]:
    """Yield the file's articles, and a BadArticle for each that cannot be used."""
    try:
        require_storable(str(file.path), "its path", file.name)
        if file.path.suffix.lower() == ".jsonl":
            yield from load_lines(file)
        else:
            yield LoadedArticle(
                load_text(file, html), file.path, file.name, measure_file(file.path)
            )
    except BadArticle as bad:
        yield bad
    except OSError as error:
        yield BadArticle(file.name, f"cannot be read: {error.strerror or error}")


def load_text(file: FoundFile, html: PageParser) -> Article:
    """Return the article of a Markdown, text or HTML file."""
    content = read_bytes(file)
    suffix = file.path.suffix.lower()
    if suffix in (".html", ".htm"):
        page = html.parse(content, file.name)
        return build_article(file.name, page.fields, page.text)
    text = decode_text(content, file.name)
    if suffix == ".txt":
        return build_article(file.name, {}, text)
    fields, body = split_front_matter(text, file.name)
    return build_article(file.name, fields, render_markdown(body))


def load_lines(file: FoundFile) -> Iterator[LoadedArticle | BadArticle]:
    """Yield the articles of a JSON-lines file, one a line, or why a line has none."""
    with open_regular(file) as stream:
        number = 0
        while raw := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            name = f"{file.name}:{number}"
            if len(raw) > MAX_LINE_BYTES:
                yield BadArticle(name, f"the line is longer than {MAX_LINE_BYTES} bytes")
                while raw and not raw.endswith(b"\n"):
                    raw = stream.readline(MAX_LINE_BYTES)
                continue
            if not raw.strip():
                continue
            try:
                yield LoadedArticle(parse_line(raw, name), file.path, name, len(raw))
            except BadArticle as bad:
                yield bad


def parse_line(raw: bytes, name: str) -> Article:
    """Return the article that one line of JSON describes."""
    try:
        fields = json.loads(decode_text(raw, name))
    except (ValueError, RecursionError) as error:
        raise BadArticle(name, f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadArticle(name, "not a JSON object")
    text = fields.get("text")
    if not isinstance(text, str):
        raise BadArticle(name, "has no field `text` that is a string")
    return build_article(name, fields, text)


def decode_text(content: bytes, name: str) -> str:
    """Return UTF-8 content as text, without a byte-order mark."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadArticle(
            name, f"is not UTF-8 (byte {error.start} is 0x{content[error.start]:02x}); convert it"
        ) from error
    if "\0" in text:
        raise BadArticle(name, "is binary: it holds NUL characters")
    return text
