"""The frame of a question: what it asks for, and about what."""

import re

from citewire.rag.conversation.lexicon import (
    AUXILIARIES,
    DETERMINERS,
    FUNCTION_WORDS,
    GENERIC,
    MONTHS,
    POINTING_NOUNS,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    WEEKDAYS,
)
from citewire.rag.conversation.tokens import Token, is_verb_like, tokenize

CONTEXT = re.compile(r"\s*\(([^()]+)\)\s*\??$")
# "when was that?", "where did it happen?": the whole of what was asked before.
EVENT = re.compile(
    r"\s+(?:was|is|were|are|did)\s+(?:that|this|it|they|all that)"
    r"(?:\s+(?:be|happen|occur|take\s+place))?(?P<more>\s+exactly)?$",
    re.IGNORECASE,
)
WHERE_AND_WHEN = frozenset("where when why how".split())
MAX_FRAGMENT_WORDS = 5
MAX_FRAGMENT_NOUNS = 2
POINTING = frozenset("this that these those".split())


def bare(text: str) -> str:
    """Return a question without its mark."""
    return text.strip().rstrip("?.! ").strip()


def capitalised(text: str) -> str:
    """Return a question with a capital first letter and its mark."""
    text = bare(text)
    return f"{text[:1].upper()}{text[1:]}?"


def opening_of(tokens: list[Token]) -> int:
    """Return how many tokens the questioning phrase has: 2 of "Which car burned?"."""
    place = int(len(tokens) > 1 and tokens[0].word in PREPOSITIONS)
    if place >= len(tokens) or tokens[place].word not in QUESTION_WORDS:
        return 0
    asking = tokens[place].word
    place += 1
    if asking in ("who", "whom", "when", "where", "why"):
        return place
    first = place
    while place < len(tokens) and tokens[place].is_word:
        word = tokens[place].word
        adjective = asking == "which" and place == first
        if word in AUXILIARIES or (is_verb_like(word) and not adjective):
            break
        if word in DETERMINERS | PRONOUNS or (word in PREPOSITIONS and word != "of"):
            break
        place += 1
    return place


def about(question: str) -> str:
    """Return what a question is about: "the ship sink in May" of "Where did the ship sink in May?".

    A question that was itself given its context is about that.
    """
    given = CONTEXT.search(question)
    if given:
        return given.group(1)
    tokens = tokenize(bare(question))
    place = int(len(tokens) > 1 and tokens[0].word in PREPOSITIONS)
    if place < len(tokens) and tokens[place].word in QUESTION_WORDS:
        counted = tokens[place].word == "how"
        place += 2 if counted else 1
    else:
        place = 0
    while place < len(tokens) and tokens[place].word in AUXILIARIES:
        place += 1
    if place + 1 < len(tokens) and [tokens[place].word, tokens[place + 1].word] == ["it", "that"]:
        place += 2
    return bare(question)[tokens[place].start :] if place < len(tokens) else bare(question)


def with_context(question: str, earlier: str, subject: str = "") -> str:
    """Return the question with what the earlier one is about, in brackets.

    `subject` is the earlier answer, where that is what did it.
    """
    told = about(earlier)
    tokens = tokenize(bare(earlier))
    opening = opening_of(tokens)
    if subject and asks_for_subject(tokens, opening) and not CONTEXT.search(earlier):
        told = f"{subject} {bare(earlier)[tokens[opening].start :]}"
    return f"{bare(question)} ({told})?"


def asks_for_subject(tokens: list[Token], opening: int) -> bool:
    """Say whether a question asks who or what did something: "Which car burned?"."""
    if not 0 < opening < len(tokens):
        return False
    behind = tokens[opening + 1].word if opening + 1 < len(tokens) else ""
    return tokens[opening].word not in AUXILIARIES or is_verb_like(behind)


def fragment_of(question: str) -> str | None:
    """Return the questioning phrase of a question that is nothing else, None for others."""
    text = bare(question)
    event = EVENT.search(text)
    if event:
        text = text[: event.start()]
    tokens = tokenize(text)
    if not 1 <= len(tokens) <= MAX_FRAGMENT_WORDS:
        return None
    opening = opening_of(tokens)
    last = tokens[-1].word in ("exactly", "else", "precisely")
    if event and tokens[0].word in ("who", "whom", "what") and opening == 1:
        return None  # "who was that?" asks for a name, not for the rest of a story.
    named = any(token.is_capital for token in tokens[1:])
    nouns = opening - (2 if tokens[0].word == "how" else 1) - (tokens[0].word in PREPOSITIONS)
    if opening == 0 or named or opening < len(tokens) - last or nouns > MAX_FRAGMENT_NOUNS:
        return None
    if tokens[-1].word in ("there", "then", "here"):
        return None
    return text


def complete(fragment: str, earlier: str, subject: str) -> str:
    """Return the earlier question asked for something else: what the fragment asks for.

    `subject` is the earlier answer, where that is what did it.
    """
    tokens = tokenize(bare(earlier))
    words = tokenize(fragment)
    asking = next((word.word for word in words if word.word in QUESTION_WORDS), "")
    opening = opening_of(tokens)
    nouns = fragment.lower().startswith(("how many", "how much"))
    prepared = words[0].word in PREPOSITIONS or asking in WHERE_AND_WHEN or len(words) > 1
    if CONTEXT.search(earlier) or nouns or not prepared or opening >= len(tokens):
        return capitalised(with_context(fragment, earlier, subject))
    rest = bare(earlier)[tokens[opening].start :]
    if tokens[opening].word in AUXILIARIES:
        return capitalised(inverted(fragment, rest, tokens, opening, subject))
    if opening == 0:
        return capitalised(with_context(fragment, earlier, subject))
    if words[-1].word == "else":
        return capitalised(f"{fragment} {rest}")
    return capitalised(f"{fragment} was it that {subject or nobody(tokens[:opening])} {rest}")


def inverted(fragment: str, rest: str, tokens: list[Token], opening: int, subject: str) -> str:
    """Return a question whose auxiliary stands before its subject."""
    behind = tokens[opening + 1].word if opening + 1 < len(tokens) else ""
    asked_for_subject = opening > 0 and (is_verb_like(behind) or behind.endswith("ing"))
    if not asked_for_subject:
        return f"{fragment} {rest[0].lower()}{rest[1:]}"
    # "Who was arrested …?" has its subject in the answer.
    auxiliary, _, predicate = rest.partition(" ")
    return f"{fragment} {auxiliary.lower()} {subject or nobody(tokens[:opening])} {predicate}"


def nobody(opening: list[Token]) -> str:
    """Return a subject for what nothing names: "people" of "How many people"."""
    words = [token.text for token in opening]
    if opening[0].word == "how":
        return " ".join(words[2:]) or "that"
    return f"the {' '.join(words[1:])}" if len(words) > 1 else "someone"


def content_words(question: str) -> list[str]:
    """Return the words that say what a question is about."""
    return [
        token.word
        for token in tokenize(question)
        if token.is_word and token.word not in FUNCTION_WORDS
    ]


def has_names(question: str) -> bool:
    """Say whether a question names anything, a year included."""
    tokens = tokenize(question)
    others = FUNCTION_WORDS | PRONOUNS | MONTHS | WEEKDAYS
    return any(token.is_capital and token.word not in others for token in tokens[1:])


def is_generic(question: str) -> bool:
    """Say whether a question could be asked of any event: "how many people were hurt?"."""
    if CONTEXT.search(question) or has_names(question):
        return False
    return all(word in GENERIC for word in content_words(question))


def points_back(question: str, earlier: str) -> bool:
    """Say whether a question leans on the earlier one: "how old was the driver?"."""
    if has_names(question):
        return False
    tokens = tokenize(bare(question))
    known = set(content_words(earlier))
    for place, token in enumerate(tokens[:-1]):
        following = tokens[place + 1].word
        alone = place + 2 >= len(tokens) or tokens[place + 2].word not in ("of", "that", "who")
        if token.word in POINTING and following in POINTING_NOUNS | GENERIC | known:
            return True
        if token.word == "the" and alone and following in POINTING_NOUNS | known | {"same"}:
            return True
    said = {"say", "said", "happen", "happened", "for", "about", "of", "after", "before", "in"}
    behind = len(tokens) > 1 and tokens[-1].word in POINTING
    return behind and bool({token.word for token in tokens[:-1]} & (said | AUXILIARIES))
