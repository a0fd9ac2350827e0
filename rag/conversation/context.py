"""Context: a question that could be asked of any event gets the earlier question's topic."""

from collections.abc import Sequence
from dataclasses import dataclass

from citewire.rag.conversation.anaphora import resolve
from citewire.rag.conversation.antecedents import Resolution
from citewire.rag.conversation.ellipsis import find_subject
from citewire.rag.conversation.lexicon import (
    AUXILIARIES,
    FUNCTION_WORDS,
    GENERIC,
    MONTHS,
    POINTING_NOUNS,
    PRONOUNS,
    WEEKDAYS,
)
from citewire.rag.conversation.questions import CONTEXT, add_context, capitalize, strip_mark
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise
from citewire.rag.conversation.tokens import TextToken, tokenize
from citewire.rag.conversation.types import Clarification, FollowUp, Rewrite, show_outcome

POINTING = frozenset("this that these those".split())
# Words before a last "that" by which it means the earlier question's event.
BEFORE_POINTING = AUXILIARIES | frozenset(
    "say said happen happened for about of after before in".split()
)
NO_NAMES = FUNCTION_WORDS | PRONOUNS | MONTHS | WEEKDAYS


def list_open_class_words(question: str) -> list[str]:
    """Return the words of a question that are in no closed class."""
    return [
        token.word
        for token in tokenize(question)
        if token.is_word and token.word not in FUNCTION_WORDS
    ]


def has_names(question: str) -> bool:
    """Say whether a question names anything, a year included."""
    return any(token.is_capital and token.word not in NO_NAMES for token in tokenize(question)[1:])


def is_generic(question: str) -> bool:
    """Say whether a question could be asked of any event: "how many people were hurt?"."""
    if CONTEXT.search(question) or has_names(question):
        return False
    return all(word in GENERIC for word in list_open_class_words(question))


def points_back(question: str, earlier: str) -> bool:
    """Say whether a question refers to the earlier one: "how old was the driver?"."""
    if has_names(question):
        return False
    tokens = tokenize(strip_mark(question))
    known = frozenset(list_open_class_words(earlier))
    if any(is_pointing(tokens, place, known) for place in range(len(tokens) - 1)):
        return True
    return ends_in_pointing(tokens)


def is_pointing(tokens: Sequence[TextToken], place: int, known: frozenset[str]) -> bool:
    """Say whether "that" or "the" at a place has a noun behind it that points back."""
    word, noun = tokens[place].word, tokens[place + 1].word
    if word in POINTING:
        return noun in POINTING_NOUNS or noun in GENERIC or noun in known
    explained = [token.word for token in tokens[place + 2 : place + 3]]
    if word != "the" or explained in (["of"], ["that"], ["who"]):
        return False
    return noun in POINTING_NOUNS or noun in known or noun == "same"


def ends_in_pointing(tokens: Sequence[TextToken]) -> bool:
    """Say whether the last word means the earlier event: "what did he say about that"."""
    if len(tokens) < 2 or tokens[-1].word not in POINTING:
        return False
    return any(token.word in BEFORE_POINTING for token in tokens[:-1])


@dataclass(frozen=True, slots=True)
class Pending:
    """A question after its pronouns; `resolution` is None where none had to be resolved."""

    follow_up: FollowUp
    resolution: Resolution | None

    @classmethod
    def from_dialogue(cls, dialogue: str) -> "Pending | None":
        """Return a dialogue's last question after its pronouns, None for one to ask back."""
        follow_up = FollowUp.from_dialogue(dialogue)
        resolution = resolve(follow_up)
        if isinstance(resolution, Clarification):
            return None
        return cls(follow_up, resolution)

    @property
    def question(self) -> str:
        """The question with its pronouns replaced."""
        return self.resolution.question if self.resolution else self.follow_up.asked

    @property
    def leans(self) -> bool:
        """Whether it has a pronoun left that refers to the earlier question."""
        return self.resolution is not None and self.resolution.leans

    @property
    def is_of_any_event(self) -> bool:
        """Whether it says nothing of its own, and a question was asked before it."""
        return not self.follow_up.is_first and is_generic(self.question)

    @property
    def points_back(self) -> bool:
        """Whether it has no pronoun, but a noun that refers to the earlier question."""
        unresolved = self.resolution is None and not self.follow_up.is_first
        return unresolved and points_back(self.question, self.follow_up.last.question)


def finish(pending: Pending, question: str) -> Rewrite:
    """Return the rewrite to a question, with the other interpretations of its pronouns."""
    others = pending.resolution.others if pending.resolution else ()
    return Rewrite(capitalize(question), tuple(map(capitalize, others)))


def add_context_to_question(pending: Pending) -> Rewrite:
    """Return the rewrite with the earlier question's topic in brackets."""
    last = pending.follow_up.last
    return finish(pending, add_context(pending.question, last.question, find_subject(last)))


CONTEXTS: Table[Pending, Rewrite] = Table(
    "contexts",
    Pending.from_dialogue,
    show_outcome,
    (
        Rule(
            "pronoun left",
            lambda pending: pending.leans,
            add_context_to_question,
            Example(
                "Who met Park Jin? | Antony Blinken | what did they discuss?",
                "What did they discuss (Antony Blinken met Park Jin)?",
            ),
        ),
        Rule(
            "question of any event",
            lambda pending: pending.is_of_any_event,
            add_context_to_question,
            Example(
                "Where did the plane crash? | Calicut | how many passengers were on board?",
                "How many passengers were on board (the plane crash)?",
            ),
        ),
        Rule(
            "noun that points back",
            lambda pending: pending.points_back,
            add_context_to_question,
            Example(
                "Where did the plane crash? | Calicut | who was the pilot?",
                "Who was the pilot (the plane crash)?",
            ),
        ),
        Rule(
            "question that stands on its own",
            lambda pending: pending.question == pending.follow_up.asked,
            lambda pending: Rewrite(pending.follow_up.text),
            Example(
                "Who met Park Jin? | Antony Blinken | and how do bees make honey?",
                "and how do bees make honey?",
            ),
        ),
        Rule(
            "question with names for its pronouns",
            otherwise,
            lambda pending: finish(pending, pending.question),
            Example(
                "Who met Park Jin? | Antony Blinken | when did he arrive?",
                "When did Antony Blinken arrive? | When did Park Jin arrive?",
            ),
        ),
    ),
)
