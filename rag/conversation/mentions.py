"""The mentions of a text: names and noun phrases that a follow-up may refer to.

They are found by closed word lists and capital letters only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile

from citewire.rag.conversation.kinds import classify_phrase, classify_question
from citewire.rag.conversation.lexicon import (
    ADVERBS,
    AUXILIARIES,
    CONNECTIVES,
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    QUESTION_WORDS,
    ROLES,
)
from citewire.rag.conversation.phrases import YEAR, Guess, Kind, Phrase
from citewire.rag.conversation.tokens import POSSESSIVE, TextToken, is_verb_like, tokenize
from citewire.rag.conversation.types import Turn

NAME_JOINTS = frozenset("of de da du von van der den bin al el la le for".split())
# Words that an answer may begin with and that are no part of the name in it.
BEFORE_ANSWER = PREPOSITIONS | ADVERBS | CONNECTIVES
MAX_ANSWER_WORDS = 8


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase of a text and its kind; `gender` is "m", "f" or "" where nothing shows it.

    `preposition` stands before it; `certain` says that the kind is more than a guess.
    """

    text: str
    start: int
    kind: Kind
    gender: str = ""
    plural: bool = False
    preposition: str = ""
    certain: bool = True

    @property
    def end(self) -> int:
        """Its end in its text."""
        return self.start + len(self.text)


def show_mentions(mentions: Sequence[Mention]) -> str:
    """Return the mentions' texts in one line."""
    return ", ".join(mention.text for mention in mentions)


def find_mentions(text: str, first: int = 0) -> list[Mention]:
    """Return the noun phrases of `text` from its token number `first` on, in order.

    >>> [mention.text for mention in find_mentions("Who met Park Jin in the old harbour of Leeds?")]
    ['Park Jin', 'the old harbour', 'Leeds']
    """
    tokens = tokenize(text)
    found = []
    place = first
    while place < len(tokens):
        end = find_phrase_end(tokens, place)
        before = tokens[place - 1].word if place else ""
        kept = trim(tokens[place:end], before)
        if kept.stop > kept.start:
            found.append(classify(text, tokens[place:end][kept], before))
            # The part that was cut off behind it may hold a phrase of its own.
            end = place + kept.stop
        place = max(end, place + 1)
    return found


def find_phrase_end(tokens: Sequence[TextToken], place: int) -> int:
    """Return the end of the phrase that begins at token `place`; `place` itself for no phrase."""
    end = place
    while end < len(tokens) and is_in_phrase(tokens, end, place):
        end += 1
    return end if any(token.word not in FUNCTION_WORDS for token in tokens[place:end]) else place


def is_in_phrase(tokens: Sequence[TextToken], place: int, start: int) -> bool:
    """Say whether the token at `place` belongs to the phrase that begins at `start`."""
    if place > start and is_joint(tokens, place):
        return True
    token = tokens[place]
    return token.is_word and (token.word not in FUNCTION_WORDS or is_first(tokens, place, start))


def is_first(tokens: Sequence[TextToken], place: int, start: int) -> bool:
    """Say whether a determiner begins the phrase, or a capital makes a function word a name."""
    token = tokens[place]
    inside_name = token.is_capital and place > 0 and token.word not in QUESTION_WORDS
    return (place == start and token.word in DETERMINERS) or inside_name


def is_joint(tokens: Sequence[TextToken], place: int) -> bool:
    """Say whether the token at `place` ties two names into one: "Bank of England"."""
    if place + 1 >= len(tokens) or not tokens[place - 1].is_capital:
        return False
    word = tokens[place].word
    if word == "the" and tokens[place - 1].word == "of":
        return tokens[place + 1].is_capital
    following = skip_article(tokens, place)
    in_name = word in NAME_JOINTS or word in ("and", "&")
    return in_name and following.is_capital and not YEAR.fullmatch(following.text)


def skip_article(tokens: Sequence[TextToken], place: int) -> TextToken:
    """Return the token behind the one at `place`; in "of the …", the token behind "the"."""
    following = tokens[place + 1]
    if tokens[place].word == "of" and following.word == "the" and place + 2 < len(tokens):
        return tokens[place + 2]
    return following


def trim(phrase: Sequence[TextToken], before: str) -> slice:
    """Cut verbs off a phrase: "met Park Jin" is "Park Jin"; the slice is empty for no name."""
    nothing = slice(0, 0)
    if not phrase:
        return nothing
    name = next((place for place, token in enumerate(phrase) if token.is_capital), None)
    start = find_start(phrase, name, before)
    if start is None:
        return nothing
    end = find_verb(phrase, 1 if name is None else name)
    if name is not None and before in AUXILIARIES:
        # Behind "did" the phrase runs on into the verb: "the dive boat Conception burn".
        end = find_name_end(phrase[:end], name)
    kept = slice(start, end)
    return kept if any(token.word not in DETERMINERS for token in phrase[kept]) else nothing


def find_start(phrase: Sequence[TextToken], name: int | None, before: str) -> int | None:
    """Return the first place of a phrase that is no verb, None where only verbs may be there."""
    if phrase[0].word in DETERMINERS:
        return 0
    if name is None:
        return 0 if before in PREPOSITIONS else None
    # Before a name without a determiner stands a verb, unless it is a role.
    while name > 0 and phrase[name - 1].word in ROLES:
        name -= 1
    return name


def find_verb(phrase: Sequence[TextToken], place: int) -> int:
    """Return the first verb behind `place`, the phrase's end where there is none."""
    for verb in range(place + 1, len(phrase)):
        if not phrase[verb].is_capital and is_verb_like(phrase[verb].word):
            return verb
    return len(phrase)


def find_name_end(phrase: Sequence[TextToken], place: int) -> int:
    """Return the end of the name that begins at `place`."""
    inside = ROLES | NAME_JOINTS | {"and"}
    while place < len(phrase) and (phrase[place].is_capital or phrase[place].word in inside):
        place += 1
    return place


def classify(text: str, tokens: Sequence[TextToken], before: str) -> Mention:
    """Return a phrase as a mention, of the kind that its words and its preposition show."""
    if tokens[0].word in ("his", "her", "its", "their"):
        tokens = tokens[1:] or tokens
    phrase = Phrase.from_tokens(tokens, before if before in PREPOSITIONS else "")
    guess = classify_phrase(phrase)
    bare = POSSESSIVE.sub("", text[tokens[0].start : tokens[-1].end])
    return Mention(
        bare,
        tokens[0].start,
        guess.kind,
        phrase.gender if guess.kind in (Kind.PERSON, Kind.NAME) else "",
        " and " in bare or (guess.kind in (Kind.THING, Kind.GROUP) and ends_in_plural(phrase)),
        phrase.preposition,
        guess.certain,
    )


def ends_in_plural(phrase: Phrase) -> bool:
    """Say whether the last of several words has the form of a plural."""
    return len(phrase.words) > 1 and phrase.words[-1].endswith("s")


def find_answer(turn: Turn) -> Mention | None:
    """Return the mention that an answer is, None for no answer or one of many words."""
    tokens = list(dropwhile(lambda token: token.word in BEFORE_ANSWER, tokenize(turn.answer)))
    if not tokens or len(tokens) > MAX_ANSWER_WORDS:
        return None
    text = turn.answer[tokens[0].start : tokens[-1].end].rstrip(".,;:")
    phrase = Phrase.from_tokens(tokens)
    kind = choose_kind(classify_phrase(phrase), classify_question(turn.question))
    gender = phrase.gender if kind is Kind.PERSON else ""
    return Mention(text, 0, kind, gender, " and " in text)


def choose_kind(guess: Guess, asked: Kind | None) -> Kind:
    """Return the kind of an answer by its form, and by the kind that its question asked for."""
    if asked is None:
        return guess.kind
    if asked is not Kind.PERSON:
        return asked
    uncertain_place = guess.kind is Kind.PLACE and not guess.certain
    return Kind.PERSON if guess.kind is Kind.NAME or uncertain_place else guess.kind
