"""Keep a served index fast and whole: try its Chroma out, open it, and build it anew when stale.

A service that only reads follows what the owner of the archive has built.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.errors import NotUsable, VectorServerAway
from citewire.index.vectors.vector_index import VectorIndex

SECONDS_BETWEEN_LOOKS = 2.0
# A disk that was full stays so for a while.
SECONDS_AFTER_FAILURE = 60.0
# So many passages are scanned in a millisecond: a small archive is not built anew at every change.
SCANNED_WITHOUT_COST = 1000

log = logging.getLogger("citewire.index")


@contextmanager
def kept_up(vectors: VectorIndex, catalogue: Catalogue) -> Iterator[None]:
    """Look after the index in a thread of its own, until left; questions never wait for it."""
    with looked_after(vectors, Tending(vectors, catalogue)):
        yield


@contextmanager
def followed(vectors: VectorIndex) -> Iterator[None]:
    """Show what the owner of the archive builds, until left; questions never wait for it."""
    with looked_after(vectors, lambda: follow(vectors)):
        yield


@contextmanager
def looked_after(vectors: VectorIndex, care: Callable[[], None]) -> Iterator[None]:
    """Take care of the index again and again, in a thread of its own."""
    leaving = threading.Event()
    thread = threading.Thread(target=look_after, args=(care, leaving), name="upkeep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        vectors.close()
        thread.join()


def look_after(care: Callable[[], None], leaving: threading.Event) -> None:
    """Take care again and again; the thread's main loop."""
    wait = 0.0
    away = False
    while not leaving.wait(wait):
        wait = SECONDS_BETWEEN_LOOKS
        try:
            care()
            away = False
        except VectorServerAway as error:
            # Once is enough, however long it lasts.
            if not away:
                log.warning("%s", error)
            away = True
        except NotUsable as error:
            if not leaving.is_set():
                log.warning("the vector index is not kept up: %s", error)
            wait = SECONDS_AFTER_FAILURE


class Tending:
    """Tends an index now and after every change of its catalogue."""

    def __init__(self, vectors: VectorIndex, catalogue: Catalogue) -> None:
        self._vectors = vectors
        self._catalogue = catalogue
        self._seen = -1

    def __call__(self) -> None:
        """Tend it where there is anything to do."""
        # Questions with filters scan them, and one that came before Chroma was open may still do.
        self._vectors.release_rows()
        version = self._catalogue.state().version
        if version == self._seen and self._vectors.uses_chroma:
            return
        tend(self._vectors)
        self._seen = version


def tend(vectors: VectorIndex) -> None:
    """Open the Chroma index, or build one when there is none that is sound and fresh."""
    vectors.open_chroma()
    if vectors.is_stale(SCANNED_WITHOUT_COST):
        vectors.rebuild()
        vectors.open_chroma()


def follow(vectors: VectorIndex) -> None:
    """Show the newest generation, and open its index where it may be opened."""
    vectors.refresh()
    vectors.open_chroma()
