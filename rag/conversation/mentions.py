"""What a question or an answer mentions: the names and noun phrases that a follow-up may mean.

Everything is read off the text by closed word lists and capital letters.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from citewire.rag.conversation.lexicon import (
    ADVERBS,
    AUXILIARIES,
    CONNECTIVES,
    DETERMINERS,
    FEMALE_NAMES,
    FEMALE_TITLES,
    FUNCTION_WORDS,
    GROUP_WORDS,
    IRREGULAR_PAST,
    MALE_NAMES,
    MALE_TITLES,
    MONTHS,
    PLACE_WORDS,
    PLACES,
    PREPOSITIONS,
    QUESTION_WORDS,
    ROLES,
    WEEKDAYS,
)

TOKEN = re.compile("[^\\W_]+(?:[.,:\u2013/'\u2019&-][^\\W_]+)*['\u2019]?|\\S")
POSSESSIVE = re.compile("['\u2019]s?$")
YEAR = re.compile(r"(1[5-9]|20)\d\d")
NAME_JOINTS = frozenset("of de da du von van der den bin al el la le for".split())
PLACE_PREPOSITIONS = frozenset("in at near from to into across throughout around".split())
MAX_ANSWER_WORDS = 8


class Kind(StrEnum):
    """What kind of thing a mention is, as far as its form tells."""

    PERSON = "person"
    PLACE = "place"
    TIME = "time"
    GROUP = "group"
    THING = "thing"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign of a text, and where it stands."""

    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The word in lower case, without a possessive ending."""
        return POSSESSIVE.sub("", self.text.lower())

    @property
    def capital(self) -> bool:
        """Whether it is written as a name or a number is."""
        return self.text[0].isupper() or self.text[0].isdigit()


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase of a text, and what it may be; `gender` is "m", "f" or "" where nothing tells.

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
        """Where it ends in its text."""
        return self.start + len(self.text)


def tokens_of(text: str) -> list[Token]:
    """Return the words and signs of a text."""
    return [Token(found.group(), *found.span()) for found in TOKEN.finditer(text)]


def is_verb_like(word: str) -> bool:
    """Say whether a word has the form of a past verb or participle."""
    return word in IRREGULAR_PAST or (len(word) > 4 and word.endswith("ed"))


def mentions_in(text: str, first: int = 0) -> list[Mention]:
    """Return the noun phrases of `text` from its token number `first` on, in order."""
    tokens = tokens_of(text)
    found = []
    place = first
    while place < len(tokens):
        end = phrase_end(tokens, place)
        before = tokens[place - 1].word if place else ""
        kept = trim(tokens[place:end], before) if end > place else []
        if kept:
            found.append(classify(text, kept, before))
            # What was cut off behind it may hold a phrase of its own.
            end = tokens.index(kept[-1]) + 1
        place = max(end, place + 1)
    return found


def phrase_end(tokens: list[Token], place: int) -> int:
    """Return behind which token the phrase ends that begins at `place`; `place` where none does."""
    end = place
    while end < len(tokens):
        token = tokens[end]
        joined = end > place and joins(tokens, end)
        if not joined and (
            not token.text[0].isalnum()
            or (token.word in FUNCTION_WORDS and not is_start(tokens, end, place))
        ):
            break
        end += 1
    return end if any(token.word not in FUNCTION_WORDS for token in tokens[place:end]) else place


def is_start(tokens: list[Token], end: int, place: int) -> bool:
    """Say whether a determiner begins the phrase, or a capital makes a function word a name."""
    token = tokens[end]
    inside_name = token.capital and end > 0 and token.word not in QUESTION_WORDS
    return (end == place and token.word in DETERMINERS) or inside_name


def joins(tokens: list[Token], place: int) -> bool:
    """Say whether the word at `place` ties two names into one: "Bank of England"."""
    if place + 1 >= len(tokens) or not tokens[place - 1].capital:
        return False
    word, following = tokens[place].word, tokens[place + 1]
    if word == "the" and tokens[place - 1].word == "of":
        return following.capital
    if word == "of" and following.word == "the" and place + 2 < len(tokens):
        following = tokens[place + 2]
    in_name = word in NAME_JOINTS or word in ("and", "&")
    return in_name and following.capital and not YEAR.fullmatch(following.text)


def trim(phrase: list[Token], before: str) -> list[Token]:
    """Cut verbs off a phrase: "met Park Jin" is "Park Jin"; return nothing where none is left."""
    # A determiner stands; what stands before a name without one is a verb, unless it is a role.
    has_determiner = phrase[0].word in DETERMINERS
    capitals = [place for place, token in enumerate(phrase) if token.capital]
    if not has_determiner and capitals:
        start = capitals[0]
        while start > 0 and phrase[start - 1].word in ROLES:
            start -= 1
        phrase = phrase[start:]
        capitals = [place - start for place in capitals]
    elif not has_determiner and before not in PREPOSITIONS:
        return []
    cut = next(
        (
            place
            for place, token in enumerate(phrase)
            if place > (capitals[0] if capitals else 1)
            and not token.capital
            and is_verb_like(token.word)
        ),
        len(phrase),
    )
    phrase = phrase[:cut]
    if before in AUXILIARIES and capitals:
        # Behind "did" the phrase runs on into the verb: "the dive boat Conception burn".
        phrase = phrase[: name_end(phrase, capitals[0])]
    return phrase if any(token.word not in DETERMINERS for token in phrase) else []


def name_end(phrase: list[Token], place: int) -> int:
    """Return behind which token the name ends that begins at `place`."""
    while place < len(phrase) and (
        phrase[place].capital or phrase[place].word in ROLES | NAME_JOINTS | {"and"}
    ):
        place += 1
    return place


def classify(text: str, phrase: list[Token], before: str) -> Mention:
    """Return the phrase as a mention, of the kind that its words and its preposition tell."""
    if phrase[0].word in ("his", "her", "its", "their"):
        phrase = phrase[1:] or phrase
    shown = text[phrase[0].start : phrase[-1].end]
    bare = POSSESSIVE.sub("", shown)
    preposition = before if before in PREPOSITIONS else ""
    kind, certain = kind_of(phrase, preposition)
    plural = " and " in bare or (
        kind in (Kind.THING, Kind.GROUP) and phrase[-1].word.endswith("s") and len(phrase) > 1
    )
    gender = gender_of(phrase) if kind in (Kind.PERSON, Kind.NAME) else ""
    return Mention(bare, phrase[0].start, kind, gender, plural, preposition, certain)


def kind_of(phrase: list[Token], preposition: str) -> tuple[Kind, bool]:  # noqa: PLR0911
    """Return the kind of a phrase, and whether that is more than a guess."""
    words = [token.word for token in phrase]
    names = [token for token in phrase if token.capital]
    content = [word for word in words if word not in DETERMINERS]
    name = " ".join(content)
    if all(is_time(word) for word in content):
        return Kind.TIME, True
    if name in PLACES or (names and words[-1] in PLACE_WORDS):
        return Kind.PLACE, True
    if "and" in words and any(place in PLACES for place in (words[-1], " ".join(words[-2:]))):
        return Kind.PLACE, True
    if names and GROUP_WORDS & set(words) and not phrase[-1].word.isdigit():
        return Kind.GROUP, True
    if not names or not phrase[-1].capital or any(YEAR.fullmatch(word) for word in words):
        person = content[-1:] and content[-1] in ROLES and words[0] in DETERMINERS
        return (Kind.PERSON if person else Kind.THING), bool(person)
    titled = bool(set(words) & (ROLES | MALE_TITLES | FEMALE_TITLES))
    first = names[0].word
    if titled or first in MALE_NAMES or first in FEMALE_NAMES:
        return Kind.PERSON, True
    if words[0] in DETERMINERS or any(token.word in ("of", "for") for token in phrase):
        return Kind.THING, True
    if any(len(token.text) > 1 and token.text.isupper() for token in names):
        return Kind.GROUP, True
    if preposition in PLACE_PREPOSITIONS and len(names) == 1:
        return Kind.PLACE, False
    if 2 <= len(names) <= 4 and not any(token.text[0].isdigit() for token in names):
        return Kind.PERSON, preposition not in PLACE_PREPOSITIONS
    return Kind.NAME, False


def is_time(word: str) -> bool:
    """Say whether a word belongs to a date."""
    return (
        word in MONTHS or word in WEEKDAYS or bool(re.fullmatch(r"\d{1,2}|(1[5-9]|20)\d\d", word))
    )


def gender_of(phrase: list[Token]) -> str:
    """Return "m" or "f" where a title or a first name tells, "" elsewhere."""
    words = {token.word for token in phrase}
    first = next((token.word for token in phrase if token.capital), "")
    male = bool(words & MALE_TITLES) or first in MALE_NAMES
    female = bool(words & FEMALE_TITLES) or first in FEMALE_NAMES
    return "" if male == female else "m" if male else "f"


def answer_mention(question: str, answer: str) -> Mention | None:
    """Return what an earlier answer names, of the kind that its question asked for."""
    words = tokens_of(answer)
    while words and words[0].word in PREPOSITIONS | ADVERBS | CONNECTIVES:
        words = words[1:]
    if not words or len(words) > MAX_ANSWER_WORDS:
        return None
    text = answer[words[0].start : words[-1].end].rstrip(".,;:")
    asked = asked_kind(question)
    kind, certain = kind_of(words, "")
    if asked is Kind.PERSON:
        if kind is Kind.NAME or (kind is Kind.PLACE and not certain):
            kind = Kind.PERSON
    elif asked is not None:
        kind = asked
    gender = gender_of(words) if kind is Kind.PERSON else ""
    return Mention(text, 0, kind, gender, " and " in text)


def asked_kind(question: str) -> Kind | None:  # noqa: PLR0911
    """Return what kind of answer a question asks for, None where its first words do not tell."""
    words = [token.word for token in tokens_of(question)][:4]
    if not words:
        return None
    if words[0] in ("who", "whom"):
        return Kind.PERSON
    if words[0] == "where":
        return Kind.PLACE
    if words[0] == "when" or set(words[1:3]) & {"year", "date", "day", "month", "time"}:
        return Kind.TIME
    if words[0] in ("how", "why", "whose"):
        return Kind.THING
    if words[0] in ("which", "what") and len(words) > 1:
        noun = next((word for word in words[1:] if word in ROLES | GROUP_WORDS | PLACE_WORDS), "")
        if noun in ROLES:
            return Kind.PERSON
        return Kind.GROUP if noun in GROUP_WORDS else Kind.PLACE if noun else Kind.THING
    return None
