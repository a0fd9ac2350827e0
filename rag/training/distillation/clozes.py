"""Questions made from statements: a name, a number or a phrase gives way to a question word.

The sentence's words around the gap stay (as in Lewis 2019); a teacher says whether and where a
passage answers them.
"""

import random
import re

from citewire.index.text.chunking import sentences
from citewire.rag.training.distillation.variations import NAME, NUMBER

# What follows a preposition or an article, up to three words; or a reason.
PHRASE = re.compile(
    r"\b(?:by|of|for|from|with|the|a|an|to) ((?:[\w'\u2019-]+ ){0,2}[\w'\u2019-]+)"
    r"|\b(because(?: [\w'\u2019-]+)+)"
)
WORDS = re.compile(r"\S+")
FEWEST_WORDS = 7
# How many words of the sentence stay on each side of the gap.
BEFORE, AFTER = (3, 10), (3, 12)
YEAR = re.compile(r"(?:1[0-9]|20)\d\d")
PLACES_FOLLOW = ("in", "at", "from", "to", "near", "outside")


def cloze(passage: str, rng: random.Random) -> str | None:
    """Return one question that a random sentence of the passage answers; None if none is fit."""
    spans = sentences(passage, "en")
    if not spans:
        return None
    sentence = rng.choice(spans).of(passage)
    if len(sentence.split()) < FEWEST_WORDS:
        return None
    gaps = [m.span(m.lastindex or 0) for p in (NAME, NUMBER, PHRASE) for m in p.finditer(sentence)]
    if not gaps:
        return None
    start, end = rng.choice(gaps)
    before = WORDS.findall(sentence[:start])[-rng.randint(*BEFORE) :]
    after = WORDS.findall(sentence[end:])[: rng.randint(*AFTER)]
    word = question_word(sentence[start:end], before, rng)
    asked = [word, *before, *after] if rng.random() < 0.6 else [*before, word, *after]
    return " ".join(asked).strip(" ,.;:") + "?"


def question_word(gap: str, before: list[str], rng: random.Random) -> str:
    """The word that asks for what stood in the gap."""
    preceding = before[-1].lower() if before else ""
    if YEAR.fullmatch(gap):
        return rng.choice(("when", "what year"))
    if gap[0].isdigit():
        return rng.choice(("how many", "how much", "what number"))
    if gap.startswith("because"):
        return "why"
    if NAME.fullmatch(gap):
        return rng.choice(("where", "what") if preceding in PLACES_FOLLOW else ("who", "what"))
    return rng.choice(("what", "which", "who", "how"))
