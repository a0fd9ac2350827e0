"""Extract the article from a web page: its main text, and the metadata in its head.

No HTML parser is safe from inputs made to hang or exhaust it, so pages are parsed in a child
process with bounded memory and time; one that does not answer is killed and replaced.
"""

import multiprocessing
import resource
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from citewire.index.errors import BadArticle

# Seconds that parsing one page may take.
SECONDS_PER_PAGE = 10.0
# Seconds for the child to start and to import the parser, before the first page.
SECONDS_TO_START = 60.0
# Bytes of address space of the child (RLIMIT_AS).
MAX_MEMORY_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """A web page's article: its metadata fields and its text, with blank lines between blocks."""

    fields: dict[str, object]
    text: str


class PageParser:
    """Parses pages, one after another, in a child process that it starts when needed.

    Each may take `seconds_per_page`.
    """

    def __init__(self, seconds_per_page: float = SECONDS_PER_PAGE) -> None:
        self._seconds_per_page = seconds_per_page
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def parse(self, content: bytes, name: str) -> Page:
        """Return the page's article.

        Raises:
            BadArticle: no article is found in it, or it cannot be parsed in time.
        """
        try:
            pipe = self._pipe or self._start(name)
            pipe.send_bytes(content)
            if not pipe.poll(self._seconds_per_page):
                raise BadArticle(
                    name, f"cannot be parsed within {self._seconds_per_page:g} seconds"
                )
            page = pipe.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise BadArticle(name, "cannot be parsed: the parser broke down on it") from error
        except BadArticle:
            self.close()
            raise
        if not isinstance(page, Page):
            raise BadArticle(name, f"holds no article: {page}")
        return page

    def close(self) -> None:
        """End the child process."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process, self._pipe = None, None

    def _start(self, name: str) -> Connection:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve_pages, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(SECONDS_TO_START):
            self.close()
            raise BadArticle(name, "cannot be parsed: the parser does not start")
        self._pipe.recv()
        return self._pipe


def serve_pages(pipe: Connection) -> None:
    """Answer each page's bytes with a Page, or the reason for none: the child's main loop."""
    # Only in the child: it takes a second to import, and most archives hold no HTML.
    import trafilatura

    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    pipe.send("ready")
    while True:
        try:
            content = pipe.recv_bytes()
        except EOFError:
            return
        document = trafilatura.bare_extraction(
            content, include_comments=False, favor_recall=True, with_metadata=True
        )
        if isinstance(document, trafilatura.settings.Document) and document.text:
            pipe.send(build_page(document))
        else:
            pipe.send("no text is left when markup and navigation are taken away")


def build_page(document: object) -> Page:
    """Convert the parser's document."""
    fields = {
        "title": getattr(document, "title", None),
        "source": getattr(document, "sitename", None),
        "url": getattr(document, "url", None),
        "published": getattr(document, "date", None),
        "author": getattr(document, "author", None),
    }
    return Page(fields, getattr(document, "text", "").replace("\n", "\n\n"))
