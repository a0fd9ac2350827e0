"""The seam to the reading model: from a question and passages to spans."""

from collections.abc import Sequence
from typing import Protocol

from citewire.rag.types import Extract, Hit


class Reader(Protocol):
    """Finds the spans that answer a question."""

    def read(self, question: str, hits: Sequence[Hit]) -> list[Extract]:
        """Return the best spans over all hits, best first, none overlapping another."""
