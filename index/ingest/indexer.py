"""The article's path: load, clean, split, encode, store, make searchable."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from citewire.index.archive.protocol import Archive
from citewire.index.catalogue.records import Known
from citewire.index.embedding import Encoder
from citewire.index.errors import BadArticle
from citewire.index.ingest.embed import batch_articles
from citewire.index.ingest.files import FoundFile, find_files, measure_file
from citewire.index.ingest.html import PageParser
from citewire.index.ingest.loading import LoadedArticle, load
from citewire.index.ingest.store import Incoming, Result
from citewire.index.ingest.target import ArchiveTarget, BatchReport, Target

LINE_NUMBER = re.compile(r":\d+$")


@dataclass(slots=True)
class Report:
    """The counts of an indexing run, and the articles that could not be used."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    bad: list[BadArticle] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run: bytes read and bytes in all, and passages encoded so far."""

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
        those of a file with anything wrong in it are kept. A bad article is reported, and the
        others are stored. Stored batches stay stored when a run is interrupted.

        Raises:
            InvalidInput: one of the paths cannot be indexed at all; nothing was done.
        """
        roots = [path.resolve() for path in paths]
        files = find_all_files(roots)
        known = self._target.known()
        run = IndexingRun(keep_names(files, known))
        for batch in batch_articles(run.load_changed(known), self._target.characters_per_batch):
            run.count(batch, self._target.put(batch), known)
            self._progress(run.progress)
        # The last batch may be followed by articles that are unchanged or bad.
        self._progress(run.progress)
        if prune:
            gone = find_gone(roots, run, known)
            self._target.remove(gone)
            run.report.removed = len(gone)
        self._target.finish()
        return run.report


def find_gone(roots: Sequence[Path], run: "IndexingRun", known: dict[str, Known]) -> list[str]:
    """Return the articles that once came from under the roots and are not there any more."""
    return [
        article_id
        for article_id, origin in (
            (article_id, Path(own.origin)) for article_id, own in known.items()
        )
        if article_id not in run.seen
        and run.faulty.isdisjoint([origin, *origin.parents])
        and any(origin.is_relative_to(root) for root in roots)
    ]


class IndexingRun:
    """One pass over files: the articles seen so far, and the report."""

    def __init__(self, files: Sequence[FoundFile]) -> None:
        self.report = Report()
        self.seen: dict[str, str] = {}
        self.faulty: set[Path] = set()
        self.bytes_read = 0
        self.bytes_total = sum(measure_file(file.path) for file in files)
        self._files = files

    def load_changed(self, known: dict[str, Known]) -> Iterator[LoadedArticle]:
        """Yield the articles that are new, or whose fingerprint or origin has changed."""
        html = PageParser()
        try:
            for file in self._files:
                done = self.bytes_read + measure_file(file.path)
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

    def count(
        self, batch: Sequence[LoadedArticle], report: BatchReport, known: dict[str, Known]
    ) -> None:
        """Add a batch of `load_changed` to the report, once it was put."""
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

    @property
    def progress(self) -> Progress:
        """The progress so far."""
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


def find_all_files(roots: Iterable[Path]) -> list[FoundFile]:
    """Return the files at the roots; one that is given itself and by its folder counts once."""
    files: dict[Path, FoundFile] = {}
    for root in roots:
        for file in find_files(root):
            files.setdefault(file.path, file)
    return list(files.values())


def keep_names(files: Iterable[FoundFile], known: dict[str, Known]) -> list[FoundFile]:
    """Give a file the name that its article has in the archive already.

    Otherwise indexing a folder, and later one file of it, would make two articles of the file.
    """
    # An article from a line of a file is named by the file and the line's number.
    paths = {own.origin: LINE_NUMBER.sub("", article_id) for article_id, own in known.items()}
    names = {origin: name for origin, name in paths.items() if origin.endswith(f"/{name}")}
    return [replace(file, name=names.get(str(file.path), file.name)) for file in files]
