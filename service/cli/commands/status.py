"""`citewire status`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.settings import ServiceSettings

NAME = "status"
PURPOSE = "Show the archive's size and the models that it uses."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print the status as JSON")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Print the archive's status."""
    from citewire.service.cli.status import read_status, render_status

    status = read_status(settings)
    print(status.model_dump_json(indent=2) if options.json else render_status(status))
    return ANSWERED
