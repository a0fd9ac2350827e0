"""Noun phrases, and the conditions on their form from which rules conclude their kind."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from citewire.rag.conversation.lexicon import (
    DETERMINERS,
    FEMALE_NAMES,
    FEMALE_TITLES,
    GROUP_WORDS,
    MALE_NAMES,
    MALE_TITLES,
    MONTHS,
    PLACE_WORDS,
    PLACES,
    PREPOSITIONS,
    ROLES,
    WEEKDAYS,
)
from citewire.rag.conversation.tokens import TextToken, tokenize

YEAR = re.compile(r"(1[5-9]|20)\d\d")
DAY_OR_YEAR = re.compile(r"\d{1,2}|(1[5-9]|20)\d\d")
PLACE_PREPOSITIONS = frozenset("in at near from to into across throughout around".split())
TITLES = ROLES | MALE_TITLES | FEMALE_TITLES
FIRST_NAMES = MALE_NAMES | FEMALE_NAMES


class Kind(StrEnum):
    """The kind of thing that a mention is, as far as its form shows."""

    PERSON = "person"
    PLACE = "place"
    TIME = "time"
    GROUP = "group"
    THING = "thing"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Guess:
    """A kind, and whether it is certain or a guess."""

    kind: Kind
    certain: bool = True

    def __str__(self) -> str:
        return f"{self.kind}{'' if self.certain else '?'}"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase: its tokens and the preposition before it, "" for none."""

    tokens: tuple[TextToken, ...]
    preposition: str
    words: tuple[str, ...]
    # The words without determiners.
    content: tuple[str, ...]
    # The tokens that are written as names or numbers.
    names: tuple[TextToken, ...]

    @classmethod
    def from_tokens(cls, tokens: Sequence[TextToken], preposition: str = "") -> "Phrase":
        """Return the phrase of these tokens, at least one."""
        words = tuple(token.word for token in tokens)
        content = tuple(word for word in words if word not in DETERMINERS)
        names = tuple(token for token in tokens if token.is_capital)
        return cls(tuple(tokens), preposition, words, content, names)

    @classmethod
    def parse(cls, text: str) -> "Phrase":
        """Return the phrase of a text that may begin with a preposition."""
        first, *others = tokenize(text)
        if first.word in PREPOSITIONS:
            return cls.from_tokens(others, first.word)
        return cls.from_tokens([first, *others])

    @property
    def gender(self) -> str:
        """The letter m or f where a title or a first name shows it, empty elsewhere."""
        words = set(self.words)
        first = self.names[0].word if self.names else ""
        male = bool(words & MALE_TITLES) or first in MALE_NAMES
        female = bool(words & FEMALE_TITLES) or first in FEMALE_NAMES
        if male == female:
            return ""
        return "m" if male else "f"


def is_time(word: str) -> bool:
    """Say whether a word belongs to a date."""
    return word in MONTHS or word in WEEKDAYS or bool(DAY_OR_YEAR.fullmatch(word))


def is_date(phrase: Phrase) -> bool:
    """Say whether every word belongs to a date."""
    return all(map(is_time, phrase.content))


def is_known_place(phrase: Phrase) -> bool:
    """Say whether the phrase is in the list of places."""
    return " ".join(phrase.content) in PLACES


def ends_in_place_word(phrase: Phrase) -> bool:
    """Say whether a name ends in a word for places."""
    return bool(phrase.names) and phrase.words[-1] in PLACE_WORDS


def lists_places(phrase: Phrase) -> bool:
    """Say whether the last of several joined names is in the list of places."""
    lasts = (phrase.words[-1], " ".join(phrase.words[-2:]))
    return "and" in phrase.words and any(last in PLACES for last in lasts)


def has_group_word(phrase: Phrase) -> bool:
    """Say whether a name has a word for groups; "Apollo Group 11" is none."""
    grouped = bool(phrase.names) and bool(GROUP_WORDS & set(phrase.words))
    return grouped and not phrase.words[-1].isdigit()


def is_described(phrase: Phrase) -> bool:
    """Say whether the phrase describes a thing by common nouns, or by a year."""
    last = phrase.tokens[-1]
    return not phrase.names or not last.is_capital or any(map(YEAR.fullmatch, phrase.words))


def is_described_person(phrase: Phrase) -> bool:
    """Say whether the phrase describes a person by a role: "the driver"."""
    role = bool(phrase.content) and phrase.content[-1] in ROLES
    return role and phrase.words[0] in DETERMINERS and is_described(phrase)


def is_known_person(phrase: Phrase) -> bool:
    """Say whether a title, a role or a known first name marks a person."""
    return bool(TITLES.intersection(phrase.words)) or phrase.names[0].word in FIRST_NAMES


def is_title_of_thing(phrase: Phrase) -> bool:
    """Say whether a name is made of a determiner, or of parts joined by "of" or "for"."""
    return phrase.words[0] in DETERMINERS or not {"of", "for"}.isdisjoint(phrase.words)


def has_acronym(phrase: Phrase) -> bool:
    """Say whether a name is written in capital letters only."""
    return any(len(name.text) > 1 and name.text.isupper() for name in phrase.names)


def is_one_name_in_place(phrase: Phrase) -> bool:
    """Say whether one single name stands behind a preposition of place."""
    return phrase.preposition in PLACE_PREPOSITIONS and len(phrase.names) == 1


def is_several_names(phrase: Phrase) -> bool:
    """Say whether the phrase has as many names as people have, none of them a number."""
    numbered = any(name.text[0].isdigit() for name in phrase.names)
    return 2 <= len(phrase.names) <= 4 and not numbered


def is_several_names_in_place(phrase: Phrase) -> bool:
    """Say whether names of a person's form stand behind a preposition of place."""
    return phrase.preposition in PLACE_PREPOSITIONS and is_several_names(phrase)
