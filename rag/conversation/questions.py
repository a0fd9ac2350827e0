"""The form of a question: its questioning phrase, and its topic."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from citewire.rag.conversation.lexicon import (
    AUXILIARIES,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
)
from citewire.rag.conversation.tokens import TextToken, is_verb_like, tokenize

# The topic that a rewrite has in brackets at its end.
CONTEXT = re.compile(r"\s*\(([^()]+)\)\s*\??$")
# Question words that are a whole questioning phrase.
SINGLE = frozenset("who whom when where why".split())
ENDS_OPENING = AUXILIARIES | DETERMINERS | PRONOUNS | (PREPOSITIONS - {"of"})


def strip_mark(text: str) -> str:
    """Return a question without its question mark, full stop or exclamation mark."""
    return text.strip().rstrip("?.! ").strip()


def capitalize(text: str) -> str:
    """Return a question with a capital first letter and its question mark."""
    text = strip_mark(text)
    return f"{text[:1].upper()}{text[1:]}?"


@dataclass(frozen=True, slots=True)
class Form:
    """A question cut in two: `opening` tokens are its questioning phrase.

    >>> Form.parse("Which car burned in Leeds?").rest
    'burned in Leeds?'
    """

    text: str
    tokens: tuple[TextToken, ...]
    opening: int

    @classmethod
    def parse(cls, text: str) -> "Form":
        """Return the form of a question."""
        tokens = tuple(tokenize(text))
        return cls(text, tokens, measure_opening(tokens))

    @property
    def rest(self) -> str:
        """The text behind the questioning phrase."""
        return self.text[self.tokens[self.opening].start :] if self.has_rest else ""

    @property
    def has_rest(self) -> bool:
        """Whether anything is behind the questioning phrase."""
        return self.opening < len(self.tokens)

    @property
    def has_auxiliary(self) -> bool:
        """Whether an auxiliary verb follows the questioning phrase."""
        return self.has_rest and self.tokens[self.opening].word in AUXILIARIES

    @property
    def second(self) -> str:
        """The second word behind the questioning phrase, "" where there is none."""
        behind = self.tokens[self.opening + 1 : self.opening + 2]
        return behind[0].word if behind else ""

    @property
    def asks_for_subject(self) -> bool:
        """Whether it asks who or what did something: "Which car burned?"."""
        if self.opening == 0 or not self.has_rest:
            return False
        return not self.has_auxiliary or is_verb_like(self.second)


def measure_opening(tokens: Sequence[TextToken]) -> int:
    """Return the number of tokens of the questioning phrase: 2 of "Which car burned?"."""
    place = skip_preposition(tokens)
    if place >= len(tokens) or tokens[place].word not in QUESTION_WORDS:
        return 0
    asking = tokens[place].word
    place += 1
    if asking in SINGLE:
        return place
    # The word behind "which" may be a participle: "Which stolen car burned?".
    if asking == "which" and place < len(tokens) and may_continue(tokens[place]):
        place += 1
    while (
        place < len(tokens) and may_continue(tokens[place]) and not is_verb_like(tokens[place].word)
    ):
        place += 1
    return place


def skip_preposition(tokens: Sequence[TextToken]) -> int:
    """Return the place of a question word that may have a preposition before it."""
    return int(len(tokens) > 1 and tokens[0].word in PREPOSITIONS)


def may_continue(token: TextToken) -> bool:
    """Say whether a word may belong to a questioning phrase that is not at its end."""
    return token.is_word and token.word not in ENDS_OPENING


def find_topic(question: str) -> str:
    """Return the part of a question that is not questioning.

    A question that has its context in brackets is about that.

    >>> find_topic("Where did the ship sink in May?")
    'the ship sink in May'
    """
    context = CONTEXT.search(question)
    if context:
        return context.group(1)
    text = strip_mark(question)
    tokens = tokenize(text)
    place = skip_question_word(tokens)
    while place < len(tokens) and tokens[place].word in AUXILIARIES:
        place += 1
    if [token.word for token in tokens[place : place + 2]] == ["it", "that"]:
        place += 2
    return text[tokens[place].start :] if place < len(tokens) else text


def skip_question_word(tokens: Sequence[TextToken]) -> int:
    """Return the place behind the question word; "how many" and the like are one."""
    place = skip_preposition(tokens)
    if place >= len(tokens) or tokens[place].word not in QUESTION_WORDS:
        return 0
    return place + (2 if tokens[place].word == "how" else 1)


def add_context(question: str, earlier: str, subject: str = "") -> str:
    """Return the question with the topic of the earlier one in brackets.

    `subject` is the answer to the earlier question, where it is the subject of its verb.

    >>> add_context("who came second?", "Who won the race?", "Brigid Kosgei")
    'who came second (Brigid Kosgei won the race)?'
    """
    topic = find_topic(earlier)
    form = Form.parse(strip_mark(earlier))
    if subject and form.asks_for_subject and not CONTEXT.search(earlier):
        topic = f"{subject} {form.rest}"
    return f"{strip_mark(question)} ({topic})?"
