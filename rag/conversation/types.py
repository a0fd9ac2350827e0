"""The values of question rewriting: an earlier turn, a follow-up, a rewrite, a question asked back.

The words are those of QReCC (Anantha et al., 2021) and CANARD (Elgohary et al., 2019).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

OPENING = re.compile(r"^(?:(?:and|but|so|ok|okay|well|also|then|now)\b[\s,]*)+", re.IGNORECASE)
# Between the parts of a dialogue, of a rewrite and of a clarification in a rule's example.
BAR = " | "


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question, as it was rewritten, and the text of its best answer, "" for none."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question in its conversation.

    `text` is the question as it came, `asked` the same without "and", "but" and the like before
    it; `turns` are the earlier ones, the latest last.
    """

    text: str
    asked: str
    turns: tuple[Turn, ...]

    @classmethod
    def from_question(cls, question: str, turns: Sequence[Turn]) -> "FollowUp":
        """Return a question, with or without spaces around it, as a follow-up to `turns`."""
        text = question.strip()
        return cls(text, OPENING.sub("", text), tuple(turns))

    @classmethod
    def from_dialogue(cls, dialogue: str) -> "FollowUp":
        """Return the last question of a dialogue: question, answer, …, question.

        >>> FollowUp.from_dialogue("Who met Park Jin? | Antony Blinken | where?").last
        Turn(question='Who met Park Jin?', answer='Antony Blinken')
        """
        *said, question = (part.strip() for part in dialogue.split(BAR.strip()))
        turns = map(Turn, said[::2], said[1::2])
        return cls.from_question(question, tuple(turns))

    @property
    def is_first(self) -> bool:
        """Whether no question was asked before it."""
        return not self.turns

    @property
    def last(self) -> Turn:
        """The latest turn, an empty one before the first question."""
        return self.turns[-1] if self.turns else Turn("")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A question that stands on its own; `alternatives` are other interpretations of it."""

    question: str
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clarification:
    """A question to ask back, for a follow-up that may mean several things, or nothing.

    `question` is the follow-up as it was asked; `candidates` are whole questions, one of which
    may be meant.
    """

    question: str
    ask_back: str
    candidates: tuple[str, ...] = ()


def show_outcome(outcome: Rewrite | Clarification) -> str:
    """Return the question and its alternatives, or the text to ask back and its candidates."""
    if isinstance(outcome, Rewrite):
        return BAR.join((outcome.question, *outcome.alternatives))
    return BAR.join((outcome.ask_back, *outcome.candidates))
