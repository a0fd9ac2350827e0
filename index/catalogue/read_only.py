"""A catalogue beside the process that owns it: every state that it commits, and no change."""

from pathlib import Path

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.columns import ColumnStore
from citewire.index.catalogue.reading_file import ReadingFile


class ReadOnlyCatalogue(Catalogue):
    """Reads a catalogue that another process may be writing.

    Raises:
        ReadOnlyArchive: whatever would change it, bringing an older one up to date among it.
    """

    def __init__(self, path: Path, *, encoder: str) -> None:
        self._file = ReadingFile(path, encoder=encoder)
        self._columns = ColumnStore()
