"""The kind of thing that a phrase names, and that a question asks for: two tables of rules."""

from collections.abc import Sequence
from itertools import islice

from citewire.rag.conversation.lexicon import GROUP_WORDS, PLACE_WORDS, ROLES
from citewire.rag.conversation.phrases import (
    Guess,
    Kind,
    Phrase,
    ends_in_place_word,
    has_acronym,
    has_group_word,
    is_date,
    is_described,
    is_described_person,
    is_known_person,
    is_known_place,
    is_one_name_in_place,
    is_several_names,
    is_several_names_in_place,
    is_title_of_thing,
    lists_places,
)
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise
from citewire.rag.conversation.tokens import tokenize

# Words at a question's beginning that show the kind of answer it asks for.
QUESTION_WORDS_READ = 4
TIME_NOUNS_ASKED = frozenset("year date day month time".split())

PHRASES: Table[Phrase, Guess] = Table(
    "kinds of phrases",
    Phrase.parse,
    str,
    (
        Rule("date", is_date, lambda _: Guess(Kind.TIME), Example("on 21 November", "time")),
        Rule(
            "place in the list",
            is_known_place,
            lambda _: Guess(Kind.PLACE),
            Example("North Korea", "place"),
        ),
        Rule(
            "name that ends in a word for places",
            ends_in_place_word,
            lambda _: Guess(Kind.PLACE),
            Example("Heathrow Airport", "place"),
        ),
        Rule(
            "names of which the last is in the list of places",
            lists_places,
            lambda _: Guess(Kind.PLACE),
            Example("Gibraltar and Spain", "place"),
        ),
        Rule(
            "name with a word for groups",
            has_group_word,
            lambda _: Guess(Kind.GROUP),
            Example("the British Supreme Court", "group"),
        ),
        Rule(
            "person described by a role",
            is_described_person,
            lambda _: Guess(Kind.PERSON),
            Example("the bus driver", "person"),
        ),
        Rule(
            "thing described",
            is_described,
            lambda _: Guess(Kind.THING, certain=False),
            Example("the satellite", "thing?"),
        ),
        Rule(
            "name with a title, a role or a known first name",
            is_known_person,
            lambda _: Guess(Kind.PERSON),
            Example("Prime Minister Modi", "person"),
        ),
        Rule(
            "name with a determiner, or joined by “of” or “for”",
            is_title_of_thing,
            lambda _: Guess(Kind.THING),
            Example("the Titanic", "thing"),
        ),
        Rule(
            "name in capital letters",
            has_acronym,
            lambda _: Guess(Kind.GROUP),
            Example("NASA", "group"),
        ),
        Rule(
            "single name behind a preposition of place",
            is_one_name_in_place,
            lambda _: Guess(Kind.PLACE, certain=False),
            Example("in Gibraltar", "place?"),
        ),
        Rule(
            "several names behind a preposition of place",
            is_several_names_in_place,
            lambda _: Guess(Kind.PERSON, certain=False),
            Example("in Port Vale", "person?"),
        ),
        Rule(
            "several names",
            is_several_names,
            lambda _: Guess(Kind.PERSON),
            Example("for Park Jin", "person"),
        ),
        Rule(
            "any other name",
            otherwise,
            lambda _: Guess(Kind.NAME, certain=False),
            Example("Quill", "name?"),
        ),
    ),
)


def classify_phrase(phrase: Phrase) -> Guess:
    """Return the kind of a phrase by its words and its preposition."""
    return PHRASES.decide(phrase)


def parse_question_words(question: str) -> tuple[str, ...] | None:
    """Return the first words of a question, None where it has none."""
    words = (token.word for token in tokenize(question))
    return tuple(islice(words, QUESTION_WORDS_READ)) or None


def find_noun(words: Sequence[str]) -> str:
    """Return the noun of "which president …" or "what company …", "" where it says no kind."""
    if words[0] not in ("which", "what"):
        return ""
    return next((word for word in words[1:] if word in ROLES | GROUP_WORDS | PLACE_WORDS), "")


# The expected type of an answer by its question's first words (Li and Roth, 2002).
QUESTIONS: Table[tuple[str, ...], Kind | None] = Table(
    "kinds of answers that questions ask for",
    parse_question_words,
    str,
    (
        Rule(
            "who",
            lambda words: words[0] in ("who", "whom"),
            lambda _: Kind.PERSON,
            Example("Who met Park Jin?", "person"),
        ),
        Rule(
            "where",
            lambda words: words[0] == "where",
            lambda _: Kind.PLACE,
            Example("Where did the plane crash?", "place"),
        ),
        Rule(
            "when, or a noun of time",
            lambda words: words[0] == "when" or not TIME_NOUNS_ASKED.isdisjoint(words[1:3]),
            lambda _: Kind.TIME,
            Example("In what year was that?", "time"),
        ),
        Rule(
            "how, why and whose",
            lambda words: words[0] in ("how", "why", "whose"),
            lambda _: Kind.THING,
            Example("How fast did he go?", "thing"),
        ),
        Rule(
            "which role",
            lambda words: find_noun(words) in ROLES,
            lambda _: Kind.PERSON,
            Example("Which French president won?", "person"),
        ),
        Rule(
            "which group",
            lambda words: find_noun(words) in GROUP_WORDS,
            lambda _: Kind.GROUP,
            Example("Which court ruled?", "group"),
        ),
        Rule(
            "which place",
            lambda words: find_noun(words) in PLACE_WORDS,
            lambda _: Kind.PLACE,
            Example("What city burned?", "place"),
        ),
        Rule(
            "which of anything else",
            lambda words: words[0] in ("which", "what") and len(words) > 1,
            lambda _: Kind.THING,
            Example("Which planet was found?", "thing"),
        ),
        Rule("anything else", otherwise, lambda _: None, Example("Did the ship sink?", "None")),
    ),
)


def classify_question(question: str) -> Kind | None:
    """Return the kind of answer that a question asks for, None where its first words show none."""
    words = parse_question_words(question)
    return None if words is None else QUESTIONS.decide(words)
