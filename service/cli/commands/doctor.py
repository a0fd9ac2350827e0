"""`citewire doctor`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED, DERIVED_DAMAGE, NOT_USABLE, TRUTH_DAMAGE
from citewire.service.settings import ServiceSettings

NAME = "doctor"
PURPOSE = "Check everything in the data directory."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--repair", action="store_true", help="make again what is derived, drop what is lost"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Check the data directory, and repair what can be."""
    from citewire.rag.doctor import Damage, diagnose, repair
    from citewire.service.cli.render_diagnosis import as_json, as_text

    diagnosis = repair(settings) if options.repair else diagnose(settings)
    print(as_json(diagnosis) if options.json else as_text(diagnosis))
    codes = {
        None: ANSWERED,
        Damage.MODEL: NOT_USABLE,
        Damage.SERVER: NOT_USABLE,
        Damage.DERIVED: DERIVED_DAMAGE,
        Damage.TRUTH: TRUTH_DAMAGE,
    }
    return codes[diagnosis.worst]
