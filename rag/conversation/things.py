"""Anaphora of things, groups and places: a name for "it", "they" or "there"."""

from collections.abc import Sequence
from dataclasses import dataclass

from citewire.rag.conversation.antecedents import Antecedents, Outcome, Resolution, show_resolution
from citewire.rag.conversation.mentions import Mention, show_mentions
from citewire.rag.conversation.pronouns import PLURAL, find_first, find_free_pronouns, replace
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise
from citewire.rag.conversation.tokens import TextToken, tokenize
from citewire.rag.conversation.types import Clarification, FollowUp

# Verbs of events: an "it" before them means all that was asked before.
EVENT_VERBS = frozenset("take last happen occur begin end start stop cost".split())


@dataclass(frozen=True, slots=True)
class ThingReference:
    """The free pronouns of a question, none of which means one person."""

    follow_up: FollowUp
    free: tuple[TextToken, ...]
    antecedents: Antecedents

    @classmethod
    def find(cls, follow_up: FollowUp, free: Sequence[TextToken]) -> "ThingReference":
        """Return free pronouns with the mentions of the last turn that they may refer to."""
        return cls(follow_up, tuple(free), Antecedents.from_turn(follow_up.last))

    @classmethod
    def from_dialogue(cls, dialogue: str) -> "ThingReference | None":
        """Return the free pronouns of a dialogue's last question, None for none."""
        follow_up = FollowUp.from_dialogue(dialogue)
        free = find_free_pronouns(follow_up.asked)
        return cls.find(follow_up, free) if free else None

    @property
    def pronoun(self) -> TextToken:
        """The pronoun to resolve: the first for a group, or the first."""
        return find_first(self.free, PLURAL) or self.free[0]

    @property
    def things(self) -> list[Mention]:
        """The mentions of the last turn that the pronoun fits."""
        return REFERENTS.decide(self)

    @property
    def is_certain(self) -> bool:
        """Whether the only pronoun fits one certain mention, and means no event."""
        asked, pronoun = self.follow_up.asked, self.pronoun
        behind = {token.word for token in tokenize(asked) if token.start > pronoun.start}
        if len(self.free) > 1 or not EVENT_VERBS.isdisjoint(behind):
            return False
        things = self.things
        return len(things) == 1 and things[0].certain


REFERENTS: Table[ThingReference, list[Mention]] = Table(
    "referents of pronouns that mean no person",
    ThingReference.from_dialogue,
    show_mentions,
    (
        Rule(
            "there: places",
            lambda reference: reference.pronoun.word == "there",
            lambda reference: reference.antecedents.find_places(),
            Example("Where did the plane crash? | Calicut | what happened there?", "Calicut"),
        ),
        Rule(
            "they: plurals and groups",
            lambda reference: reference.pronoun.word in PLURAL,
            lambda reference: reference.antecedents.find_groups(),
            Example("Who met the miners in Leeds? | NASA | who are they?", "NASA, the miners"),
        ),
        Rule(
            "it: a thing, a group, a place or a name",
            otherwise,
            lambda reference: reference.antecedents.find_things(),
            Example("Who met the miners in Leeds? | NASA | where is it?", "NASA, Leeds"),
        ),
    ),
)


THINGS: Table[ThingReference, Outcome] = Table(
    "things for it, they and there",
    ThingReference.from_dialogue,
    show_resolution,
    (
        Rule(
            "first question, about a group",
            lambda reference: reference.follow_up.is_first and reference.pronoun.word in PLURAL,
            lambda reference: Clarification(
                reference.follow_up.text, f"Whom do you mean by “{reference.pronoun.text}”?"
            ),
            Example("what did they find?", "Whom do you mean by “they”?"),
        ),
        Rule(
            "first question",
            lambda reference: reference.follow_up.is_first,
            lambda _: None,
            Example("where is it?", "None"),
        ),
        Rule(
            "one certain thing",
            lambda reference: reference.is_certain,
            lambda reference: Resolution(
                replace(reference.follow_up.asked, reference.pronoun, reference.things[0].text)
            ),
            Example(
                "Where did the plane crash? | Calicut | how many people live there?",
                "how many people live in Calicut?",
            ),
        ),
        Rule(
            "anything else",
            otherwise,
            lambda reference: Resolution(reference.follow_up.asked, leans=True),
            Example(
                "Who flew across the English Channel? | Franky Zapata | how long did it take?",
                "how long did it take? …",
            ),
        ),
    ),
)
