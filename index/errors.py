"""The errors of an archive, named by what the caller does next.

CitewireError
├── InvalidInput        correct the argument
│   ├── BadArticle      correct this one article; the others are not affected
│   └── UnknownArticle  ask for an article that the archive holds
└── NotUsable           make the archive or the models usable, then try again
    ├── NoArchive       index something first
    ├── ArchiveLocked   another process owns the data directory
    ├── StorageFull     the disk has no room; removing still works
    ├── ArchiveDamaged  the catalogue cannot be trusted; have it checked and repaired
    ├── ArchiveLost     the catalogue is gone, and other files of the archive are left
    ├── ArchiveTooNew   a newer version made the archive; use that one
    ├── VectorServerAway  the Chroma server does not answer; it may be back in a moment
    ├── ReadOnlyArchive send changes to the process that owns the archive
    └── WrongEncoder    the archive was embedded by another model

The errors of questions, quotes and models are in rag/errors.py.
"""


class CitewireError(Exception):
    """Anything that Citewire raises on purpose."""


class InvalidInput(CitewireError):
    """An argument cannot be used; the message says which and why."""


class BadArticle(InvalidInput):
    """One article cannot be indexed; `name` says which and `reason` why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class UnknownArticle(InvalidInput):
    """The archive holds no article with this id."""

    def __init__(self, article_id: str) -> None:
        super().__init__(f"the archive holds no article {article_id!r}")
        self.article_id = article_id


class NotUsable(CitewireError):
    """The archive or a model cannot be used as it is."""


class NoArchive(NotUsable):
    """There is nothing to search yet."""


class ArchiveLocked(NotUsable):
    """Another process owns the data directory."""


class StorageFull(NotUsable):
    """There is no room to store anything more; what is stored is sound."""


class ArchiveDamaged(NotUsable):
    """The catalogue cannot be trusted; the doctor reports and keeps what is sound."""

    def __str__(self) -> str:
        return f"{super().__str__()}; `citewire doctor` says what is damaged, `--repair` mends it"


class ArchiveLost(NotUsable):
    """The catalogue is gone; creating a new one in its place would hide the loss."""

    def __str__(self) -> str:
        return (
            f"{super().__str__()}; restore the data directory from a backup, or move away what is"
            " left or name another directory, and index the articles there"
        )


class ArchiveTooNew(NotUsable):
    """A newer version of Citewire wrote the archive."""


class VectorServerAway(NotUsable):
    """The Chroma server that holds the vector index does not answer."""


class ReadOnlyArchive(NotUsable):
    """The archive was opened read-only; the process that owns it may change it."""


class WrongEncoder(NotUsable):
    """The archive's vectors come from another model than the one configured."""
