"""Question rewriting: a follow-up is rewritten so that it stands on its own, or asked back.

Rules read closed word lists and the earlier questions and answers; no model takes part. A
question that stands on its own already stays as it is.

>>> rewrite("where was she born?", [Turn("Who founded the club?", "Ada Quill")])
Rewrite(question='Where was Ada Quill born?', alternatives=())
"""

from collections.abc import Sequence

from citewire.rag.conversation.anaphora import resolve
from citewire.rag.conversation.context import CONTEXTS, Pending
from citewire.rag.conversation.ellipsis import COMPLETIONS, Fragment
from citewire.rag.conversation.substitution import SUBSTITUTIONS, Substitution
from citewire.rag.conversation.types import Clarification, FollowUp, Rewrite, Turn
from citewire.rag.types import MAX_QUESTION_CHARACTERS


def rewrite(question: str, turns: Sequence[Turn]) -> Rewrite | Clarification:
    """Return the question as it stands on its own, or the question to ask back."""
    follow_up = FollowUp.from_question(question, turns)
    outcome = decide(follow_up)
    if isinstance(outcome, Clarification):
        return outcome
    # A question that was too long as it came is refused when it is asked, with the reason.
    if len(outcome.question) > MAX_QUESTION_CHARACTERS >= len(follow_up.text):
        ask_back = "That is too long together with what came before. Ask it in full?"
        return Clarification(follow_up.text, ask_back)
    return outcome


def rewrite_last(questions: Sequence[str], answers: Sequence[str]) -> Rewrite | Clarification:
    """Rewrite the last of the questions; each earlier one is rewritten by those before it."""
    turns: list[Turn] = []
    for question, answer in zip(questions[:-1], answers, strict=True):
        outcome = rewrite(question, turns)
        if isinstance(outcome, Rewrite):
            turns.append(Turn(outcome.question, answer))
    return rewrite(questions[-1], turns)


def decide(follow_up: FollowUp) -> Rewrite | Clarification:
    """Run the tables in order: substitution, ellipsis, anaphora, context."""
    substitution = Substitution.find(follow_up)
    if substitution is not None:
        return SUBSTITUTIONS.decide(substitution)
    fragment = Fragment.find(follow_up)
    if fragment is not None:
        return COMPLETIONS.decide(fragment)
    resolution = resolve(follow_up)
    if isinstance(resolution, Clarification):
        return resolution
    return CONTEXTS.decide(Pending(follow_up, resolution))
