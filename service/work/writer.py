"""Changes to an archive that is being served: one writer, beside the questions.

Articles are split and encoded outside any transaction and committed a few at a time, so that
questions always see a whole state, and a new article as soon as it is stored.
"""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.records import Known, fingerprint
from citewire.index.data_directory import RESERVED_BYTES
from citewire.index.embedding import Encoder
from citewire.index.errors import CitewireError, StorageFull
from citewire.index.ingest.embed import encode_articles, in_batches
from citewire.index.text.chunking import PassageSize
from citewire.index.types import Article
from citewire.service.wire.articles import Result

# Committed together: a second's encoding, so that nobody waits long behind it.
CHARACTERS_PER_COMMIT = 20_000
MAX_WAITING = 32


class WriterBusy(CitewireError):
    """As many changes are waiting as may."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an article, and into how many passages it was cut if it was stored."""

    result: Result
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """An article to be stored; `origin` is the file that it was loaded from, if any."""

    article: Article
    origin: str | None = None

    def result(self, known: Known | None) -> Result:
        """Return what storing it makes of what is known of its id."""
        if known is None:
            return Result.ADDED
        same_origin = self.origin is None or self.origin == known.origin
        same = same_origin and known.fingerprint == fingerprint(self.article)
        return Result.UNCHANGED if same else Result.REPLACED


class Writer:
    """Stores articles one group after another, in a thread of its own."""

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Encoder,
        free_bytes: Callable[[Path], int],
    ) -> None:
        self._catalogue = catalogue
        self._encoder = encoder
        self._free_bytes = free_bytes
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._waiting = 0

    async def put(self, incoming: Sequence[Incoming]) -> list[Written]:
        """Store the articles; return what became of each, once it is found by questions.

        Groups of them are committed one by one: when it fails, those before are stored, and
        storing all again changes nothing about them.

        Raises:
            WriterBusy: at once, when too many others wait.
            StorageFull: the disk is nearly full.
        """
        if self._waiting >= MAX_WAITING:
            raise WriterBusy("too many changes are waiting; try again in a moment")
        self._waiting += 1
        try:
            written: list[Written] = []
            loop = asyncio.get_running_loop()
            for group in in_batches(incoming, CHARACTERS_PER_COMMIT):
                # Group by group, so that one article gets its turn amid a large batch.
                written += await loop.run_in_executor(self._executor, self._store, group)
            return written
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what was begun and drop what waits."""
        self._executor.shutdown(cancel_futures=True)

    def _store(self, group: Sequence[Incoming]) -> list[Written]:
        known = self._catalogue.known([item.article.id for item in group])
        results = {item.article: item.result(known.get(item.article.id)) for item in group}
        changed = {
            item.article: item.origin or ""
            for item in group
            if results[item.article] is not Result.UNCHANGED
        }
        if not changed:
            return [Written(Result.UNCHANGED) for _ in group]
        self._require_room()
        encoded = encode_articles(changed, self._encoder, PassageSize())
        self._catalogue.put(encoded)
        passages = {item.article: len(item.spans) for item in encoded}
        return [Written(results[item.article], passages.get(item.article, 0)) for item in group]

    def _require_room(self) -> None:
        if self._free_bytes(self._catalogue.path.parent) < RESERVED_BYTES:
            raise StorageFull(f"{self._catalogue.path.parent}: the disk is nearly full")


def free_bytes_at(folder: Path) -> int:
    """Return how much room there is on the folder's disk."""
    return shutil.disk_usage(folder).free
