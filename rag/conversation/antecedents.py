"""Antecedents: the mentions of an earlier turn that a pronoun may refer to."""

from dataclasses import dataclass

from citewire.rag.conversation.mentions import Mention, find_answer, find_mentions
from citewire.rag.conversation.phrases import Kind
from citewire.rag.conversation.questions import find_topic, measure_opening
from citewire.rag.conversation.tokens import tokenize
from citewire.rag.conversation.types import BAR, Clarification, Turn, show_outcome


@dataclass(frozen=True, slots=True)
class Resolution:
    """A question with its pronouns replaced; `others` are its other interpretations.

    `leans` says that a pronoun is left that needs the earlier question's topic.
    """

    question: str
    leans: bool = False
    others: tuple[str, ...] = ()


Outcome = Resolution | Clarification | None


def show_resolution(outcome: Outcome) -> str:
    """Return a resolution as an example writes it, "…" behind a question that needs its topic."""
    if outcome is None:
        return "None"
    if isinstance(outcome, Clarification):
        return show_outcome(outcome)
    return BAR.join((outcome.question, *outcome.others)) + (" …" if outcome.leans else "")


@dataclass(frozen=True, slots=True)
class Antecedents:
    """The mentions of a turn that a pronoun may refer to: its answer's, and its question's."""

    turn: Turn
    answer: Mention | None
    mentions: tuple[Mention, ...]

    @classmethod
    def from_turn(cls, turn: Turn) -> "Antecedents":
        """Return the mentions of a turn."""
        return cls(turn, find_answer(turn), tuple(find_mentions(turn.question)))

    def find_people(self, gender: str) -> list[Mention]:
        """Return the people that a pronoun of this gender fits: the answer, then in order."""
        named = self.find_named(gender)
        answer = self.answer
        if answer is None or answer.kind is not Kind.PERSON or not may_be_person(answer, gender):
            return named
        return [answer, *(person for person in named if not is_same_name(person, answer))]

    def find_named(self, gender: str) -> list[Mention]:
        """Return the question's mentions of people, or the names that may be of people."""
        fitting = [mention for mention in self.mentions if may_be_person(mention, gender)]
        certain = [each for each in fitting if each.kind is Kind.PERSON and each.certain]
        return certain or fitting

    def find_places(self) -> list[Mention]:
        """Return the places that "there" may mean, the answer first."""
        answer = [] if self.answer is None else [self.answer]
        return [mention for mention in (*answer, *self.mentions) if mention.kind is Kind.PLACE]

    def find_groups(self) -> list[Mention]:
        """Return the plurals and groups that "they" may mean, the answer first."""
        return [each for each in self.topics if each.plural or each.kind is Kind.GROUP]

    def find_things(self) -> list[Mention]:
        """Return the mentions that "it" may mean, the answer first: no people, dates, plurals."""
        others = (Kind.PERSON, Kind.TIME)
        return [each for each in self.topics if each.kind not in others and not each.plural]

    @property
    def topics(self) -> list[Mention]:
        """All mentions, but no answer of where or when: it says something about the topic."""
        if self.answer is None or self.answer.kind in (Kind.PLACE, Kind.TIME):
            return list(self.mentions)
        return [self.answer, *self.mentions]


def may_be_person(mention: Mention, gender: str) -> bool:
    """Say whether a mention may be a person of this gender."""
    return mention.kind in (Kind.PERSON, Kind.NAME) and mention.gender in ("", gender)


def is_same_name(one: Mention, other: Mention) -> bool:
    """Say whether two mentions name the same: "Blinken" and "Antony Blinken"."""
    words, others = set(one.text.split()), set(other.text.split())
    return words <= others or others <= words


def describe_subject(question: str) -> str:
    """Return "the person who …" of a question that asks who did something, "" for others.

    >>> describe_subject("Who robbed the bank in Leeds?")
    'the person who robbed the bank in Leeds'
    """
    tokens = tokenize(question)
    if not tokens or tokens[0].word != "who" or measure_opening(tokens) != 1:
        return ""
    deed = question.rstrip("?. ")[tokens[0].end :].strip()
    return f"the person who {deed}" if deed and "(" not in deed else find_topic(question)
