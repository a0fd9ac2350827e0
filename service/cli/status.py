"""Read an archive's status: its size, its version, the models it uses."""

from pydantic import BaseModel

from citewire.index.errors import ArchiveLocked
from citewire.rag.wiring import open_pipeline
from citewire.service.client.local_service import find_service
from citewire.service.settings import ServiceSettings
from citewire.service.wire.phrasing import describe_risk


class ArchiveStatus(BaseModel):
    """The status of an archive; while a service has it open, only `Ready`'s fields are known."""

    data: str
    articles: int
    passages: int
    index_version: str
    served_at: str | None = None
    encoder: str | None = None
    reader: str | None = None
    threshold: float | None = None
    risk: str | None = None
    vectors_indexed: int | None = None
    vectors_scanned: int | None = None


def read_status(settings: ServiceSettings) -> ArchiveStatus:
    """Read it from the archive, or from the service that has it open; raises as opening does."""
    try:
        with open_pipeline(settings, command="status") as pipeline:
            with pipeline.archive.reading() as snapshot:
                size, state = snapshot.size, snapshot.state
            coverage = pipeline.archive.coverage()
            return ArchiveStatus(
                data=str(settings.data),
                articles=size.articles,
                passages=size.passages,
                index_version=str(state),
                encoder=pipeline.models["encoder"],
                reader=pipeline.models["reader"],
                threshold=pipeline.calibration.threshold,
                risk=describe_risk(pipeline.calibration.risk),
                vectors_indexed=coverage.indexed,
                vectors_scanned=coverage.scanned,
            )
    except ArchiveLocked as locked:
        service = find_service(settings, locked)
        ready = service.ready()
        return ArchiveStatus(
            data=str(settings.data),
            served_at=service.url,
            **ready.model_dump(exclude={"status"}),
        )


def render_status(status: ArchiveStatus) -> str:
    """Return the known fields as lines for a person."""
    shown = status.model_dump(exclude_none=True)
    width = max(map(len, shown))
    return "\n".join(f"{name.replace('_', ' '):<{width}}  {shown[name]}" for name in shown)
