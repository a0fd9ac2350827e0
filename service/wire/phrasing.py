"""Texts for people about answers: likelihoods, percentages, counts, and reasons for abstaining.

They exist once, here, and travel on the wire: page, terminal, chat programs and tools show them as
they are.
"""

import math
from typing import Literal

from citewire.rag.types import Reason

Likelihood = Literal["very likely", "likely", "possible", "doubtful"]
# Least probability for each word: the IPCC's scale of likelihood, its lower half shortened.
LIKELIHOODS: tuple[tuple[float, Likelihood], ...] = (
    (0.9, "very likely"),
    (0.66, "likely"),
    (0.33, "possible"),
    (0.0, "doubtful"),
)
EXPLANATIONS = {
    Reason.NOTHING_RELEVANT: "No article in it seems to be about this.",
    Reason.NOT_ANSWERED: "Some articles come near the subject, but none states an answer.",
    Reason.UNCERTAIN: "An article may say so, but that is too uncertain to be given as an answer.",
    Reason.TOO_CLOSE: "Different answers are about equally likely, and none likely enough.",
}
# Headings; an explanation follows the first.
NO_ANSWER = "The archive does not say."
CLOSEST = "Closest passages, not answers:"
OTHER_ANSWERS = "Other answers in the archive"


def name_likelihood(probability: float) -> Likelihood:
    """Return the word for a calibrated probability.

    >>> name_likelihood(0.7)
    'likely'
    """
    return next(word for least, word in LIKELIHOODS if probability >= least)


def format_percentage(probability: float) -> str:
    """Return the percentage; neither certainty nor impossibility is ever claimed.

    >>> format_percentage(0.7), format_percentage(0.999)
    ('70 %', 'over 99 %')
    """
    rounded = round(100 * probability)
    if rounded >= 100:
        return "over 99 %"
    return f"{rounded} %" if rounded > 0 else "under 1 %"


def describe_support(articles: int) -> str:
    """Return how many articles give an answer.

    >>> describe_support(2)
    'said by 2 articles'
    """
    return f"said by {count(articles, 'article')}"


def describe_risk(bound: float | None) -> str | None:
    """Return how many of the answers given are wrong at most; None where no bound is known.

    >>> describe_risk(0.181)
    'at most 19 % of the answers given are wrong (95 % confidence, measured on other archives)'
    """
    if bound is None:
        return None
    return (
        f"at most {math.ceil(100 * bound)} % of the answers given are wrong"
        " (95 % confidence, measured on other archives)"
    )


def explain(reason: Reason | None) -> str | None:
    """Return the reason for abstaining as a sentence about the archive; None where there is none.

    >>> explain(Reason.NOTHING_RELEVANT)
    'No article in it seems to be about this.'
    """
    return None if reason is None else EXPLANATIONS[reason]


def count(number: int, noun: str) -> str:
    """Return the number with its noun.

    >>> count(1, "article"), count(1200, "article")
    ('1 article', '1,200 articles')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
