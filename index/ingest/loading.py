"""Find and read article files: Markdown, plain text, HTML and JSON lines.

Every file and every line is loaded on its own: one that cannot be used is yielded as a
BadArticle, and the others go on.
"""

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

import yaml

from citewire.index.errors import BadArticle, InvalidInput
from citewire.index.ingest.html import HtmlReader
from citewire.index.text.cleaning import canonical, markdown_text
from citewire.index.types import Article, refuse_unstorable

TEXT_SUFFIXES = (".md", ".txt", ".html", ".htm")
SUFFIXES = (*TEXT_SUFFIXES, ".jsonl")
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_LINE_CHARACTERS = 10 * 1024 * 1024
MAX_FRONT_MATTER_CHARACTERS = 64 * 1024
# An id goes into addresses and cursors, a title into what is encoded of every passage.
MAX_ID_CHARACTERS = 400
MAX_TITLE_CHARACTERS = 1000
MAX_FIELD_CHARACTERS = 2000
FENCE = "---\n"
SOURCE_WITH_ADDRESS = re.compile(r"(?P<source>\S.*\S|\S)\s+(?P<url>https?://\S+)")
# How YAML writes that there is no value.
NULLS = ("", "~", "null")
# Under which names the fields of an article are found, in the order of preference.
FIELD_NAMES = {
    "id": ("id",),
    "title": ("title", "headline"),
    "source": ("source", "publisher"),
    "url": ("url", "link"),
    "published": ("published", "date"),
    "author": ("author", "byline"),
    "language": ("language", "lang"),
}


@dataclass(frozen=True, slots=True)
class LoadedArticle:
    """An article, the file that it came from, where in it for messages, and its size there."""

    article: Article
    origin: Path
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to load, and the name its article gets when it brings no id."""

    path: Path
    name: str


def require_paths(paths: Iterable[Path]) -> None:
    """Raise InvalidInput when one of the paths leads nowhere."""
    for path in paths:
        if not path.exists():
            raise InvalidInput(f"{path}: no such file or folder")


def find_files(path: Path) -> list[FoundFile]:
    """Return the files at `path`, a file or a folder that is searched through, in order.

    A file's name is its path from the folder that holds `path`: the same on every machine.
    Hidden files and folders are passed over, and so are symbolic links inside a folder.
    A folder that cannot be listed is returned like a file: loading it says what is wrong.

    Raises:
        InvalidInput: there is nothing at `path`, or a file of a kind that is not read.
    """
    path = path.resolve()
    if path.is_dir():
        found: list[Path] = []

        def keep(error: OSError) -> None:
            found.append(Path(error.filename))

        for folder, folders, files in os.walk(path, onerror=keep):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [
                Path(folder, name)
                for name in sorted(files)
                if name.lower().endswith(SUFFIXES) and not name.startswith(".")
            ]
        return [
            FoundFile(file, file.relative_to(path.parent).as_posix())
            for file in found
            if not is_link(file)
        ]
    if not path.exists():
        raise InvalidInput(f"{path}: no such file or folder")
    if not path.name.lower().endswith(SUFFIXES):
        raise InvalidInput(f"{path}: not a kind of file that is read ({', '.join(SUFFIXES)})")
    return [FoundFile(path, path.name)]


def is_link(file: Path) -> bool:
    """Say whether it is a symbolic link; what cannot be looked at is left to loading."""
    try:
        return file.is_symlink()
    except OSError:
        return False


def load(file: FoundFile, html: HtmlReader) -> Iterator[LoadedArticle | BadArticle]:
    """Yield the file's articles, and a BadArticle for each that cannot be used."""
    try:
        storable(str(file.path), "its path", file.name)
        if file.path.suffix.lower() == ".jsonl":
            yield from load_lines(file)
        else:
            yield LoadedArticle(load_text(file, html), file.path, file.name, size_of(file.path))
    except BadArticle as bad:
        yield bad
    except OSError as error:
        yield BadArticle(file.name, f"cannot be read: {error.strerror or error}")


def load_text(file: FoundFile, html: HtmlReader) -> Article:
    """Return the article of a Markdown, text or HTML file."""
    content = read_bytes(file)
    suffix = file.path.suffix.lower()
    if suffix in (".html", ".htm"):
        page = html.read(content, file.name)
        return build(file.name, page.fields, page.text)
    text = decoded(content, file.name)
    if suffix == ".txt":
        return build(file.name, {}, text)
    fields, body = split_front_matter(text, file.name)
    return build(file.name, fields, markdown_text(body))


def load_lines(file: FoundFile) -> Iterator[LoadedArticle | BadArticle]:
    """Yield the articles of a JSON-lines file, one a line, and what is wrong with the others."""
    with open_regular(file) as stream:
        number = 0
        while raw := stream.readline(MAX_LINE_CHARACTERS + 1):
            number += 1
            name = f"{file.name}:{number}"
            if len(raw) > MAX_LINE_CHARACTERS:
                yield BadArticle(name, f"the line is longer than {MAX_LINE_CHARACTERS} bytes")
                while raw and not raw.endswith(b"\n"):
                    raw = stream.readline(MAX_LINE_CHARACTERS)
                continue
            if not raw.strip():
                continue
            try:
                yield LoadedArticle(article_of_line(raw, name), file.path, name, len(raw))
            except BadArticle as bad:
                yield bad


def article_of_line(raw: bytes, name: str) -> Article:
    """Return the article that one line of JSON describes."""
    try:
        fields = json.loads(decoded(raw, name))
    except (ValueError, RecursionError) as error:
        raise BadArticle(name, f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadArticle(name, "not a JSON object")
    text = fields.get("text")
    if not isinstance(text, str):
        raise BadArticle(name, "has no field `text` that is a string")
    return build(name, fields, text)


def build(name: str, fields: Mapping[str, object], text: str) -> Article:
    """Return the article with its canonical text and whatever fields it has.

    Raises:
        BadArticle: the text is empty or a field is not what it should be.
    """
    text = canonical(text)
    if not text:
        raise BadArticle(name, "is empty: no text is left when markup is taken away")
    title = canonical(field(fields, "title", name) or first_line(text))
    source, url = named_source(field(fields, "source", name), field(fields, "url", name))
    return Article(
        id=bounded(field(fields, "id", name) or name, MAX_ID_CHARACTERS, "the id", name),
        title=bounded(" ".join(title.split()), MAX_TITLE_CHARACTERS, "the title", name),
        text=storable(text, "the text", name),
        source=source,
        url=url,
        published=published(fields, name),
        author=field(fields, "author", name),
        language=(field(fields, "language", name) or "en").lower(),
    )


def field(fields: Mapping[str, object], wanted: str, name: str) -> str | None:
    """Return a field's text, None when it is absent or empty."""
    for key in FIELD_NAMES[wanted]:
        value = fields.get(key)
        if value is None:
            continue
        if not isinstance(value, str | int | float):
            raise BadArticle(name, f"`{key}` is not a text but a {type(value).__name__}")
        text = canonical(storable(str(value), f"`{key}`", name))
        return bounded(text, MAX_FIELD_CHARACTERS, f"`{key}`", name) or None
    return None


def named_source(source: str | None, url: str | None) -> tuple[str | None, str | None]:
    """Return source and address; some archives write both into the source.

    >>> named_source("Wikinews https://en.wikinews.org/wiki/Comet", None)
    ('Wikinews', 'https://en.wikinews.org/wiki/Comet')
    """
    found = SOURCE_WITH_ADDRESS.fullmatch(source or "")
    if url is not None or found is None:
        return source, url
    return found["source"], found["url"]


def bounded(text: str, characters: int, what: str, name: str) -> str:
    """Return the text; raise BadArticle when it is longer than it may be."""
    if len(text) > characters:
        raise BadArticle(name, f"{what} has {len(text)} characters; at most {characters} are taken")
    return text


def storable(text: str, what: str, name: str) -> str:
    """Return the text; raise BadArticle when the catalogue cannot hold it."""
    try:
        refuse_unstorable(text, what)
    except InvalidInput as error:
        raise BadArticle(name, str(error)) from error
    return text


def published(fields: Mapping[str, object], name: str) -> date | None:
    """Return the publication date, None when there is none."""
    text = field(fields, "published", name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise BadArticle(name, f"the date {text!r} is not of the form 2023-11-09") from error


def split_front_matter(text: str, name: str) -> tuple[dict[str, object], str]:
    """Return the YAML fields between the first two `---` lines, and the rest."""
    text = text.replace("\r\n", "\n")
    if not text.startswith(FENCE):
        return {}, text
    end = text.find("\n" + FENCE, len(FENCE) - 1)
    if end < 0:
        raise BadArticle(name, "the front matter has no closing `---` line")
    head, body = text[len(FENCE) : end + 1], text[end + 1 + len(FENCE) :]
    if len(head) > MAX_FRONT_MATTER_CHARACTERS:
        raise BadArticle(
            name, f"the front matter has over {MAX_FRONT_MATTER_CHARACTERS} characters"
        )
    try:
        # Texts as they are written: YAML's own guesses make `language: no` a False and
        # `id: 007` a seven, and its tags and merges can break or hang what builds them.
        fields = yaml.load(head, yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        problem = str(error).replace("\n", " ")
        raise BadArticle(name, f"the front matter is not YAML: {problem}") from error
    if fields is None:
        return {}, body
    if not isinstance(fields, dict):
        raise BadArticle(name, "the front matter is not a list of `name: value` lines")
    return {key: None if value in NULLS else value for key, value in fields.items()}, body


def decoded(content: bytes, name: str) -> str:
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


def read_bytes(file: FoundFile) -> bytes:
    """Return the content of a regular file of reasonable size."""
    with open_regular(file) as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise BadArticle(file.name, f"is larger than {MAX_FILE_BYTES} bytes")
    if not content.strip():
        raise BadArticle(file.name, "is empty")
    return content


def open_regular(file: FoundFile) -> BinaryIO:
    """Open for reading; refuse pipes and devices, which could block for ever."""
    descriptor = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    stream = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise BadArticle(file.name, "is not a regular file")
    return stream


def size_of(file: Path) -> int:
    """Return the file's size in bytes, 0 when it cannot be told."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def first_line(text: str) -> str:
    """Return the first line, cut at a word to the length of a title."""
    line = text.split("\n", 1)[0]
    return line if len(line) <= 100 else line[:100].rsplit(" ", 1)[0] + " …"
