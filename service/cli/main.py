"""The command line: `citewire COMMAND`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from citewire.index.errors import ArchiveLost, CitewireError, InvalidInput, NotUsable
from citewire.service.cli.commands import (
    ask,
    demo,
    doctor,
    eval,  # noqa: A004  # the command's name
    index,
    key,
    mcp,
    search,
    serve,
    status,
    verify,
)
from citewire.service.cli.exit_codes import (
    ANSWERED,
    EXIT_CODES,
    INTERRUPTED,
    NOT_USABLE,
    PARTIAL,
    TRUTH_DAMAGE,
    USAGE,
)
from citewire.service.cli.terminal import complain
from citewire.service.settings import VARIABLES, ServiceSettings, read_service_settings


class Command(Protocol):
    """The contract of each module in `citewire.service.cli.commands`."""

    NAME: str
    PURPOSE: str

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Declare the command's arguments."""

    def run(self, settings: ServiceSettings, options: argparse.Namespace, /) -> int:
        """Run the command; return its exit code."""


COMMANDS: tuple[Command, ...] = (
    demo,
    index,
    ask,
    search,
    verify,
    serve,
    mcp,
    status,
    key,
    doctor,
    eval,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        settings = read_service_settings(os.environ, options.data)
        code = int(options.run(settings, options))
        # Here and not at exit, so that a broken pipe is handled below.
        sys.stdout.flush()
        return code
    except CitewireError as error:
        complain(error)
        return choose_exit_code(error)
    except KeyboardInterrupt:
        print("citewire: interrupted; all articles that were stored are kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed our output (SIGPIPE); Python's flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ANSWERED


def choose_exit_code(error: CitewireError) -> int:
    """Return the exit code for an error."""
    codes = {InvalidInput: USAGE, ArchiveLost: TRUTH_DAMAGE, NotUsable: NOT_USABLE}
    return next((code for kind, code in codes.items() if isinstance(error, kind)), PARTIAL)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    width = max(map(len, VARIABLES))
    variables = "\n".join(f"  {name:<{width}}  {purpose}" for name, purpose in VARIABLES.items())
    parser = argparse.ArgumentParser(
        prog="citewire",
        description="Ask a news archive; the answers are its exact words, each with its source.",
        epilog=f"{EXIT_CODES}\n\nenvironment variables:\n{variables}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        added = commands.add_parser(
            command.NAME,
            help=command.PURPOSE,
            description=command.PURPOSE,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.add_argument(
            "--data", type=Path, metavar="DIR", help="the data directory (default: CITEWIRE_DATA)"
        )
        added.set_defaults(run=command.run)
        command.add_arguments(added)
    return parser


if __name__ == "__main__":
    sys.exit(main())
