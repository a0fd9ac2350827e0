"""The archive as tools of the Model Context Protocol, for language models that look things up.

`search` and `fetch` have the form that ChatGPT's connectors expect: a text that holds JSON.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from starlette.routing import Route
from starlette.types import ASGIApp

from citewire.index.errors import CitewireError, NotUsable
from citewire.index.types import Article
from citewire.rag.quotes.verification import Verifier
from citewire.rag.types import Question
from citewire.rag.wiring import Pipeline
from citewire.service.wire.answers import AskResponse
from citewire.service.wire.convert import convert_verdict
from citewire.service.wire.quotes import VerifyResponse
from citewire.service.work.asker import Asker
from citewire.service.work.executor import QuestionExecutor, ReadExecutor
from citewire.service.work.snapshots import from_snapshot

INSTRUCTIONS = (
    "A news archive. `ask` answers a question with exact words of its articles, or says that it"
    " does not know; `verify` says whether a quote is in the archive; `search` and `fetch` find and"
    " read articles. Quote what is given, with its source."
)
PASSAGES_SEARCHED = 20
READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


class ArchiveTools:
    """The tools; their names, parameters and docstrings are what a language model sees."""

    def __init__(
        self, pipeline: Pipeline, asker: Asker, questions: QuestionExecutor, reads: ReadExecutor
    ) -> None:
        self._archive = pipeline.archive
        self._retriever = pipeline.retriever
        self._verifier = Verifier(pipeline.archive)
        self._asker = asker
        self._questions = questions
        self._reads = reads

    async def search(self, query: str) -> str:
        """Find articles about something; `fetch` reads one by its id."""
        with translate_errors():
            question = Question(query)
            found = await self._questions.run(
                lambda: self._retriever.retrieve(question, PASSAGES_SEARCHED)
            )
        cited = [hit.passage.article for hit in found.hits]
        articles = {article.id: article for article in cited}
        results = [
            {"id": article.id, "title": article.title, "url": article.url or ""}
            for article in articles.values()
        ]
        return json.dumps({"results": results}, ensure_ascii=False)

    async def fetch(self, id: str) -> str:  # noqa: A002 - the protocol's clients call it so
        """Read an article."""
        with translate_errors():
            article = await self._reads.run(
                from_snapshot(self._archive, lambda snapshot: snapshot.article(id))
            )
        return json.dumps(describe_document(article), ensure_ascii=False)

    async def ask(self, question: str) -> AskResponse:
        """Answer a question with exact quotes of the archive's articles, each with its source."""
        with translate_errors():
            return await self._asker.ask(Question(question), uuid.uuid4().hex)

    async def verify(self, quote: str, article_id: str | None = None) -> VerifyResponse:
        """Say whether a quote is in the archive word for word, and where."""

        def work() -> VerifyResponse:
            with self._archive.reading() as snapshot:
                verdict = self._verifier.verify(quote, article_id)
                return convert_verdict(verdict, snapshot, uuid.uuid4().hex)

        with translate_errors():
            return await self._reads.run(work)


def build_mcp_server(
    pipeline: Pipeline, asker: Asker, questions: QuestionExecutor, reads: ReadExecutor
) -> MCPServer[None]:
    """Return a server whose tools ask the pipeline."""
    server: MCPServer[None] = MCPServer("citewire", instructions=INSTRUCTIONS)
    tools = ArchiveTools(pipeline, asker, questions, reads)
    server.add_tool(tools.search, annotations=READ_ONLY, structured_output=False)
    server.add_tool(tools.fetch, annotations=READ_ONLY, structured_output=False)
    server.add_tool(tools.ask, annotations=READ_ONLY)
    server.add_tool(tools.verify, annotations=READ_ONLY)
    return server


def build_endpoint(server: MCPServer[None], path: str, max_body_bytes: int) -> ASGIApp:
    """Return the application that answers the server's requests, without sessions."""
    app = server.streamable_http_app(
        streamable_http_path=path,
        json_response=True,
        stateless_http=True,
        max_request_body_size=max_body_bytes,
        # Host names and origins are checked by the guard, as for every other path.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    (endpoint,) = [route.app for route in app.routes if isinstance(route, Route)]
    return endpoint


def describe_document(article: Article) -> dict[str, object]:
    """Return the document of `fetch`; metadata that is not known is left out."""
    known = {
        "source": article.source,
        "published_at": str(article.published) if article.published else None,
        "author": article.author,
        "language": article.language,
        "sha256": article.digest,
    }
    return {
        "id": article.id,
        "title": article.title,
        "text": article.text,
        "url": article.url or "",
        "metadata": {name: value for name, value in known.items() if value is not None},
    }


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise ToolError for our errors; the reason why the archive is unusable is left out."""
    try:
        yield
    except NotUsable as error:
        raise ToolError("the archive cannot be used at present") from error
    except CitewireError as error:
        raise ToolError(str(error)) from error
