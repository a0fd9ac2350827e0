"""`citewire serve`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.settings import ServiceSettings

NAME = "serve"
PURPOSE = "Serve the chat page and the HTTP API."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", default=8000, type=parse_port, help="the port to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="only read the archive, while another process has it open",
    )


def parse_port(text: str) -> int:
    """Parse a port; 0 lets the system choose one."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port")
    return number


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    from citewire.service.server import serve

    serve(settings, options.host, options.port, read_only=options.read_only)
    return ANSWERED
