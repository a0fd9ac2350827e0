"""`citewire status`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.settings import ServiceSettings

NAME = "status"
PURPOSE = "Show what the archive holds and which models it uses."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Show the archive's state."""
    from citewire.service.cli.status import read_status

    status = read_status(settings)
    print(status.model_dump_json(indent=2) if options.json else status.text())
    return ANSWERED
