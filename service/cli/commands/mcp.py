"""`citewire mcp`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.settings import ServiceSettings

NAME = "mcp"
PURPOSE = "Serve tools to language models (MCP) on standard streams."


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(settings: ServiceSettings, _: argparse.Namespace) -> int:
    """Serve until standard input ends."""
    from citewire.service.mcp.stdio import serve_tools

    serve_tools(settings)
    return ANSWERED
