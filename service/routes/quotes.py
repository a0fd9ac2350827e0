"""The HTTP API of quotes: verifying one, and showing the evidence that a citation links to."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from citewire.rag.errors import UnknownEvidence
from citewire.rag.quotes.evidence import Evidence, look_up
from citewire.rag.quotes.permalink import parse_evidence_id
from citewire.rag.quotes.verification import Verifier
from citewire.rag.wiring import Pipeline
from citewire.service.http.pages import evidence_page, unknown_page
from citewire.service.http.problems import request_id
from citewire.service.routes.ask import problems
from citewire.service.wire.convert import convert_evidence, convert_verdict
from citewire.service.wire.quotes import EvidenceOut, VerifyRequest, VerifyResponse
from citewire.service.work.executor import Reads


def build_quote_routes(pipeline: Pipeline, reads: Reads) -> APIRouter:
    """Return the routes of an opened pipeline."""
    router = APIRouter()
    archive = pipeline.archive
    verifier = Verifier(archive)

    @router.post(
        "/v1/verify",
        summary="Verify a quote",
        responses=problems(400, 413, 415, 422, 503),
    )
    async def verify(request: Request, body: VerifyRequest) -> VerifyResponse:
        """Say whether the archive holds a quote, and where; no model is asked."""
        identity = request_id(request.scope)

        def work() -> VerifyResponse:
            with archive.reading() as snapshot:
                verdict = verifier.verify(body.quote, body.article_id)
                return convert_verdict(verdict, snapshot, identity)

        return await reads.run(work)

    async def found(evidence: str) -> Evidence:
        known = parse_evidence_id(evidence)
        return await reads.run(lambda: look_up(known, archive))

    @router.get(
        "/v1/evidence/{evidence_id}",
        summary="Look up the evidence of a citation",
        responses=problems(404, 503),
    )
    async def evidence(evidence_id: str) -> EvidenceOut:
        """Say what became of a quote since it was cited; `evidence_id` ends its `evidence`."""
        return convert_evidence(await found(evidence_id))

    @router.get("/evidence/{evidence_id}", include_in_schema=False)
    async def shown(request: Request, evidence_id: str) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            content = convert_evidence(await found(evidence_id)).model_dump(mode="json")
            return JSONResponse(content, headers=headers)
        try:
            return HTMLResponse(evidence_page(await found(evidence_id)), headers=headers)
        except UnknownEvidence:
            return HTMLResponse(unknown_page(), 404, headers=headers)

    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    return router
