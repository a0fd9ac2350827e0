"""`citewire serve`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.settings import ServiceSettings

NAME = "serve"
PURPOSE = "Serve the chat page and the HTTP API."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--host", default="127.0.0.1", help="the address (default: %(default)s)")
    parser.add_argument(
        "--port", default=8000, type=port_number, help="the port (default: %(default)s)"
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="only read the archive, beside the process that has it open",
    )


def port_number(text: str) -> int:
    """Read a port; 0 lets the system choose one."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port")
    return number


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from citewire.service.server import serve

    serve(settings, options.host, options.port, read_only=options.read_only)
    return ANSWERED
