"""Follow-up questions, made whole by rules from the questions and answers before them.

`rewrite("where was she born?", [Turn("Who founded the club?", "Ada Quill")])` is
`Rewrite("where was Ada Quill born?")`. What cannot be resolved is asked back, and what is
whole already stays as it is. Pure functions over text; no model takes part.
"""

import re
from collections.abc import Sequence

from citewire.rag.conversation.anaphora import Resolved, resolve
from citewire.rag.conversation.ellipsis import (
    bare,
    capitalised,
    complete,
    fragment_of,
    is_generic,
    points_back,
    with_context,
)
from citewire.rag.conversation.lexicon import AUXILIARIES, PRONOUNS, QUESTION_WORDS
from citewire.rag.conversation.mentions import Mention, find_mentions, read_answer
from citewire.rag.conversation.phrases import Kind
from citewire.rag.conversation.tokens import tokenize
from citewire.rag.conversation.types import Clarification, Rewrite, Turn
from citewire.rag.types import MAX_QUESTION_CHARACTERS

OPENING = re.compile(r"^(?:(?:and|but|so|ok|okay|well|also|then|now)\b[\s,]*)+", re.IGNORECASE)
INSTEAD = re.compile(
    r"^(?:and\s+|but\s+)?(?:what|how)\s+about\s+|^(?:and|or|but)\s+(?=\S)", re.IGNORECASE
)
PREPOSITION = re.compile(
    r"^(in|on|at|for|from|to|by|of|with|during|after|before|near|under|among)\s+", re.IGNORECASE
)
# Words by which what is put in place of something still leans on it.
RELATIVE = frozenset("before after same other earlier later previous next following".split())
MAX_SUBSTITUTE_WORDS = 10


def rewrite(question: str, earlier: Sequence[Turn]) -> Rewrite | Clarification:
    """Return the question as it stands by itself, or what to ask back."""
    text = question.strip()
    reading = substituted(text, earlier) or read(OPENING.sub("", text), text, earlier)
    if isinstance(reading, Clarification):
        return reading
    # What was too long as it came is not ours to explain: asking it says so.
    if len(reading.question) > MAX_QUESTION_CHARACTERS >= len(text):
        return Clarification(
            text, "That is too long together with what came before. Ask it in full?"
        )
    return reading


def rewrite_last(questions: Sequence[str], answers: Sequence[str]) -> Rewrite | Clarification:
    """Understand the last of the questions; each earlier one was read by those before it."""
    earlier: list[Turn] = []
    for question, answer in zip(questions[:-1], answers, strict=True):
        reading = rewrite(question, earlier)
        if isinstance(reading, Rewrite):
            earlier.append(Turn(reading.question, answer))
    return rewrite(questions[-1], earlier)


def read(  # noqa: PLR0911 - a list of decisions, the first that fits holds
    asked: str, text: str, earlier: Sequence[Turn]
) -> Rewrite | Clarification:
    """Read what is no mere substitution: a fragment, a pronoun, a question about the last one."""
    fragment = fragment_of(asked)
    if fragment is not None:
        if not earlier:
            return Clarification(text, f"“{text}” of what? Ask the whole question.")
        last = earlier[-1]
        return Rewrite(complete(fragment, last.question, subject_of(last)))
    resolved = resolve(asked, [people_and_things(turn) for turn in reversed(earlier)])
    if isinstance(resolved, Resolved):
        question = resolved.question
        if (resolved.leans and earlier) or (earlier and is_generic(question)):
            question = in_context(question, earlier[-1])
        if question == asked:
            return Rewrite(text)
        return Rewrite(capitalised(question), tuple(map(capitalised, resolved.others)))
    if resolved is not None:
        return Clarification(text, resolved.ask_back, tuple(map(capitalised, resolved.candidates)))
    if earlier and (points_back(asked, earlier[-1].question) or is_generic(asked)):
        return Rewrite(capitalised(in_context(asked, earlier[-1])))
    return Rewrite(text)


def people_and_things(turn: Turn) -> tuple[Mention | None, list[Mention], str]:
    """Return what the turn mentions, its answer's mention apart; and its question."""
    answered = read_answer(turn)
    return answered, find_mentions(turn.question), turn.question


def subject_of(turn: Turn) -> str:
    """Return the answer where it names what did something, "" elsewhere."""
    answered = read_answer(turn)
    tokens = tokenize(turn.question)
    if answered is None or not tokens or tokens[0].word not in ("who", "which", "what"):
        return ""
    return answered.text


def in_context(question: str, turn: Turn) -> str:
    """Return the question with what the turn was about."""
    return with_context(question, turn.question, subject_of(turn))


def substituted(  # noqa: PLR0911
    text: str, earlier: Sequence[Turn]
) -> Rewrite | Clarification | None:
    """Ask the last question of something else: "what about Canada?"; None for other questions."""
    found = INSTEAD.match(text)
    if found is None:
        return None
    phrase = bare(text[found.end() :])
    words = [token.word for token in tokenize(phrase)]
    if not words or len(words) > MAX_SUBSTITUTE_WORDS or is_clause(words):
        return None
    if not earlier:
        return Clarification(text, f"What about {phrase}? Ask the whole question.")
    last = earlier[-1].question
    given = PREPOSITION.match(phrase)
    preposition = given.group(1).lower() if given else ""
    new = phrase[given.end() :] if given else phrase
    readings = [instead(last, slot, new) for slot in slots_for(last, new, preposition)]
    if len(readings) > 1:
        return Clarification(text, f"What should {new} stand for?", tuple(readings))
    if readings:
        reading = readings[0]
        leans = bool(RELATIVE & set(words))
        return Rewrite(with_context(reading, last) if leans else reading)
    kind = kind_of_phrase(new)
    if preposition or kind in (Kind.PLACE, Kind.TIME):
        where = preposition or "in"
        return Rewrite(f"{bare(last)} {where} {new}?")
    if kind is Kind.THING:
        return Rewrite(capitalised(with_context(new, last)))
    return Clarification(text, f"What about {new}? Ask the whole question.", (f"{new}: {last}",))


def is_clause(words: Sequence[str]) -> bool:
    """Say whether the words are a question or a sentence of their own."""
    return bool(set(words) & (AUXILIARIES | QUESTION_WORDS | (PRONOUNS - {"one", "ones"})))


def kind_of_phrase(phrase: str) -> Kind:
    """Return the kind of a phrase that stands alone."""
    found = find_mentions(f"about {phrase}", 1)
    return found[0].kind if found else Kind.THING


def slots_for(question: str, new: str, preposition: str) -> list[Mention]:
    """Return the phrases of a question that a new one may take the place of."""
    slots = [slot for slot in find_mentions(question) if slot.text.lower() != new.lower()]
    kind = kind_of_phrase(new)
    times = [slot for slot in slots if slot.kind is Kind.TIME]
    named = [
        slot for slot in slots if slot.kind is not Kind.TIME and slot.text != slot.text.lower()
    ]
    if kind is Kind.TIME:
        return times
    if preposition:
        same = [slot for slot in named or slots if slot.preposition == preposition]
        return [slot for slot in same if slot.kind is kind] or same
    alike = [slot for slot in named if slot.kind is kind]
    if alike or kind in (Kind.THING, Kind.PLACE):
        return alike
    return named


def instead(question: str, slot: Mention, new: str) -> str:
    """Return the question with another phrase in place of `slot`."""
    return capitalised(f"{question[: slot.start]}{new}{question[slot.end :]}")
