"""`citewire demo`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.cli.terminal import choose_style
from citewire.service.settings import ServiceSettings

NAME = "demo"
PURPOSE = "Index the example articles, answer questions, serve the page."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--no-serve", action="store_true", help="stop after the answers")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Run the demonstration."""
    from citewire.service.cli.demo import run_demo

    run_demo(settings, choose_style(), then_serve=not options.no_serve)
    return ANSWERED
