"""`citewire doctor`."""

import argparse

from citewire.service.cli.exit_codes import ANSWERED, DERIVED_DAMAGE, NOT_USABLE, TRUTH_DAMAGE
from citewire.service.settings import ServiceSettings

NAME = "doctor"
PURPOSE = "Check everything in the data directory."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--repair",
        action="store_true",
        help="rebuild what is derived from articles, drop articles that are lost",
    )
    parser.add_argument("--json", action="store_true", help="print the diagnosis as JSON")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Check the data directory; with --repair, repair it."""
    from citewire.rag.doctor.diagnosis import Damage, diagnose
    from citewire.rag.doctor.repair import repair
    from citewire.service.cli.render_diagnosis import format_json, render_diagnosis

    diagnosis = repair(settings) if options.repair else diagnose(settings)
    print(format_json(diagnosis) if options.json else render_diagnosis(diagnosis))
    codes = {
        None: ANSWERED,
        Damage.MODEL: NOT_USABLE,
        Damage.SERVER: NOT_USABLE,
        Damage.DERIVED: DERIVED_DAMAGE,
        Damage.TRUTH: TRUTH_DAMAGE,
    }
    return codes[diagnosis.worst]
