"""Settings to built objects: the one place that knows which class plays which part."""

import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from citewire.index.archive import Archive
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.seal import Witness
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import ArchiveLost
from citewire.index.ingest.embed import encode_articles
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.text.chunking import PassageSize
from citewire.index.types import Article
from citewire.index.vectors.backends import onlookers_home, owners_home
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.answerer import Answerer
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.models.model_files import ReadyModel, ready_model
from citewire.rag.reading.calibration import Calibration, read_calibration
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.retrieval.retriever import Retriever
from citewire.rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Library:
    """An archive, opened for questions."""

    archive: Archive
    retriever: Retriever
    answerer: Answerer
    calibration: Calibration
    models: dict[str, str]


@contextmanager
def open_archive(
    settings: Settings, *, command: str, create: bool, url: str | None = None
) -> Iterator[Archive]:
    """Own the data directory and open what is in it; `create` begins an archive if need be.

    `command` and `url` tell other processes who the owner is, and where it may be asked.

    Raises:
        NotUsable: no archive, one of another encoder, a damaged one, or one in use.
    """
    directory = DataDirectory(settings.data, command=command, url=url)
    require_not_lost(directory)
    if create:
        directory.require_room()
    else:
        directory.require_archive()
        if directory.is_read_only:
            with open_archive_to_read(settings) as archive:
                yield archive
            return
    model = ready_model("encoder", settings.encoder, settings.cache)
    with ExitStack() as stack:
        # The network loads while the archive opens: neither waits for the other.
        background = stack.enter_context(ThreadPoolExecutor(1))
        encoder = background.submit(OnnxEncoder, model)
        stack.enter_context(directory)
        catalogue = open_catalogue(
            directory.catalogue, "create" if create else "own", encoder=model.identity
        )
        stack.callback(catalogue.close)
        vectors = VectorIndex(directory.vectors, catalogue, owners_home(settings.chroma))
        stack.callback(vectors.close)
        yield Archive(catalogue, vectors, encoder.result())


@contextmanager
def open_archive_to_read(settings: Settings) -> Iterator[Archive]:
    """Open the archive for reading alone, beside the process that owns the data directory.

    What that one changes is seen at once. Raises as open_archive does, though not ArchiveLocked.
    """
    directory = DataDirectory(settings.data, command="serve")
    require_not_lost(directory)
    directory.require_archive()
    model = ready_model("encoder", settings.encoder, settings.cache)
    with ExitStack() as stack:
        background = stack.enter_context(ThreadPoolExecutor(1))
        encoder = background.submit(OnnxEncoder, model)
        catalogue = open_catalogue(directory.catalogue, "read-only", encoder=model.identity)
        stack.callback(catalogue.close)
        vectors = VectorIndex(directory.vectors, catalogue, onlookers_home(settings.chroma))
        stack.callback(vectors.close)
        yield Archive(catalogue, vectors, encoder.result())


def require_not_lost(directory: DataDirectory) -> None:
    """Raise ArchiveLost where there is no catalogue and something else of an archive is left."""
    if directory.catalogue.exists():
        return
    left = Witness(directory.catalogue).traces()
    if directory.vectors.is_dir() and any(directory.vectors.iterdir()):
        left.append(f"{directory.vectors.name}/")
    if left:
        raise ArchiveLost(f"{directory.catalogue}: is gone, but {', '.join(left)} are left of it")


@contextmanager
def open_library(settings: Settings, *, command: str, url: str | None = None) -> Iterator[Library]:
    """Open the archive with all that a question needs; raises as open_archive does."""
    directory = DataDirectory(settings.data, command=command)
    require_not_lost(directory)
    directory.require_archive()
    with library_of(
        settings, open_archive(settings, command=command, create=False, url=url)
    ) as library:
        yield library


@contextmanager
def open_library_to_read(settings: Settings) -> Iterator[Library]:
    """Open the archive for reading alone, with all that a question needs."""
    with library_of(settings, open_archive_to_read(settings)) as library:
        yield library


@contextmanager
def library_of(settings: Settings, opening: AbstractContextManager[Archive]) -> Iterator[Library]:
    """Open an archive and, meanwhile, the reader."""
    model = ready_model("reader", settings.reader, settings.cache)
    with ExitStack() as stack:
        background = stack.enter_context(ThreadPoolExecutor(1))
        reader = background.submit(OnnxReader, model)
        archive = stack.enter_context(opening)
        calibration = calibration_of(model, settings)
        retriever = retriever_of(archive)
        answerer = Answerer(retriever, reader.result(), calibration, archive.catalogue)
        models = {"encoder": archive.encoder.identity, "reader": model.identity}
        yield Library(archive, retriever, answerer, calibration, models)


def retriever_of(archive: Archive) -> Retriever:
    """Return what searches an opened archive."""
    lexical = LexicalIndex(archive.catalogue)
    return Retriever(archive.encoder, archive.vectors, lexical, archive.catalogue)


@contextmanager
def temporary_library(settings: Settings, articles: Iterable[Article]) -> Iterator[Library]:
    """Open an archive of just these articles, in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        # A server would keep what is left of it.
        own = replace(settings, data=Path(folder), chroma=None)
        with open_archive(own, command="eval", create=True) as archive:
            origins = dict.fromkeys(articles, "")
            archive.catalogue.put(encode_articles(origins, archive.encoder, PassageSize()))
            archive.vectors.rebuild()
        with open_library(own, command="eval") as library:
            yield library


def open_reader(settings: Settings) -> tuple[OnnxReader, Calibration]:
    """Open the reader alone, without an archive; raise ModelRejected if it cannot be used."""
    model = ready_model("reader", settings.reader, settings.cache)
    return OnnxReader(model), calibration_of(model, settings)


def calibration_of(reader: ReadyModel, settings: Settings) -> Calibration:
    """Return the reader's calibration, with the person's threshold where one is set."""
    calibration = read_calibration(reader.folder, reader.identity)
    if settings.threshold is None:
        return calibration
    return replace(calibration, threshold=settings.threshold)
