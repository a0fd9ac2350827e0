"""The routes of quotes: verification, and the evidence that a citation links to."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from citewire.index.archive.protocol import Archive
from citewire.rag.errors import UnknownEvidence
from citewire.rag.quotes.evidence import Evidence, look_up
from citewire.rag.quotes.permalink import parse_evidence_id
from citewire.rag.quotes.verification import Verifier
from citewire.service.http.pages import render_evidence_page, render_unknown_page
from citewire.service.http.problems import get_request_id
from citewire.service.routes.documentation import document_problems
from citewire.service.wire.convert import convert_evidence, convert_verdict
from citewire.service.wire.quotes import EvidenceOut, VerifyRequest, VerifyResponse
from citewire.service.work.executor import ReadExecutor

EVIDENCE_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}


def build_quote_routes(archive: Archive, reads: ReadExecutor) -> APIRouter:
    """Return the route that verifies a quote."""
    router = APIRouter()
    verifier = Verifier(archive)

    @router.post(
        "/v1/verify",
        summary="Verify a quote",
        responses=document_problems(400, 413, 415, 422, 503),
    )
    async def verify(request: Request, body: VerifyRequest) -> VerifyResponse:
        """Say whether the archive holds a quote, and where; no model takes part."""
        request_id = get_request_id(request.scope)

        def work() -> VerifyResponse:
            with archive.reading() as snapshot:
                verdict = verifier.verify(body.quote, body.article_id)
                return convert_verdict(verdict, snapshot, request_id)

        return await reads.run(work)

    return router


def build_evidence_routes(archive: Archive, reads: ReadExecutor) -> APIRouter:
    """Return the routes of evidence links, for programs and for people."""
    router = APIRouter()

    @router.get(
        "/v1/evidence/{evidence_id}",
        name="evidence",
        summary="Look up the evidence of a citation",
        responses=document_problems(404, 503),
    )
    async def find_evidence(evidence_id: str) -> EvidenceOut:
        """Say whether a quote is still in its article; a citation's `evidence` ends with the id."""
        return convert_evidence(await find_by_link(archive, reads, evidence_id))

    @router.get("/evidence/{evidence_id}", include_in_schema=False)
    async def show_evidence(request: Request, evidence_id: str) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            found = convert_evidence(await find_by_link(archive, reads, evidence_id))
            return JSONResponse(found.model_dump(mode="json"), headers=EVIDENCE_HEADERS)
        try:
            page = render_evidence_page(await find_by_link(archive, reads, evidence_id))
        except UnknownEvidence:
            return HTMLResponse(render_unknown_page(), 404, headers=EVIDENCE_HEADERS)
        return HTMLResponse(page, headers=EVIDENCE_HEADERS)

    return router


async def find_by_link(archive: Archive, reads: ReadExecutor, evidence_id: str) -> Evidence:
    """Return the evidence of a link; raise UnknownEvidence where the id is none."""
    known = parse_evidence_id(evidence_id)
    return await reads.run(lambda: look_up(known, archive))
