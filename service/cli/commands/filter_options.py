"""The options that say which articles are searched."""

import argparse
from datetime import date

from citewire.index.types import Filters


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command that searches."""
    parser.add_argument(
        "--from", type=day, dest="published_from", metavar="DATE", help="published then or later"
    )
    parser.add_argument(
        "--to", type=day, dest="published_to", metavar="DATE", help="published then or earlier"
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        dest="sources",
        metavar="NAME",
        help="of this source; give several for any of them",
    )


def day(text: str) -> date:
    """Read a date as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2023-11-09") from error


def filters_of(options: argparse.Namespace) -> Filters:
    """Return the filters that were given; raise InvalidInput when they contradict each other."""
    return Filters(options.published_from, options.published_to, frozenset(options.sources))
