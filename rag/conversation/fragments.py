"""Fragments: the questions that are a questioning phrase and nothing else."""

import re
from dataclasses import dataclass

from citewire.rag.conversation.lexicon import PREPOSITIONS
from citewire.rag.conversation.questions import Form, strip_mark
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise

# "when was that?", "where did it happen?": all that was asked before.
EVENT = re.compile(
    r"\s+(?:was|is|were|are|did)\s+(?:that|this|it|they|all that)"
    r"(?:\s+(?:be|happen|occur|take\s+place))?(?P<more>\s+exactly)?$",
    re.IGNORECASE,
)
# Words behind a questioning phrase that belong to it.
EMPHASIS = frozenset("exactly else precisely".split())
MAX_FRAGMENT_WORDS = 5
MAX_FRAGMENT_NOUNS = 2


@dataclass(frozen=True, slots=True)
class PossibleFragment:
    """A question that may be a fragment; `event`: it had "was that" or the like behind it."""

    form: Form
    event: bool

    @classmethod
    def parse(cls, question: str) -> "PossibleFragment":
        """Return a question without its mark and without "was that"."""
        text = strip_mark(question)
        event = EVENT.search(text)
        return cls(Form.parse(text[: event.start()] if event else text), event is not None)

    @property
    def nouns(self) -> int:
        """The number of words of the questioning phrase that are none of questioning."""
        first = self.form.tokens[0].word
        return self.form.opening - (2 if first == "how" else 1) - (first in PREPOSITIONS)

    @property
    def last(self) -> str:
        """The last word."""
        return self.form.tokens[-1].word

    @property
    def asks_for_name(self) -> bool:
        """Whether it asks "who was that?": for a name, not for the rest of a story."""
        first = self.form.tokens[0].word
        return self.event and first in ("who", "whom", "what") and self.form.opening == 1


# Whether a question is a fragment, a questioning phrase and nothing else.
FRAGMENTS: Table[PossibleFragment, bool] = Table(
    "fragments",
    PossibleFragment.parse,
    str,
    (
        Rule(
            "no word, or too many",
            lambda candidate: not 1 <= len(candidate.form.tokens) <= MAX_FRAGMENT_WORDS,
            lambda _: False,
            Example("in which city of the north exactly?", "False"),
        ),
        Rule(
            "question for a name",
            lambda candidate: candidate.asks_for_name,
            lambda _: False,
            Example("who was that?", "False"),
        ),
        Rule(
            "no question word",
            lambda candidate: candidate.form.opening == 0,
            lambda _: False,
            Example("not that one", "False"),
        ),
        Rule(
            "names something",
            lambda candidate: any(token.is_capital for token in candidate.form.tokens[1:]),
            lambda _: False,
            Example("which Liberals?", "False"),
        ),
        Rule(
            "more behind the questioning phrase",
            lambda candidate: (
                candidate.form.opening < len(candidate.form.tokens) - (candidate.last in EMPHASIS)
            ),
            lambda _: False,
            Example("who resigned?", "False"),
        ),
        Rule(
            "too many nouns",
            lambda candidate: candidate.nouns > MAX_FRAGMENT_NOUNS,
            lambda _: False,
            Example("which old harbour town?", "False"),
        ),
        Rule(
            "word for a place or a time that was named",
            lambda candidate: candidate.last in ("there", "then", "here"),
            lambda _: False,
            Example("what there?", "False"),
        ),
        Rule("questioning phrase", otherwise, lambda _: True, Example("on what date?", "True")),
    ),
)
