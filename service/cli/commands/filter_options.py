"""The options that choose the articles to search."""

import argparse
from datetime import date

from citewire.index.types import Filters


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command that searches."""
    parser.add_argument(
        "--from",
        type=parse_day,
        dest="published_from",
        metavar="DATE",
        help="published on this day or later",
    )
    parser.add_argument(
        "--to",
        type=parse_day,
        dest="published_to",
        metavar="DATE",
        help="published on this day or earlier",
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        dest="sources",
        metavar="NAME",
        help="from this source; repeat the option to allow several",
    )


def parse_day(text: str) -> date:
    """Parse a date in the form YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2023-11-09") from error


def read_filters(options: argparse.Namespace) -> Filters:
    """Return the given filters; raise InvalidInput when the days are in the wrong order."""
    return Filters(options.published_from, options.published_to, frozenset(options.sources))
