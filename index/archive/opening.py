"""Open the embedded archive of a data directory, to own it or only to read it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.catalogue.opening import Mode, open_catalogue
from citewire.index.catalogue.seal import Witness
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import ArchiveLost
from citewire.index.vectors.backends import ReadOnlyBackend, open_backend
from citewire.index.vectors.server_address import ServerAddress
from citewire.index.vectors.vector_index import VectorIndex


@contextmanager
def open_owned(
    directory: DataDirectory, encoder: str, server: ServerAddress | None, *, create: bool
) -> Iterator[EmbeddedArchive]:
    """Own the data directory and open what is in it; `create` begins an archive if need be.

    `encoder` is the identity of the model that the vectors come from. The vector index is on the
    Chroma server where one is given, else in the directory.

    Raises:
        NotUsable: no archive, one of another encoder, a damaged one, or one in use.
    """
    with directory:
        mode: Mode = "create" if create else "own"
        with (
            closing(open_catalogue(directory.catalogue, mode, encoder=encoder)) as catalogue,
            open_backend(server) as backend,
        ):
            vectors = VectorIndex(directory.vectors, catalogue, backend)
            with closing(vectors), closing(EmbeddedArchive(catalogue, vectors)) as archive:
                yield archive


@contextmanager
def open_read_only(
    directory: DataDirectory, encoder: str, server: ServerAddress | None
) -> Iterator[EmbeddedArchive]:
    """Open the archive only to read it, while another process may own the data directory.

    Its changes are seen at once. Raises as `open_owned` does, except ArchiveLocked.
    """
    with (
        closing(open_catalogue(directory.catalogue, "read-only", encoder=encoder)) as catalogue,
        open_backend(server) as backend,
    ):
        vectors = VectorIndex(directory.vectors, catalogue, ReadOnlyBackend(backend))
        with closing(vectors), closing(EmbeddedArchive(catalogue, vectors)) as archive:
            yield archive


def require_not_lost(directory: DataDirectory) -> None:
    """Raise ArchiveLost where the catalogue is gone and other files of the archive are left."""
    if directory.catalogue.exists():
        return
    left = Witness(directory.catalogue).find_traces()
    if directory.vectors.is_dir() and any(directory.vectors.iterdir()):
        left.append(f"{directory.vectors.name}/")
    if left:
        raise ArchiveLost(f"{directory.catalogue}: is gone, but {', '.join(left)} are left of it")
