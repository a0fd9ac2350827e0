"""A question and its tokens: analysed once, and handed along the question's path."""

from dataclasses import dataclass
from functools import cached_property

from citewire.index.text.analysis import Token, analyze
from citewire.index.types import Filters
from citewire.rag.types import Question


@dataclass(frozen=True)  # Without slots: the stems are collected once and kept.
class Query:
    """A question with the tokens of its text, in order."""

    question: Question
    tokens: tuple[Token, ...]

    @classmethod
    def from_question(cls, question: Question) -> "Query":
        """Return the question with its tokens."""
        return cls(question, tuple(analyze(question.text)))

    @property
    def text(self) -> str:
        """The question as it was asked."""
        return self.question.text

    @property
    def filters(self) -> Filters:
        """Which articles may be searched."""
        return self.question.filters

    @cached_property
    def stems(self) -> frozenset[str]:
        """The tokens' stems."""
        return frozenset(token.stem for token in self.tokens)
