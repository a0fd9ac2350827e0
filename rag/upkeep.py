"""Keep a served index fast and whole: try its Chroma out, open it, and build it anew when stale."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rag.catalogue import Catalogue
from rag.errors import NotUsable
from rag.vectors import VectorIndex

SECONDS_BETWEEN_LOOKS = 2.0
# A disk that was full stays so for a while.
SECONDS_AFTER_FAILURE = 60.0
# So many passages are scanned in a millisecond: a small archive is not built anew at every change.
SCANNED_WITHOUT_COST = 1000

log = logging.getLogger("citewire.index")


@contextmanager
def kept_up(vectors: VectorIndex, catalogue: Catalogue) -> Iterator[None]:
    """Look after the index in a thread of its own, until left; questions never wait for it."""
    leaving = threading.Event()
    thread = threading.Thread(
        target=look_after, args=(vectors, catalogue, leaving), name="upkeep", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        vectors.close()
        thread.join()


def look_after(vectors: VectorIndex, catalogue: Catalogue, leaving: threading.Event) -> None:
    """Tend the index now and after every change of the catalogue; the thread's main loop."""
    seen = -1
    wait = 0.0
    while not leaving.wait(wait):
        wait = SECONDS_BETWEEN_LOOKS
        try:
            version = catalogue.state().version
            if version == seen and vectors.uses_chroma:
                continue
            tend(vectors)
            seen = version
        except NotUsable as error:
            if not leaving.is_set():
                log.warning("the vector index is not kept up: %s", error)
            wait = SECONDS_AFTER_FAILURE


def tend(vectors: VectorIndex) -> None:
    """Open the Chroma index, or build one when there is none that is sound and fresh."""
    vectors.open_chroma()
    if vectors.is_stale(SCANNED_WITHOUT_COST):
        vectors.rebuild()
        vectors.open_chroma()
