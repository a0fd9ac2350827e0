"""Questions that nobody asked, made from those that people did; a teacher says what answers them.

A student that sees each question with one answer learns it by heart. Of a question with another
name, another question word, an opposite or fewer words it cannot: sometimes the answer stays, often
there is none any more, and which of the two only shows in the passage.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NAME = re.compile(r"[A-Z][\w'\u2019-]*(?: (?:(?:of|the|de|and|van) )?[A-Z][\w'\u2019-]*)*")
NUMBER = re.compile(r"\d[\d.,]*\d|\d")
CONTENT_WORD = re.compile(r"\b[a-z]{5,}\b")
QUESTION_WORDS = (
    *("who", "what", "when", "where", "why", "how", "which", "whose", "how many", "how much"),
    *("how long", "how far", "how old", "how often", "what year", "which country", "what kind of"),
)
ASKS = re.compile(rf"\b(?:{'|'.join(sorted(QUESTION_WORDS, key=len, reverse=True))})\b", re.I)
FILLERS = frozenset(
    "a an the is are was were be been do does did has have had of in on at to for by as".split()
)
OPPOSITES = (
    *(("first", "last"), ("before", "after"), ("more", "less"), ("most", "least")),
    *(("largest", "smallest"), ("highest", "lowest"), ("oldest", "youngest"), ("best", "worst")),
    *(("increase", "decrease"), ("increased", "decreased"), ("rise", "fall"), ("rose", "fell")),
    *(("win", "lose"), ("won", "lost"), ("begin", "end"), ("began", "ended"), ("with", "without")),
    *(("support", "oppose"), ("supported", "opposed"), ("accept", "reject"), ("join", "leave")),
    *(("north", "south"), ("east", "west"), ("northern", "southern"), ("eastern", "western")),
    *(("born", "died"), ("buy", "sell"), ("bought", "sold"), ("open", "close"), ("up", "down")),
    *(("early", "late"), ("earliest", "latest"), ("major", "minor"), ("allowed", "banned")),
    *(("did", "did not"), ("was", "was not"), ("is", "is not"), ("were", "were not")),
    *(
        ("male", "female"),
        ("old", "new"),
        ("large", "small"),
        ("high", "low"),
        ("inside", "outside"),
    ),
)
OPPOSITE = {a: b for pair in OPPOSITES for a, b in (pair, pair[::-1]) if " " not in a}
WORD = re.compile(r"\w+")
LONGEST_DROP = 3


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a question's words can be replaced with: what stands in its article."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    words: tuple[str, ...]


def surroundings(texts: Sequence[str]) -> Surroundings:
    """Collect the names, numbers and longer words of texts, each once, in their order."""
    text = "\n".join(texts)
    found = (tuple(dict.fromkeys(p.findall(text))) for p in (NAME, NUMBER, CONTENT_WORD))
    return Surroundings(*found)


Change = Callable[[str, Surroundings, random.Random], str | None]


def other_name(question: str, around: Surroundings, rng: random.Random) -> str | None:
    """Put another name or number of the article in the place of one; None where it has none."""
    # The first word is upper case in any case.
    named = [(m, around.names) for m in NAME.finditer(question) if m.start() > 0]
    counted = [(m, around.numbers) for m in NUMBER.finditer(question)]
    return _replaced(question, [*named, *counted], rng)


def other_word(question: str, around: Surroundings, rng: random.Random) -> str | None:
    """Put another longer word of the article in the place of one."""
    return _replaced(question, [(m, around.words) for m in CONTENT_WORD.finditer(question)], rng)


def other_question_word(question: str, _: Surroundings, rng: random.Random) -> str | None:
    """Ask for something else about the same: when instead of who."""
    return _replaced(question, [(m, QUESTION_WORDS) for m in ASKS.finditer(question)], rng)


def opposite(question: str, _: Surroundings, rng: random.Random) -> str | None:
    """Turn one word into its opposite, or deny the verb."""
    places = [m for m in WORD.finditer(question) if m.group().lower() in OPPOSITE]
    return _replaced(question, [(m, (OPPOSITE[m.group().lower()],)) for m in places], rng)


def fewer_words(question: str, _: Surroundings, rng: random.Random) -> str | None:
    """Leave out up to three words, or all the small ones, as people do who type in haste."""
    words = question.rstrip("?").split()
    if rng.random() < 0.5:
        kept = [word for word in words if word.lower() not in FILLERS]
    else:
        dropped = set(rng.sample(range(len(words)), min(rng.randint(1, LONGEST_DROP), len(words))))
        kept = [word for place, word in enumerate(words) if place not in dropped]
    return " ".join(kept) if 1 < len(kept) < len(words) else None


CHANGES: tuple[tuple[Change, float], ...] = (
    (other_name, 0.35),
    (other_word, 0.2),
    (other_question_word, 0.15),
    (opposite, 0.15),
    (fewer_words, 0.15),
)


def variations(question: str, around: Surroundings, count: int, rng: random.Random) -> list[str]:
    """Return up to `count` changed questions, none equal to the question or to each other."""
    found: list[str] = []
    changes, shares = zip(*CHANGES, strict=True)
    for change in rng.choices(changes, shares, k=2 * count):
        changed = change(question, around, rng)
        if changed and changed not in (question, *found):
            found.append(changed)
        if len(found) == count:
            break
    return found


def transferred(question: str, around: Surroundings, rng: random.Random) -> str | None:
    """Ask the same of other names and numbers: all of them give way to those of a passage.

    None where there is nothing to change: the question is then the old one.
    """
    changed = question
    for pattern, candidates in ((NAME, around.names), (NUMBER, around.numbers)):
        # From the end, so that the places before stay; the first word is upper case in any case.
        for place in reversed(list(pattern.finditer(changed))):
            if candidates and place.start() > 0:
                changed = changed[: place.start()] + rng.choice(candidates) + changed[place.end() :]
    return changed if changed != question else None


def _replaced(
    text: str, places: Sequence[tuple[re.Match[str], Sequence[str]]], rng: random.Random
) -> str | None:
    """Replace one of the places by another of its candidates; None where no place has one."""
    if not places:
        return None
    place, candidates = rng.choice(places)
    candidate = rng.choice(candidates) if candidates else place.group()
    if candidate.casefold() == place.group().casefold():
        return None
    return text[: place.start()] + candidate + text[place.end() :]
