"""Errors on the way to an answer; index/errors.py has the rest of the tree.

CitewireError
├── InvalidInput
│   └── UnknownEvidence use the whole of a link that Citewire gave
├── NotUsable
│   └── ModelRejected   a model is missing, incomplete or not what it claims to be
└── BrokenCitation      a quote does not equal its article's text: a bug, never shown
"""

from citewire.index.errors import CitewireError, InvalidInput, NotUsable


class UnknownEvidence(InvalidInput):
    """An evidence link that is not from Citewire, or not complete."""


class ModelRejected(NotUsable):
    """A model's files are missing, incomplete or differ from their recorded hashes."""


class BrokenCitation(CitewireError):
    """A citation's quote is not the article's text at its offsets."""
