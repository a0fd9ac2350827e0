"""Background maintenance of a served vector index: verify, open and rebuild it.

The process that owns the archive rebuilds a stale index; one that only reads shows what the
owner has built.
"""

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.errors import NotUsable, VectorServerAway
from citewire.index.vectors.vector_index import VectorIndex

SECONDS_BETWEEN_LOOKS = 2.0
# Seconds to wait after a failure: a disk that was full stays so for a while.
SECONDS_AFTER_FAILURE = 60.0
# Changed passages, which are scanned in a millisecond: a small archive is not rebuilt at every
# change.
SCANNED_WITHOUT_COST = 1000

log = logging.getLogger("citewire.index")


class Maintenance:
    """Maintains an index in a thread of its own, as a context; questions never wait for it.

    Leaving it closes the index.
    """

    def __init__(self, vectors: VectorIndex, maintain: Callable[[], None]) -> None:
        self._vectors = vectors
        self._maintain = maintain
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    @classmethod
    def for_owner(cls, vectors: VectorIndex, catalogue: Catalogue) -> "Maintenance":
        """Return the maintenance that rebuilds the index after changes of its catalogue."""
        return cls(vectors, OwnersMaintenance(vectors, catalogue).maintain)

    @classmethod
    def for_replica(cls, vectors: VectorIndex) -> "Maintenance":
        """Return the maintenance that shows what the archive's owner builds."""

        def follow_owner() -> None:
            vectors.refresh()
            vectors.open_chroma()

        return cls(vectors, follow_owner)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leaving.set()
        self._vectors.close()
        self._thread.join()

    def _run(self) -> None:
        """Maintain the index again and again, until left."""
        wait = 0.0
        away = False
        while not self._leaving.wait(wait):
            wait = SECONDS_BETWEEN_LOOKS
            try:
                self._maintain()
                away = False
            except VectorServerAway as error:
                # Logged once, however long it lasts.
                if not away:
                    log.warning("%s", error)
                away = True
            except NotUsable as error:
                if not self._leaving.is_set():
                    log.warning("maintenance of the vector index failed: %s", error)
                wait = SECONDS_AFTER_FAILURE


class OwnersMaintenance:
    """Opens the Chroma index, and rebuilds one that is broken or stale."""

    def __init__(self, vectors: VectorIndex, catalogue: Catalogue) -> None:
        self._vectors = vectors
        self._catalogue = catalogue
        self._maintained_version = -1

    def maintain(self) -> None:
        """Do what has to be done since the catalogue's last version."""
        # Searches with filters read rows, and so did those from before Chroma was open.
        self._vectors.release_rows()
        version = self._catalogue.state().version
        if version == self._maintained_version and self._vectors.uses_chroma:
            return
        self._vectors.open_chroma()
        if self._vectors.is_stale(SCANNED_WITHOUT_COST):
            self._vectors.rebuild()
            self._vectors.open_chroma()
        self._maintained_version = version
