"""Citewire: question answering over a news archive, in its articles' exact words.

    with citewire.open_archive("data", create=True) as archive:
        archive.index("news")
        response = archive.ask("who met Park Jin?")

Every name in `__all__` is public. Each is imported when it is first used, so that
`import citewire` loads nothing else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citewire.index.errors import (
        ArchiveDamaged,
        ArchiveLocked,
        BadArticle,
        CitewireError,
        InvalidInput,
        NoArchive,
        NotUsable,
        ReadOnlyArchive,
        UnknownArticle,
    )
    from citewire.index.ingest.indexer import Progress, Report
    from citewire.index.types import Filters
    from citewire.rag.errors import BrokenCitation, ModelRejected
    from citewire.service.library import Archive, open_archive
    from citewire.service.wire.answers import AnswerOut, AskResponse, CitationOut, ClosestOut
    from citewire.service.wire.articles import ArticleOut
    from citewire.service.wire.quotes import VerifyResponse
    from citewire.service.wire.search import FoundOut, SearchResponse

    __version__: str

MODULES = {
    "citewire.index.errors": (
        "ArchiveDamaged",
        "ArchiveLocked",
        "BadArticle",
        "CitewireError",
        "InvalidInput",
        "NoArchive",
        "NotUsable",
        "ReadOnlyArchive",
        "UnknownArticle",
    ),
    "citewire.index.ingest.indexer": ("Progress", "Report"),
    "citewire.index.types": ("Filters",),
    "citewire.rag.errors": ("BrokenCitation", "ModelRejected"),
    "citewire.service.library": ("Archive", "open_archive"),
    "citewire.service.wire.answers": (
        "AnswerOut",
        "AskResponse",
        "CitationOut",
        "ClosestOut",
    ),
    "citewire.service.wire.articles": ("ArticleOut",),
    "citewire.service.wire.quotes": ("VerifyResponse",),
    "citewire.service.wire.search": ("FoundOut", "SearchResponse"),
}
MODULE_BY_NAME = {name: module for module, names in MODULES.items() for name in names}

__all__ = [
    "AnswerOut",
    "Archive",
    "ArchiveDamaged",
    "ArchiveLocked",
    "ArticleOut",
    "AskResponse",
    "BadArticle",
    "BrokenCitation",
    "CitationOut",
    "CitewireError",
    "ClosestOut",
    "Filters",
    "FoundOut",
    "InvalidInput",
    "ModelRejected",
    "NoArchive",
    "NotUsable",
    "Progress",
    "ReadOnlyArchive",
    "Report",
    "SearchResponse",
    "UnknownArticle",
    "VerifyResponse",
    "__version__",
    "open_archive",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import a public name from its module (PEP 562)."""
        if name == "__version__":
            return import_module("importlib.metadata").version("citewire")
        if name not in MODULE_BY_NAME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(MODULE_BY_NAME[name]), name)

    def __dir__() -> list[str]:
        """List the public names too that are not imported yet."""
        return sorted({*globals(), *__all__})
