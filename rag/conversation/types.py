"""The values of question rewriting: an earlier turn, a rewrite, a question asked back.

The words are those of QReCC (Anantha et al., 2021) and CANARD (Elgohary et al., 2019).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question, as it was rewritten, and the text of its best answer, "" for none."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A question that stands on its own; `alternatives` are other ways to read the follow-up."""

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
