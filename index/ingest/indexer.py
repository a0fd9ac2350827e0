"""The article's path: load, clean, split, encode, store, make searchable."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from citewire.index.archive.protocol import Archive
from citewire.index.catalogue.records import Known
from citewire.index.embedding import Encoder
from citewire.index.errors import BadArticle
from citewire.index.ingest.embed import in_batches
from citewire.index.ingest.html import HtmlReader
from citewire.index.ingest.loading import FoundFile, LoadedArticle, find_files, load, size_of
from citewire.index.ingest.store import Incoming, Result
from citewire.index.ingest.target import ArchiveTarget, BatchReport, Target

LINE_NUMBER = re.compile(r":\d+$")


@dataclass(slots=True)
class Report:
    """What an indexing run did: counts of articles, and those that could not be used."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    bad: list[BadArticle] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: bytes read of all that there are, and passages encoded so far."""

    bytes_read: int
    bytes_total: int
    passages: int


class Indexer:
    """Brings articles from files into an archive."""

    def __init__(self, target: Target, progress: Callable[[Progress], None]) -> None:
        self._target = target
        self._progress = progress

    @classmethod
    def into(
        cls, archive: Archive, encoder: Encoder, progress: Callable[[Progress], None]
    ) -> "Indexer":
        """Return an indexer into an archive that this process has open."""
        return cls(ArchiveTarget(archive, encoder), progress)

    def index(self, paths: Iterable[Path], *, prune: bool) -> Report:
        """Index all articles at the paths; unchanged ones are skipped, changed ones replaced.

        With `prune`, articles that once came from under the paths and are gone are removed;
        those of a file with anything wrong in it are kept. A bad article is reported and
        does not hinder the others. Stored batches stay stored when a run is interrupted.

        Raises:
            InvalidInput: one of the paths cannot be indexed at all; nothing was done.
        """
        roots = [path.resolve() for path in paths]
        files = found_once(roots)
        known = self._target.known()
        reading = Reading(named_as_before(files, known))
        for batch in in_batches(reading.changed(known), self._target.characters_per_batch):
            reading.take(batch, self._target.put(batch), known)
            self._progress(reading.progress())
        # The last batch may be followed by articles that are unchanged or bad.
        self._progress(reading.progress())
        if prune:
            gone = gone_from(roots, reading, known)
            self._target.remove(gone)
            reading.report.removed = len(gone)
        self._target.finish()
        return reading.report


def gone_from(roots: Sequence[Path], reading: "Reading", known: dict[str, Known]) -> list[str]:
    """Return the articles that came from under the roots and were not met again."""
    return [
        article_id
        for article_id, origin in (
            (article_id, Path(own.origin)) for article_id, own in known.items()
        )
        if article_id not in reading.seen
        and reading.faulty.isdisjoint([origin, *origin.parents])
        and any(origin.is_relative_to(root) for root in roots)
    ]


class Reading:
    """One pass over files: which articles were met, and what came of them."""

    def __init__(self, files: Sequence[FoundFile]) -> None:
        self.report = Report()
        self.seen: dict[str, str] = {}
        self.faulty: set[Path] = set()
        self.bytes_read = 0
        self.bytes_total = sum(size_of(file.path) for file in files)
        self._files = files

    def changed(self, known: dict[str, Known]) -> Iterator[LoadedArticle]:
        """Yield the articles that are new, or whose fingerprint or origin is not the known one."""
        html = HtmlReader()
        try:
            for file in self._files:
                done = self.bytes_read + size_of(file.path)
                for loaded in load(file, html):
                    if isinstance(loaded, BadArticle):
                        self.faulty.add(file.path)
                        self.report.bad.append(loaded)
                        continue
                    self.bytes_read += loaded.size_bytes
                    if self._is_changed(loaded, file, known):
                        yield loaded
                self.bytes_read = done
        finally:
            html.close()

    def take(
        self, batch: Sequence[LoadedArticle], report: BatchReport, known: dict[str, Known]
    ) -> None:
        """Count what became of a batch that `changed` gave."""
        refused = {bad.name for bad in report.bad}
        self.report.bad += report.bad
        self.report.passages += report.passages
        for loaded in batch:
            if loaded.name in refused:
                self.faulty.add(loaded.origin)
            elif loaded.article.id in known:
                self.report.replaced += 1
            else:
                self.report.added += 1

    def progress(self) -> Progress:
        """Return how far the pass is."""
        return Progress(self.bytes_read, self.bytes_total, self.report.passages)

    def _is_changed(self, loaded: LoadedArticle, file: FoundFile, known: dict[str, Known]) -> bool:
        article = loaded.article
        if article.id in self.seen:
            first = self.seen[article.id]
            reason = f"has the id {article.id!r}, which an article of {first} has as well"
            self.faulty.add(file.path)
            self.report.bad.append(BadArticle(loaded.name, reason))
            return False
        self.seen[article.id] = loaded.name
        incoming = Incoming(article, str(loaded.origin))
        if incoming.result(known.get(article.id)) is Result.UNCHANGED:
            self.report.unchanged += 1
            return False
        return True


def found_once(roots: Iterable[Path]) -> list[FoundFile]:
    """Return the files at the roots; one named both itself and by its folder is one file."""
    files: dict[Path, FoundFile] = {}
    for root in roots:
        for file in find_files(root):
            files.setdefault(file.path, file)
    return list(files.values())


def named_as_before(files: Iterable[FoundFile], known: dict[str, Known]) -> list[FoundFile]:
    """Give a file the path as its name under which it is in the archive already.

    So that a folder, and later one file of it, do not make two articles of the file.
    """
    # A line of a file is named by the file and its number.
    paths = {own.origin: LINE_NUMBER.sub("", article_id) for article_id, own in known.items()}
    names = {origin: name for origin, name in paths.items() if origin.endswith(f"/{name}")}
    return [replace(file, name=names.get(str(file.path), file.name)) for file in files]
