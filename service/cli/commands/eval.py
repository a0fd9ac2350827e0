"""`citewire eval`."""

import argparse
from pathlib import Path

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.settings import ServiceSettings

NAME = "eval"
PURPOSE = "Measure answers to questions whose answers are known."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="questions: one JSON object a line, asked of the archive; or SQuAD's format"
        " (.json, .json.gz), each asked of its own paragraph",
    )
    parser.add_argument(
        "--articles",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="ask of a temporary archive of this file or folder; may be given several times",
    )
    parser.add_argument(
        "--retrieve",
        action="store_true",
        help="ask SQuAD's questions of a temporary archive of all its paragraphs",
    )
    parser.add_argument(
        "--questions",
        type=int,
        default=0,
        metavar="N",
        help="ask N of each file, drawn at random, twins together (default: all)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the random choice (default: %(default)s)"
    )
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="write two plots of the confidences, as SVG"
    )
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Ask the questions and compare the answers with the known ones."""
    from citewire.rag.evaluation.plots import write_plots
    from citewire.rag.evaluation.rendering import render_json, render_tables
    from citewire.rag.evaluation.report import Evaluation
    from citewire.service.cli.evaluate import Sample, ask_files

    sample = Sample(
        options.questions,
        options.seed,
        retrieve=options.retrieve,
        articles=tuple(options.articles),
    )
    evaluation = Evaluation.from_outcomes(ask_files(settings, options.files, sample))
    print(render_json(evaluation) if options.json else render_tables(evaluation))
    if options.plots is not None:
        write_plots(options.plots, evaluation.outcomes)
    return ANSWERED
