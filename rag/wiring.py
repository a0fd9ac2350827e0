"""Settings to built objects: the one place that knows which class plays which part."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from citewire.index.archive.opening import open_owned, open_read_only, require_not_lost
from citewire.index.archive.protocol import Archive
from citewire.index.data_directory import DataDirectory
from citewire.index.embedding import Encoder
from citewire.index.ingest.embed import encode_articles
from citewire.index.text.chunking import PassageSize
from citewire.index.types import Article
from citewire.rag.answerer import Answerer, QuestionAnswerer
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.models.model_files import ReadyModel, prepare_model
from citewire.rag.reading.calibration import Calibration, read_calibration
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.retriever_protocol import Retriever
from citewire.rag.settings import Settings


@dataclass(frozen=True, slots=True)
class OpenArchive:
    """An archive, and the encoder that its passages were embedded with."""

    archive: Archive
    encoder: Encoder

    @property
    def retriever(self) -> Retriever:
        """The retriever of its passages; threads may share it."""
        return HybridRetriever(self.encoder, self.archive)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An archive with all that a question needs; `models` are their identities by role."""

    archive: Archive
    encoder: Encoder
    retriever: Retriever
    answerer: QuestionAnswerer
    calibration: Calibration
    models: dict[str, str]


@contextmanager
def open_owned_archive(
    settings: Settings, *, command: str, create: bool, url: str | None = None
) -> Iterator[OpenArchive]:
    """Own the data directory and open what is in it; `create` begins an archive if need be.

    `command` and `url` name the owner to other processes, and where it may be asked. A directory
    that cannot be written is only read.

    Raises:
        NotUsable: no archive, one of another encoder, a damaged one, or one in use.
    """
    directory = DataDirectory(settings.data, command=command, url=url)
    require_not_lost(directory)
    if create:
        directory.require_room()
    else:
        directory.require_archive()
    model = prepare_model("encoder", settings.encoder, settings.cache)
    if directory.is_read_only and not create:
        opening = open_read_only(directory, model.identity, settings.chroma)
    else:
        opening = open_owned(directory, model.identity, settings.chroma, create=create)
    with open_with_encoder(opening, model) as opened:
        yield opened


@contextmanager
def open_archive_read_only(settings: Settings) -> Iterator[OpenArchive]:
    """Open the archive only to read it, while another process may own the data directory.

    Its changes are seen at once. Raises as `open_owned_archive` does, except ArchiveLocked.
    """
    directory = DataDirectory(settings.data, command="serve")
    require_not_lost(directory)
    directory.require_archive()
    model = prepare_model("encoder", settings.encoder, settings.cache)
    opening = open_read_only(directory, model.identity, settings.chroma)
    with open_with_encoder(opening, model) as opened:
        yield opened


@contextmanager
def open_with_encoder(
    opening: AbstractContextManager[Archive], model: ReadyModel
) -> Iterator[OpenArchive]:
    """Open an archive and load its encoder at the same time."""
    with ThreadPoolExecutor(1) as background:
        encoder = background.submit(OnnxEncoder, model)
        with opening as archive:
            yield OpenArchive(archive, encoder.result())


@contextmanager
def open_pipeline(
    settings: Settings, *, command: str, url: str | None = None
) -> Iterator[Pipeline]:
    """Open the archive with all that a question needs; raises as `open_owned_archive` does."""
    directory = DataDirectory(settings.data, command=command)
    require_not_lost(directory)
    directory.require_archive()
    opening = open_owned_archive(settings, command=command, create=False, url=url)
    with open_with_reader(settings, opening) as pipeline:
        yield pipeline


@contextmanager
def open_pipeline_read_only(settings: Settings) -> Iterator[Pipeline]:
    """Open the archive only to read it, with all that a question needs."""
    with open_with_reader(settings, open_archive_read_only(settings)) as pipeline:
        yield pipeline


@contextmanager
def open_with_reader(
    settings: Settings, opening: AbstractContextManager[OpenArchive]
) -> Iterator[Pipeline]:
    """Open an archive and load the reader at the same time."""
    model = prepare_model("reader", settings.reader, settings.cache)
    with ThreadPoolExecutor(1) as background:
        reader = background.submit(OnnxReader, model)
        with opening as opened:
            calibration = load_calibration(model, settings)
            retriever = opened.retriever
            answerer = Answerer(retriever, reader.result(), calibration)
            models = {"encoder": opened.encoder.identity, "reader": model.identity}
            yield Pipeline(opened.archive, opened.encoder, retriever, answerer, calibration, models)


@contextmanager
def open_temporary_pipeline(
    settings: Settings, fill: Callable[[OpenArchive], None]
) -> Iterator[Pipeline]:
    """Open an archive that `fill` puts articles into, in a directory that is deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        # In the folder: a server would keep its part.
        own = replace(settings, data=Path(folder), chroma=None)
        with open_owned_archive(own, command="eval", create=True) as opened:
            fill(opened)
        with open_pipeline(own, command="eval") as pipeline:
            yield pipeline


def put_articles(opened: OpenArchive, articles: Iterable[Article]) -> None:
    """Put articles that are in no file into an archive."""
    origins = dict.fromkeys(articles, "")
    opened.archive.put(encode_articles(origins, opened.encoder, PassageSize()))
    opened.archive.compact()


def open_reader(settings: Settings) -> tuple[OnnxReader, Calibration]:
    """Open only the reader, without an archive; raise ModelRejected if it cannot be used."""
    model = prepare_model("reader", settings.reader, settings.cache)
    return OnnxReader(model), load_calibration(model, settings)


def load_calibration(reader: ReadyModel, settings: Settings) -> Calibration:
    """Return the reader's calibration, with the user's threshold where one is set."""
    calibration = read_calibration(reader.folder, reader.identity)
    if settings.threshold is None:
        return calibration
    # The risk is that of the calibration's own thresholds.
    return replace(calibration, threshold=settings.threshold, who_threshold=None, risk=None)
