"""The queue of changes to an archive while it answers questions: one writer, in its own thread.

Articles are split and encoded outside any transaction and committed a few at a time, so that
questions always see a whole state, and a new article as soon as it is stored.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from citewire.index.archive.protocol import Archive
from citewire.index.embedding import Encoder
from citewire.index.errors import CitewireError
from citewire.index.ingest.embed import batch_articles
from citewire.index.ingest.store import ArticleStore, Incoming, Stored

# Characters of text in one commit: a second's encoding, so that no change waits long behind it.
CHARACTERS_PER_COMMIT = 20_000
# Requests that may wait for the writer.
MAX_WAITING = 32


class WriterBusy(CitewireError):
    """As many changes are waiting as may."""


class Writer:
    """Stores articles one group after another, in a thread of its own."""

    def __init__(self, archive: Archive, encoder: Encoder) -> None:
        self._store = ArticleStore(archive, encoder)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._waiting = 0

    async def put(self, incoming: Sequence[Incoming]) -> list[Stored]:
        """Store the articles; return one result for each, once questions find them.

        Groups of them are committed one by one: when one fails, those before it are stored, and
        storing all again changes nothing about them.

        Raises:
            WriterBusy: at once, when too many others wait.
            StorageFull: the disk is nearly full.
        """
        if self._waiting >= MAX_WAITING:
            raise WriterBusy("too many changes are waiting; try again in a moment")
        self._waiting += 1
        try:
            stored: list[Stored] = []
            loop = asyncio.get_running_loop()
            for group in batch_articles(incoming, CHARACTERS_PER_COMMIT):
                # Group by group, so that one article gets its turn amid a large batch.
                stored += await loop.run_in_executor(self._executor, self._store.store, group)
            return stored
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish the current group and drop those that wait."""
        self._executor.shutdown(cancel_futures=True)
