"""Data augmentation: new questions made from those of the data; the teacher labels them.

A student that sees each question with one answer memorises it. It cannot memorise a question with
another name, another question word, an opposite or fewer words: sometimes the answer stays, often
there is none any more, and only the passage shows which.
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
QUESTION_WORD = re.compile(
    rf"\b(?:{'|'.join(sorted(QUESTION_WORDS, key=len, reverse=True))})\b", re.I
)
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
    *(("male", "female"), ("old", "new"), ("large", "small"), ("high", "low")),
    *(("inside", "outside"),),
)
OPPOSITE = {a: b for pair in OPPOSITES for a, b in (pair, pair[::-1]) if " " not in a}
WORD = re.compile(r"\w+")
# Words; the most that are left out at random.
LONGEST_DROP = 3


@dataclass(frozen=True, slots=True)
class Replacements:
    """Names, numbers and words of an article, which can replace those of a question."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    words: tuple[str, ...]


def collect_replacements(texts: Sequence[str]) -> Replacements:
    """Collect the names, numbers and longer words of texts, each once, in their order."""
    text = "\n".join(texts)
    found = (tuple(dict.fromkeys(p.findall(text))) for p in (NAME, NUMBER, CONTENT_WORD))
    return Replacements(*found)


Change = Callable[[str, Replacements, random.Random], str | None]


def swap_name(question: str, replacements: Replacements, rng: random.Random) -> str | None:
    """Replace a name or a number by another of the article; None if there is nothing to replace."""
    # Not at the start: the first word of a sentence is upper case, name or not.
    named = [(m, replacements.names) for m in NAME.finditer(question) if m.start() > 0]
    counted = [(m, replacements.numbers) for m in NUMBER.finditer(question)]
    return _replace(question, [*named, *counted], rng)


def swap_word(question: str, replacements: Replacements, rng: random.Random) -> str | None:
    """Replace a longer word by another of the article."""
    return _replace(
        question, [(m, replacements.words) for m in CONTENT_WORD.finditer(question)], rng
    )


def swap_question_word(question: str, _: Replacements, rng: random.Random) -> str | None:
    """Replace a question word by another: when for who."""
    return _replace(question, [(m, QUESTION_WORDS) for m in QUESTION_WORD.finditer(question)], rng)


def invert_word(question: str, _: Replacements, rng: random.Random) -> str | None:
    """Replace a word by its opposite, or negate the verb."""
    places = [m for m in WORD.finditer(question) if m.group().lower() in OPPOSITE]
    return _replace(question, [(m, (OPPOSITE[m.group().lower()],)) for m in places], rng)


def drop_words(question: str, _: Replacements, rng: random.Random) -> str | None:
    """Drop up to LONGEST_DROP words or all FILLERS, as in questions typed in haste."""
    words = question.rstrip("?").split()
    if rng.random() < 0.5:
        kept = [word for word in words if word.lower() not in FILLERS]
    else:
        dropped = set(rng.sample(range(len(words)), min(rng.randint(1, LONGEST_DROP), len(words))))
        kept = [word for place, word in enumerate(words) if place not in dropped]
    return " ".join(kept) if 1 < len(kept) < len(words) else None


# Changes with their shares.
CHANGES: tuple[tuple[Change, float], ...] = (
    (swap_name, 0.35),
    (swap_word, 0.2),
    (swap_question_word, 0.15),
    (invert_word, 0.15),
    (drop_words, 0.15),
)


def vary(question: str, replacements: Replacements, count: int, rng: random.Random) -> list[str]:
    """Return up to `count` changed questions, all different from the question and each other."""
    found: list[str] = []
    changes, shares = zip(*CHANGES, strict=True)
    for change in rng.choices(changes, shares, k=2 * count):
        changed = change(question, replacements, rng)
        if changed and changed not in (question, *found):
            found.append(changed)
        if len(found) == count:
            break
    return found


def transfer(question: str, replacements: Replacements, rng: random.Random) -> str | None:
    """Replace all names and numbers by those of a passage; None if nothing changes."""
    changed = question
    for pattern, candidates in ((NAME, replacements.names), (NUMBER, replacements.numbers)):
        # From the end, so that the places before stay valid. Not the first word: it is upper case,
        # name or not.
        for place in reversed(list(pattern.finditer(changed))):
            if candidates and place.start() > 0:
                changed = changed[: place.start()] + rng.choice(candidates) + changed[place.end() :]
    return changed if changed != question else None


def _replace(
    text: str, places: Sequence[tuple[re.Match[str], Sequence[str]]], rng: random.Random
) -> str | None:
    """Replace a random place by one of its candidates; None if that changes nothing."""
    if not places:
        return None
    place, candidates = rng.choice(places)
    candidate = rng.choice(candidates) if candidates else place.group()
    if candidate.casefold() == place.group().casefold():
        return None
    return text[: place.start()] + candidate + text[place.end() :]
