"""What an archive holds and which models it uses, for a person or a program."""

from pydantic import BaseModel

from citewire.index.errors import ArchiveLocked
from citewire.rag.wiring import open_library
from citewire.service.client.local_service import service_with
from citewire.service.settings import ServiceSettings


class Status(BaseModel):
    """The state of an archive; what only its owner knows is left out while a service has it."""

    data: str
    articles: int
    passages: int
    index_version: str
    served_at: str | None = None
    encoder: str | None = None
    reader: str | None = None
    threshold: float | None = None
    vectors_indexed: int | None = None
    vectors_scanned: int | None = None

    def text(self) -> str:
        """Return it as lines for a person."""
        shown = self.model_dump(exclude_none=True)
        width = max(map(len, shown))
        return "\n".join(f"{name.replace('_', ' '):<{width}}  {shown[name]}" for name in shown)


def read_status(settings: ServiceSettings) -> Status:
    """Open the archive, or ask the service that has it open; raises as open_library does."""
    try:
        with open_library(settings, command="status") as library:
            catalogue, vectors = library.archive.catalogue, library.archive.vectors
            articles, passages = catalogue.counts()
            return Status(
                data=str(settings.data),
                articles=articles,
                passages=passages,
                index_version=str(catalogue.state()),
                encoder=library.models["encoder"],
                reader=library.models["reader"],
                threshold=library.calibration.threshold,
                vectors_indexed=vectors.indexed_rows,
                vectors_scanned=vectors.scanned_rows(),
            )
    except ArchiveLocked as locked:
        service = service_with(settings, locked)
        ready = service.ready()
        return Status(
            data=str(settings.data),
            served_at=service.url,
            **ready.model_dump(exclude={"status"}),
        )
