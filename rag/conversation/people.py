"""Anaphora of people: a name for "he" or "she"."""

from dataclasses import dataclass

from citewire.rag.conversation.antecedents import (
    Antecedents,
    Outcome,
    Resolution,
    describe_subject,
    show_resolution,
)
from citewire.rag.conversation.mentions import Mention
from citewire.rag.conversation.pronouns import (
    MALE,
    NEUTER,
    PERSONAL,
    PLURAL,
    find_first,
    find_free_pronouns,
    replace,
)
from citewire.rag.conversation.questions import capitalize
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise
from citewire.rag.conversation.tokens import TextToken
from citewire.rag.conversation.types import Clarification, FollowUp, Turn


@dataclass(frozen=True, slots=True)
class PersonReference:
    """A "he" or "she" of a question, and a turn that may name the person."""

    follow_up: FollowUp
    pronoun: TextToken
    antecedents: Antecedents
    people: tuple[Mention, ...]

    @classmethod
    def find(cls, follow_up: FollowUp, pronoun: TextToken, turn: Turn) -> "PersonReference":
        """Return the people of a turn that a pronoun may mean."""
        antecedents = Antecedents.from_turn(turn)
        people = antecedents.find_people("m" if pronoun.word in MALE else "f")
        return cls(follow_up, pronoun, antecedents, tuple(people))

    @classmethod
    def from_dialogue(cls, dialogue: str) -> "PersonReference | None":
        """Return the first free "he" or "she" of a dialogue's last question, None for none."""
        follow_up = FollowUp.from_dialogue(dialogue)
        pronoun = find_first(find_free_pronouns(follow_up.asked), PERSONAL)
        return None if pronoun is None else cls.find(follow_up, pronoun, follow_up.last)

    def put(self, name: str) -> str:
        """Return the question with a name in place of the pronoun."""
        return replace(self.follow_up.asked, self.pronoun, name)

    @property
    def interpretations(self) -> list[str]:
        """The question with each of the people in place of the pronoun."""
        return [self.put(person.text) for person in self.people]

    @property
    def description(self) -> str:
        """The description of a person that was asked for and not found, "" where none was."""
        answered = self.antecedents.answer is not None
        return "" if answered else describe_subject(self.antecedents.turn.question)

    @property
    def is_ambiguous(self) -> bool:
        """Whether no person stands out among several."""
        first, *others = self.people
        if first.plural or not others:
            return first.plural
        stands_out = first is self.antecedents.answer or all(other.preposition for other in others)
        return bool(first.preposition) or not stands_out

    @property
    def leaves_pronoun(self) -> bool:
        """Whether the question with the first person has a pronoun left, for a thing or a group."""
        left = find_free_pronouns(self.interpretations[0])
        return find_first(left, NEUTER | PLURAL) is not None


def ask_for_person(reference: PersonReference) -> Clarification:
    """Return the question to ask back for several people, one candidate for each name."""
    names = [name for person in reference.people for name in person.text.split(" and ")]
    return Clarification(
        reference.follow_up.text,
        f"Whom do you mean by “{reference.pronoun.text}”?",
        tuple(capitalize(reference.put(name)) for name in names),
    )


def put_person(reference: PersonReference) -> Resolution:
    """Return the question with the first person in place of the pronoun."""
    first, *others = reference.interpretations
    return Resolution(first, reference.leaves_pronoun, tuple(others))


PEOPLE: Table[PersonReference, Outcome] = Table(
    "people for he and she",
    PersonReference.from_dialogue,
    show_resolution,
    (
        Rule(
            "person that was asked for and not found",
            lambda reference: not reference.people and bool(reference.description),
            lambda reference: Resolution(reference.put(reference.description)),
            Example(
                "Who robbed the bank in Leeds? | | how did he escape?",
                "how did the person who robbed the bank in Leeds escape?",
            ),
        ),
        Rule(
            "turn without people",
            lambda reference: not reference.people,
            lambda _: None,
            Example("Where was water vapour found? | K2-18b | how old was he?", "None"),
        ),
        Rule(
            "several people",
            lambda reference: reference.is_ambiguous,
            ask_for_person,
            Example(
                "When did Behnken and Hurley fly? | May | how old was he?",
                "Whom do you mean by “he”? | How old was Behnken? | How old was Hurley?",
            ),
        ),
        Rule(
            "person that stands out",
            otherwise,
            put_person,
            Example(
                "Who met Park Jin? | Antony Blinken | when did he arrive?",
                "when did Antony Blinken arrive? | when did Park Jin arrive?",
            ),
        ),
    ),
)
