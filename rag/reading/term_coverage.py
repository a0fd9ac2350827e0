"""How many of a question's words a passage has."""

from collections.abc import Set

from citewire.index.text.analysis import analyze
from citewire.index.types import Passage


def coverage(asked: Set[str], passage: Passage) -> float:
    """Return the share of the asked stems that the passage or its title has, 1 of none."""
    said = stems(f"{passage.article.title}\n{passage.text}")
    return len(asked & said) / len(asked) if asked else 1.0


def stems(text: str) -> Set[str]:
    """Return what is left of the text's words to compare them by."""
    return {word.stem for word in analyze(text)}
