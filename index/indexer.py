"""The article's path: load, clean, split, encode, store, make searchable."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.html_text import HtmlReader
from index.loading import FoundFile, LoadedArticle, find_files, load, size_of
from rag.catalogue import Catalogue
from rag.chunking import PassageSize
from rag.encoding import encode_articles
from rag.errors import BadArticle
from rag.protocols import Encoder
from rag.tables import fingerprint
from rag.vectors import VectorIndex
from rag.wiring import Archive

# Encoded and stored together: enough to keep every core at work, few enough that a kill loses
# seconds of it.
CHARACTERS_PER_BATCH = 200_000
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

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: VectorIndex,
        encoder: Encoder,
        size: PassageSize,
        progress: Callable[[Progress], None],
    ) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._encoder = encoder
        self._size = size
        self._progress = progress

    def index(self, paths: Iterable[Path], *, prune: bool) -> Report:
        """Index all articles at the paths; unchanged ones are skipped, changed ones replaced.

        With `prune`, articles that once came from under the paths and are gone are removed;
        those of a file with anything wrong in it are kept. A bad article is reported and
        does not hinder the others. Stored batches stay stored when a run is interrupted.

        Raises:
            InvalidInput: one of the paths cannot be indexed at all; nothing was done.
        """
        roots = [path.resolve() for path in paths]
        origins = self._catalogue.origins()
        reading = Reading(named_as_before(found_once(roots), origins))
        known = {
            article_id: (own, origins[article_id])
            for article_id, own in self._catalogue.fingerprints().items()
        }
        for batch in in_batches(reading.changed(known)):
            reading.report.passages += self._store(batch)
            self._progress(reading.progress())
        # The last batch may be followed by articles that are unchanged or bad.
        self._progress(reading.progress())
        if prune:
            gone = self._gone(roots, reading)
            self._catalogue.remove(gone)
            reading.report.removed = len(gone)
        if self._vectors.is_stale():
            self._vectors.rebuild()
        return reading.report

    def _store(self, batch: Sequence[LoadedArticle]) -> int:
        """Split, encode and put a batch; return its number of passages."""
        articles = {loaded.article: str(loaded.origin) for loaded in batch}
        encoded = encode_articles(articles, self._encoder, self._size)
        self._catalogue.put(encoded)
        return sum(len(item.spans) for item in encoded)

    def _gone(self, roots: Sequence[Path], reading: "Reading") -> list[str]:
        """Return the articles that came from under the roots and were not met again."""
        return [
            article_id
            for article_id, origin in self._catalogue.origins().items()
            if article_id not in reading.seen
            and reading.faulty.isdisjoint([Path(origin), *Path(origin).parents])
            and any(Path(origin).is_relative_to(root) for root in roots)
        ]


def indexer_of(archive: Archive, progress: Callable[[Progress], None]) -> Indexer:
    """Return an indexer of an opened archive, for passages of the usual size."""
    return Indexer(archive.catalogue, archive.vectors, archive.encoder, PassageSize(), progress)


class Reading:
    """One pass over files: which articles were met, and what came of them."""

    def __init__(self, files: Sequence[FoundFile]) -> None:
        self.report = Report()
        self.seen: dict[str, str] = {}
        self.faulty: set[Path] = set()
        self.bytes_read = 0
        self.bytes_total = sum(size_of(file.path) for file in files)
        self._files = files

    def changed(self, known: dict[str, tuple[str, str]]) -> Iterator[LoadedArticle]:
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

    def progress(self) -> Progress:
        """Return how far the pass is."""
        return Progress(self.bytes_read, self.bytes_total, self.report.passages)

    def _is_changed(
        self, loaded: LoadedArticle, file: FoundFile, known: dict[str, tuple[str, str]]
    ) -> bool:
        article = loaded.article
        if article.id in self.seen:
            first = self.seen[article.id]
            reason = f"has the id {article.id!r}, which an article of {first} has as well"
            self.faulty.add(file.path)
            self.report.bad.append(BadArticle(loaded.name, reason))
            return False
        self.seen[article.id] = loaded.name
        if article.id not in known:
            self.report.added += 1
            return True
        if known[article.id] == (fingerprint(article), str(loaded.origin)):
            self.report.unchanged += 1
            return False
        self.report.replaced += 1
        return True


def found_once(roots: Iterable[Path]) -> list[FoundFile]:
    """Return the files at the roots; one named both itself and by its folder is one file."""
    files: dict[Path, FoundFile] = {}
    for root in roots:
        for file in find_files(root):
            files.setdefault(file.path, file)
    return list(files.values())


def named_as_before(files: Iterable[FoundFile], origins: dict[str, str]) -> list[FoundFile]:
    """Give a file the path as its name under which it is in the archive already.

    So that a folder, and later one file of it, do not make two articles of the file.
    """
    # A line of a file is named by the file and its number.
    paths = {origin: LINE_NUMBER.sub("", article_id) for article_id, origin in origins.items()}
    names = {origin: name for origin, name in paths.items() if origin.endswith(f"/{name}")}
    return [replace(file, name=names.get(str(file.path), file.name)) for file in files]


def in_batches(articles: Iterable[LoadedArticle]) -> Iterator[list[LoadedArticle]]:
    """Yield the articles some at a time, about CHARACTERS_PER_BATCH together."""
    batch: list[LoadedArticle] = []
    characters = 0
    for loaded in articles:
        batch.append(loaded)
        characters += len(loaded.article.text)
        if characters >= CHARACTERS_PER_BATCH:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
