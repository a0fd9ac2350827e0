"""`citewire demo`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.cli.render_answer import output_style
from citewire.service.settings import ServiceSettings

NAME = "demo"
PURPOSE = "Show what it does, with articles that come along."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--no-serve", action="store_true", help="end after the answers")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Show what Citewire does."""
    from citewire.service.cli.demo import demo

    demo(settings, output_style(), then_serve=not options.no_serve)
    return ANSWERED
