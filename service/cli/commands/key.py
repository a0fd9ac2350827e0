"""`citewire key`."""

import argparse
import sys

from citewire.index.errors import InvalidInput
from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.settings import ServiceSettings

NAME = "key"
PURPOSE = "Add, list and revoke keys for the service."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("action", choices=["add", "list", "revoke"])
    parser.add_argument("name", nargs="?", help="the key's name (add and revoke only)")
    parser.add_argument(
        "--scope",
        action="append",
        default=[],
        choices=["ask", "write", "admin"],
        help="what the key permits; repeat the option for several (add only)",
    )
    parser.add_argument(
        "--per-minute", type=int, metavar="N", help="at most N requests a minute (add only)"
    )


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Change or list the file of keys."""
    from citewire.service.auth.keys import KeyFile, KeyScope, render_keys

    file = KeyFile(settings.key_file)
    if options.action == "list":
        print(render_keys(file.keys()))
        return ANSWERED
    if options.name is None:
        raise InvalidInput(f"citewire key {options.action} needs the key's name")
    if options.action == "revoke":
        file.revoke(options.name)
        return ANSWERED
    scopes = [KeyScope(scope) for scope in options.scope]
    print(file.add(options.name, scopes, options.per_minute))
    print("This is the only time that the key is shown.", file=sys.stderr)
    return ANSWERED
