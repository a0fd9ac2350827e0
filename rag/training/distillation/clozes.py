"""Cloze questions: a name, a number or a phrase of a statement gives way to a question word.

The words of the sentence around the gap stay (Lewis 2019). Whether and where a passage answers
such a question is left to the teacher.
"""

import random
import re

from citewire.index.text.chunking import split_sentences
from citewire.rag.training.distillation.variations import NAME, NUMBER

# Up to three words after a preposition or an article; or a reason.
PHRASE = re.compile(
    r"\b(?:by|of|for|from|with|the|a|an|to) ((?:[\w'\u2019-]+ ){0,2}[\w'\u2019-]+)"
    r"|\b(because(?: [\w'\u2019-]+)+)"
)
WORDS = re.compile(r"\S+")
# Words of a sentence; shorter ones leave too little to ask about.
MIN_WORDS = 7
# Words of the sentence that are kept before and after the gap: least and most.
WORDS_BEFORE, WORDS_AFTER = (3, 10), (3, 12)
# Share of the questions that begin with the question word.
QUESTION_WORD_FIRST_SHARE = 0.6
YEAR = re.compile(r"(?:1[0-9]|20)\d\d")
PLACE_PREPOSITIONS = ("in", "at", "from", "to", "near", "outside")


def make_cloze(passage: str, rng: random.Random) -> str | None:
    """Make a question that a random sentence of the passage answers; None if it cannot be cut."""
    spans = split_sentences(passage, "en")
    if not spans:
        return None
    sentence = rng.choice(spans).of(passage)
    if len(sentence.split()) < MIN_WORDS:
        return None
    gaps = [m.span(m.lastindex or 0) for p in (NAME, NUMBER, PHRASE) for m in p.finditer(sentence)]
    if not gaps:
        return None
    start, end = rng.choice(gaps)
    before = WORDS.findall(sentence[:start])[-rng.randint(*WORDS_BEFORE) :]
    after = WORDS.findall(sentence[end:])[: rng.randint(*WORDS_AFTER)]
    word = choose_question_word(sentence[start:end], before, rng)
    is_word_first = rng.random() < QUESTION_WORD_FIRST_SHARE
    words = [word, *before, *after] if is_word_first else [*before, word, *after]
    return " ".join(words).strip(" ,.;:") + "?"


def choose_question_word(gap: str, before: list[str], rng: random.Random) -> str:
    """Choose a word that asks for the text of the gap, given the words before it."""
    preceding = before[-1].lower() if before else ""
    if YEAR.fullmatch(gap):
        return rng.choice(("when", "what year"))
    if gap[0].isdigit():
        return rng.choice(("how many", "how much", "what number"))
    if gap.startswith("because"):
        return "why"
    if NAME.fullmatch(gap):
        return rng.choice(("where", "what") if preceding in PLACE_PREPOSITIONS else ("who", "what"))
    return rng.choice(("what", "which", "who", "how"))
