"""Index into the archive, or through the service that has it open."""

from collections.abc import Callable, Sequence
from pathlib import Path

from citewire.index.errors import ArchiveLocked
from citewire.index.ingest.indexer import Indexer, Progress, Report
from citewire.rag.wiring import open_owned_archive
from citewire.service.client.local_service import find_service
from citewire.service.client.remote_target import RemoteTarget
from citewire.service.settings import ServiceSettings


def index_paths(
    settings: ServiceSettings,
    paths: Sequence[Path],
    progress: Callable[[Progress], None],
    *,
    prune: bool,
) -> tuple[Report, int, int]:
    """Index the paths; return the report, and the archive's articles and passages afterwards.

    Raises:
        ArchiveLocked: another process has the archive open and takes no articles.
    """
    try:
        with open_owned_archive(settings, command="index", create=True) as opened:
            indexer = Indexer.into(opened.archive, opened.encoder, progress)
            report = indexer.index(paths, prune=prune)
            with opened.archive.reading() as snapshot:
                return report, snapshot.size.articles, snapshot.size.passages
    except ArchiveLocked as locked:
        service = find_service(settings, locked)
    report = Indexer(RemoteTarget(service), progress).index(paths, prune=prune)
    ready = service.ready()
    return report, ready.articles, ready.passages
