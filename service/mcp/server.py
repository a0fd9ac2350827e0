"""The archive as tools of the Model Context Protocol, for language models that look things up.

`search` and `fetch` have the shape that ChatGPT's connectors ask for: one text that holds JSON.
"""

import json
import uuid

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from starlette.routing import Route
from starlette.types import ASGIApp

from citewire.index.errors import CitewireError, NotUsable
from citewire.rag.quotes.verification import Verifier
from citewire.rag.types import Question
from citewire.rag.wiring import Pipeline
from citewire.service.wire.answers import AskResponse
from citewire.service.wire.convert import convert_verdict
from citewire.service.wire.quotes import VerifyResponse
from citewire.service.work.asker import Asker
from citewire.service.work.executor import Inference, Reads
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


def build_mcp_server(
    pipeline: Pipeline, asker: Asker, inference: Inference, reads: Reads
) -> MCPServer[None]:
    """Return a server whose tools ask the pipeline."""
    server: MCPServer[None] = MCPServer("citewire", instructions=INSTRUCTIONS)
    archive = pipeline.archive
    verifier = Verifier(archive)

    @server.tool(annotations=READ_ONLY, structured_output=False)
    async def search(query: str) -> str:
        """Find articles about something; `fetch` reads one by its id."""
        try:
            question = Question(query)
            found = await inference.run(
                lambda: pipeline.retriever.retrieve(question, PASSAGES_SEARCHED)
            )
        except CitewireError as error:
            raise refusal(error) from error
        cited = [hit.passage.article for hit in found.hits]
        articles = {article.id: article for article in cited}
        results = [
            {"id": article.id, "title": article.title, "url": article.url or ""}
            for article in articles.values()
        ]
        return json.dumps({"results": results}, ensure_ascii=False)

    @server.tool(annotations=READ_ONLY, structured_output=False)
    async def fetch(id: str) -> str:  # noqa: A002 - the protocol's clients call it so
        """Read an article."""
        try:
            article = await reads.run(from_snapshot(archive, lambda snapshot: snapshot.article(id)))
        except CitewireError as error:
            raise refusal(error) from error
        known = {
            "source": article.source,
            "published_at": str(article.published) if article.published else None,
            "author": article.author,
            "language": article.language,
            "sha256": article.digest,
        }
        document = {
            "id": article.id,
            "title": article.title,
            "text": article.text,
            "url": article.url or "",
            "metadata": {name: value for name, value in known.items() if value is not None},
        }
        return json.dumps(document, ensure_ascii=False)

    @server.tool(annotations=READ_ONLY)
    async def ask(question: str) -> AskResponse:
        """Answer a question with exact quotes of the archive's articles, each with its source."""
        try:
            return await asker.ask(Question(question), uuid.uuid4().hex)
        except CitewireError as error:
            raise refusal(error) from error

    @server.tool(annotations=READ_ONLY)
    async def verify(quote: str, article_id: str | None = None) -> VerifyResponse:
        """Say whether a quote is in the archive word for word, and where."""

        def work() -> VerifyResponse:
            with archive.reading() as snapshot:
                verdict = verifier.verify(quote, article_id)
                return convert_verdict(verdict, snapshot, uuid.uuid4().hex)

        try:
            return await reads.run(work)
        except CitewireError as error:
            raise refusal(error) from error

    return server


def endpoint_of(server: MCPServer[None], path: str, max_body_bytes: int) -> ASGIApp:
    """Return what answers the server's requests, without sessions: any may be the first."""
    app = server.streamable_http_app(
        streamable_http_path=path,
        json_response=True,
        stateless_http=True,
        max_request_body_size=max_body_bytes,
        # Names and origins are checked by the guard, as for every other path.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    (endpoint,) = [route.app for route in app.routes if isinstance(route, Route)]
    return endpoint


def refusal(error: CitewireError) -> ToolError:
    """Return what the model is told; what is wrong with the archive is the operator's to know."""
    unusable = isinstance(error, NotUsable)
    return ToolError("the archive cannot be used at present" if unusable else str(error))
