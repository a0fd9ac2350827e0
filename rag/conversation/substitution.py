"""Substitution: "what about Canada?" asks the earlier question of something else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from citewire.rag.conversation.lexicon import AUXILIARIES, PRONOUNS, QUESTION_WORDS
from citewire.rag.conversation.mentions import Mention, find_mentions, show_mentions
from citewire.rag.conversation.phrases import Kind
from citewire.rag.conversation.questions import add_context, capitalize, strip_mark
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise
from citewire.rag.conversation.tokens import tokenize
from citewire.rag.conversation.types import Clarification, FollowUp, Rewrite, show_outcome

INSTEAD = re.compile(
    r"^(?:and\s+|but\s+)?(?:what|how)\s+about\s+|^(?:and|or|but)\s+(?=\S)", re.IGNORECASE
)
PREPOSITION = re.compile(
    r"^(in|on|at|for|from|to|by|of|with|during|after|before|near|under|among)\s+", re.IGNORECASE
)
# Words by which a new phrase still refers to the phrase that it replaces.
RELATIVE = frozenset("before after same other earlier later previous next following".split())
# Words that make a phrase a question or a sentence of its own.
CLAUSAL = AUXILIARIES | QUESTION_WORDS | (PRONOUNS - {"one", "ones"})
MAX_SUBSTITUTE_WORDS = 10


@dataclass(frozen=True, slots=True)
class Substitution:
    """A new phrase for one of the earlier question's.

    `phrase` is as it was asked, `new` the same without its preposition; `slots` are the mentions
    of the earlier question that are not `new` already.
    """

    follow_up: FollowUp
    phrase: str
    preposition: str
    new: str
    kind: Kind
    slots: tuple[Mention, ...]

    @classmethod
    def find(cls, follow_up: FollowUp) -> "Substitution | None":
        """Return the substitution that a follow-up is, None for other questions."""
        found = INSTEAD.match(follow_up.text)
        if found is None:
            return None
        phrase = strip_mark(follow_up.text[found.end() :])
        words = [token.word for token in tokenize(phrase)]
        if not 1 <= len(words) <= MAX_SUBSTITUTE_WORDS or not CLAUSAL.isdisjoint(words):
            return None
        given = PREPOSITION.match(phrase)
        new = phrase[given.end() :] if given else phrase
        mentions = find_mentions(follow_up.last.question)
        slots = tuple(slot for slot in mentions if slot.text.lower() != new.lower())
        preposition = given.group(1).lower() if given else ""
        return cls(follow_up, phrase, preposition, new, classify_alone(new), slots)

    @property
    def earlier(self) -> str:
        """The earlier question."""
        return self.follow_up.last.question

    @property
    def times(self) -> list[Mention]:
        """The slots that are dates."""
        return [slot for slot in self.slots if slot.kind is Kind.TIME]

    @property
    def named(self) -> list[Mention]:
        """The slots that are names, and no dates."""
        return [
            slot
            for slot in self.slots
            if slot.kind is not Kind.TIME and slot.text != slot.text.lower()
        ]

    @property
    def behind_preposition(self) -> list[Mention]:
        """The slots behind the new phrase's preposition, names where there are any."""
        return [slot for slot in self.named or self.slots if slot.preposition == self.preposition]

    @property
    def is_relative(self) -> bool:
        """Whether the new phrase refers to the one that it replaces: "the year before"."""
        return not RELATIVE.isdisjoint(token.word for token in tokenize(self.phrase))

    @property
    def interpretations(self) -> list[str]:
        """The earlier question with the new phrase in each slot that it fits."""
        return [
            capitalize(f"{self.earlier[: slot.start]}{self.new}{self.earlier[slot.end :]}")
            for slot in SLOTS.decide(self)
        ]


def classify_alone(phrase: str) -> Kind:
    """Return the kind of a phrase that stands alone."""
    found = find_mentions(f"about {phrase}", 1)
    return found[0].kind if found else Kind.THING


def keep_alike(substitution: Substitution, slots: Sequence[Mention]) -> list[Mention]:
    """Return the slots of the new phrase's kind."""
    return [slot for slot in slots if slot.kind is substitution.kind]


def parse_dialogue(dialogue: str) -> Substitution | None:
    """Return the substitution that a dialogue's last question is."""
    return Substitution.find(FollowUp.from_dialogue(dialogue))


SLOTS: Table[Substitution, list[Mention]] = Table(
    "slots for a new phrase",
    parse_dialogue,
    show_mentions,
    (
        Rule(
            "date for a date",
            lambda new: new.kind is Kind.TIME,
            lambda new: new.times,
            Example("Who won the election in France in 2017? | Macron | and in 2022?", "2017"),
        ),
        Rule(
            "same preposition and same kind",
            lambda new: bool(new.preposition and keep_alike(new, new.behind_preposition)),
            lambda new: keep_alike(new, new.behind_preposition),
            Example("Who died in the Titanic in Ontario? | 79 | and in Quebec?", "Ontario"),
        ),
        Rule(
            "same preposition",
            lambda new: bool(new.preposition),
            lambda new: new.behind_preposition,
            Example("Who voted for Boris Johnson? | 12 | and for NASA?", "Boris Johnson"),
        ),
        Rule(
            "same kind",
            lambda new: bool(keep_alike(new, new.named)),
            lambda new: keep_alike(new, new.named),
            Example("How many seats did the Liberals win in Leeds? | 79 | and Quebec?", "Leeds"),
        ),
        Rule(
            "thing or place for none of its kind",
            lambda new: new.kind in (Kind.THING, Kind.PLACE),
            lambda _: [],
            Example("Who met Park Jin? | Antony Blinken | what about Canada?", ""),
        ),
        Rule(
            "person, group or name for any name",
            otherwise,
            lambda new: new.named,
            Example("Who robbed Leeds? | Ada Quill | and NASA?", "Leeds"),
        ),
    ),
)


def ask_for_question(new: Substitution) -> Clarification:
    """Return the question to ask back before any other question."""
    return Clarification(new.follow_up.text, f"What about {new.phrase}? Ask the whole question.")


def ask_for_slot(new: Substitution) -> Clarification:
    """Return the question to ask back for a phrase that fits several slots."""
    return Clarification(
        new.follow_up.text, f"What should {new.new} stand for?", tuple(new.interpretations)
    )


def ask_for_meaning(new: Substitution) -> Clarification:
    """Return the question to ask back for a phrase that fits no slot."""
    text = f"What about {new.new}? Ask the whole question."
    return Clarification(new.follow_up.text, text, (f"{new.new}: {new.earlier}",))


def append(new: Substitution) -> Rewrite:
    """Return the earlier question with the new phrase behind it."""
    return Rewrite(f"{strip_mark(new.earlier)} {new.preposition or 'in'} {new.new}?")


SUBSTITUTIONS: Table[Substitution, Rewrite | Clarification] = Table(
    "substitutions",
    parse_dialogue,
    show_outcome,
    (
        Rule(
            "first question",
            lambda new: new.follow_up.is_first,
            ask_for_question,
            Example("what about Canada?", "What about Canada? Ask the whole question."),
        ),
        Rule(
            "several slots",
            lambda new: len(new.interpretations) > 1,
            ask_for_slot,
            Example(
                "Who drove from Paris to Berlin? | Ada Quill | what about Madrid?",
                "What should Madrid stand for?"
                " | Who drove from Madrid to Berlin? | Who drove from Paris to Madrid?",
            ),
        ),
        Rule(
            "one slot, for a relative phrase",
            lambda new: bool(new.interpretations) and new.is_relative,
            lambda new: Rewrite(add_context(new.interpretations[0], new.earlier)),
            Example(
                "Who voted for the Liberals? | 12 | what about the other Conservatives?",
                "Who voted for the other Conservatives (voted for the Liberals)?",
            ),
        ),
        Rule(
            "one slot",
            lambda new: bool(new.interpretations),
            lambda new: Rewrite(new.interpretations[0]),
            Example(
                "How many seats did the Liberals win in Ontario? | 79 | what about Quebec?",
                "How many seats did the Liberals win in Quebec?",
            ),
        ),
        Rule(
            "new place or date",
            lambda new: bool(new.preposition) or new.kind in (Kind.PLACE, Kind.TIME),
            append,
            Example(
                "How many seats did the Liberals win in Ontario? | 79 | and in 2015?",
                "How many seats did the Liberals win in Ontario in 2015?",
            ),
        ),
        Rule(
            "new thing",
            lambda new: new.kind is Kind.THING,
            lambda new: Rewrite(capitalize(add_context(new.new, new.earlier))),
            Example(
                "Where was water vapour found? | K2-18b | and the satellite?",
                "The satellite (water vapour found)?",
            ),
        ),
        Rule(
            "new name that fits nowhere",
            otherwise,
            ask_for_meaning,
            Example(
                "Where was water vapour found? | K2-18b | and Quill?",
                "What about Quill? Ask the whole question. | Quill: Where was water vapour found?",
            ),
        ),
    ),
)
