"""The routes of health checks: liveness and readiness."""

from fastapi import APIRouter

from citewire.index.archive.protocol import Archive
from citewire.service.routes.documentation import document_problems
from citewire.service.wire.answers import Alive, Ready
from citewire.service.work.executor import ReadExecutor
from citewire.service.work.snapshots import from_snapshot


def build_health_routes(archive: Archive, reads: ReadExecutor) -> APIRouter:
    """Return the routes by which an orchestrator watches the service."""
    router = APIRouter()

    @router.get(
        "/health/live",
        name="live",
        summary="Is the process alive?",
        responses=document_problems(),
    )
    async def report_alive() -> Alive:
        """Say that the process answers; nothing else is checked."""
        return Alive()

    @router.get(
        "/health/ready",
        name="ready",
        summary="Can questions be answered?",
        responses=document_problems(503),
    )
    async def report_ready() -> Ready:
        """Say that the models are loaded and the archive can be searched, and how large it is."""
        await reads.run(archive.require_answering)
        size, state = await reads.run(
            from_snapshot(archive, lambda snapshot: (snapshot.size, snapshot.state))
        )
        return Ready(articles=size.articles, passages=size.passages, index_version=str(state))

    return router
