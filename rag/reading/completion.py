"""Complete a number that a reader quotes: with "at least" before it, and its unit behind it."""

import re

from citewire.index.types import Span

NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    "|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    "|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|a dozen|half"
)
STARTS_WITH_NUMBER = re.compile(rf"[$€£¥]?\s?\d|(?:{NUMBER_WORDS})\b", re.IGNORECASE)
ENDS_WITH_NUMBER = re.compile(rf"(?:\d|\b(?:{NUMBER_WORDS}))$", re.IGNORECASE)
# What stands before a number and changes how much it says.
QUALIFIER = re.compile(
    r"\b(?:at (?:least|most)|(?:no )?(?:more|less|fewer) than|up to|about|around|some|nearly|almost"
    r"|roughly|approximately|(?:just |well )?(?:over|under)|an estimated|as (?:many|much) as"
    r"|close to)\s+$",
    re.IGNORECASE,
)
CURRENCY = re.compile(r"(?:\b[A-Z]{1,3})?[$€£¥]\s?$")
# What belongs to the number before it: a scale, a share, or a unit.
UNIT = re.compile(
    r"[ \u00a0-]?(?:%|per ?cent\b|(?:hundred|thousand|million|billion|trillion|dozen)\b"
    r"|(?:(?:square|cubic) )?(?:kilo|centi|milli)?met(?:re|er)s?\b"
    r"|(?:square )?(?:miles?|feet|acres)\b"
    r"|(?:km|kg|mph|tonnes?|tons?|kilograms?|kilos|litres?|liters?|degrees|hectares?)\b"
    r"|(?:US )?(?:dollars?|euros?|pounds?|kronor|kroner|yen|rupees?|francs?|pesos?|yuan|cents)\b)",
)
# Characters, with the space behind it.
LONGEST_BEFORE = 24
# Pieces of the longest number with its unit: "1.2", "million", "US dollars".
MOST_PIECES = 3


def complete_number(text: str, span: Span) -> Span:
    """Widen a span that begins with a number to its qualifier, one that ends with one to its unit.

    >>> text = "The storm killed at least 31 million hens."
    >>> complete_number(text, Span(text.index("31"), text.index(" million"))).of(text)
    'at least 31 million'
    """
    start, end = span.start, span.end
    if STARTS_WITH_NUMBER.match(text, start, end):
        for pattern in (CURRENCY, QUALIFIER):
            if before := pattern.search(text, max(0, start - LONGEST_BEFORE), start):
                start = before.start()
    for _ in range(MOST_PIECES):
        unit = UNIT.match(text, end)
        if unit is None or not ENDS_WITH_NUMBER.search(text, start, end):
            break
        end = unit.end()
    return Span(start, end)
