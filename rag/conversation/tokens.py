"""A text as words and signs."""

import re
from dataclasses import dataclass

from citewire.rag.conversation.lexicon import IRREGULAR_PAST

TOKEN = re.compile("[^\\W_]+(?:[.,:\u2013/'\u2019&-][^\\W_]+)*['\u2019]?|\\S")
POSSESSIVE = re.compile("['\u2019]s?$")


@dataclass(frozen=True, slots=True)
class TextToken:
    """A word or sign of a text: its characters `[start, end)`."""

    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The word in lower case, without a possessive ending."""
        return POSSESSIVE.sub("", self.text.lower())

    @property
    def is_capital(self) -> bool:
        """Whether it is written as a name or a number is."""
        return self.text[0].isupper() or self.text[0].isdigit()

    @property
    def is_word(self) -> bool:
        """Whether it is a word or a number, and no sign."""
        return self.text[0].isalnum()


def tokenize(text: str) -> list[TextToken]:
    """Return the words and signs of a text.

    >>> [token.word for token in tokenize("Who sank the U.S ship's boat?")]
    ['who', 'sank', 'the', 'u.s', 'ship', 'boat', '?']
    """
    return [TextToken(found.group(), *found.span()) for found in TOKEN.finditer(text)]


def is_verb_like(word: str) -> bool:
    """Say whether a word has the form of a past tense or past participle."""
    return word in IRREGULAR_PAST or (len(word) > 4 and word.endswith("ed"))
