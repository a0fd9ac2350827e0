"""Term coverage: how many of a question's words a passage has."""

from collections.abc import Set

from citewire.index.text.analysis import analyze
from citewire.index.types import Passage


def compute_coverage(asked: Set[str], passage: Passage) -> float:
    """Return the share of the asked stems that the passage or its title has; 1 if none is asked."""
    there = find_stems(f"{passage.article.title}\n{passage.text}")
    return len(asked & there) / len(asked) if asked else 1.0


def find_stems(text: str) -> Set[str]:
    """Return the stems of the text's words."""
    return {word.stem for word in analyze(text)}
