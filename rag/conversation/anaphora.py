"""Anaphora: names of the earlier turns in place of a follow-up's pronouns."""

from citewire.rag.conversation.antecedents import Outcome
from citewire.rag.conversation.people import PEOPLE, PersonReference
from citewire.rag.conversation.pronouns import PERSONAL, find_first, find_free_pronouns
from citewire.rag.conversation.things import THINGS, ThingReference
from citewire.rag.conversation.types import Clarification, FollowUp

# Turns, the latest first, in which the antecedent of "he" or "she" may be.
TURNS_READ = 3


def resolve(follow_up: FollowUp) -> Outcome:
    """Put names in place of the pronouns that refer to earlier turns; None where there is none."""
    free = find_free_pronouns(follow_up.asked)
    if not free:
        return None
    person = find_first(free, PERSONAL)
    if person is None:
        return THINGS.decide(ThingReference.find(follow_up, free))
    for turn in follow_up.turns[: -TURNS_READ - 1 : -1]:
        outcome = PEOPLE.decide(PersonReference.find(follow_up, person, turn))
        if outcome is not None:
            return outcome
    question = f"Whom do you mean by “{person.text}”? Name the person."
    return Clarification(follow_up.text, question)
