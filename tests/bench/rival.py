r"""Our reader against haystack's, over the same passages: `python tests/bench/rival.py QUESTIONS`.

    python -m venv haystack
    haystack/bin/pip install torch==2.13.0 haystack-ai==3.4.1 transformers-haystack==2.0.0
    python -m citewire.rag.training.dequantize rag/models/reader weights
    citewire index news.jsonl
    python tests/bench/rival.py news_dev_questions.jsonl --weights weights \
        --python haystack/bin/python

haystack runs in its own environment, without this project's pins. Both readers have the same
weights (haystack's in fp32, as it loads them; ours int8, as shipped) and read the same passages in
the same order, question by question, one after the other on the same cores. The table has the time
of a question, and EM and F1 of the best span for answerable questions; nothing is refused.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROLE = "--as-haystack"


def main() -> None:
    """Measure both and print a row for each."""
    from citewire.rag.answerer import PASSAGES_FOUND, build_candidates
    from citewire.rag.evaluation.question_files import read_questions
    from citewire.rag.settings import read_settings
    from citewire.rag.types import Question
    from citewire.rag.wiring import open_pipeline

    options = parse_arguments()
    known = [question for question in read_questions(options.questions) if question.answers]
    known = random.Random(options.seed).sample(known, min(options.count, len(known)))
    ours: list[float] = []
    answers: list[str] = []
    work: list[dict[str, Any]] = []
    with open_pipeline(read_settings(os.environ), command="ask") as pipeline:
        answerer = pipeline.answerer
        for number, item in enumerate([known[0], *known]):
            question = Question(item.text)
            retrieval = pipeline.retriever.retrieve(question, PASSAGES_FOUND)
            hits = retrieval.hits
            started = time.perf_counter()
            found = build_candidates(retrieval.query, answerer._reader.read(item.text, hits))
            seconds = time.perf_counter() - started
            if number:  # the first one warms up
                ours.append(seconds)
                best = max(found, key=lambda each: each.features.lead, default=None)
                answers.append(best.extracts[0].text if best else "")
            work.append({"question": item.text, "passages": [hit.passage.text for hit in hits]})
    theirs = ask_haystack(options, work)
    golds = [item.answers for item in known]
    print(f"{len(known)} questions, {PASSAGES_FOUND} passages each")
    print(f"{'':<10} {'p50 ms':>7} {'p95 ms':>7} {'EM':>6} {'F1':>6}")
    mine = print_row("citewire", ours, answers, golds)
    other = print_row("haystack", theirs["seconds"][1:], theirs["answers"][1:], golds)
    print(f"haystack takes {other / mine:.1f} times as long at p50")


def ask_haystack(options: argparse.Namespace, work: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Run this file in haystack's environment; return seconds and answers."""
    command = [options.python, __file__, ROLE, str(options.weights)]
    done = subprocess.run(command, input=json.dumps(work), text=True, stdout=-1, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def print_row(
    name: str, seconds: Sequence[float], answers: Sequence[str], golds: Sequence[Sequence[str]]
) -> float:
    """Print one reader's row; return its median in seconds."""
    from citewire.rag.evaluation.metrics import exact_match, f1

    ordered = sorted(seconds)
    p50, p95 = ordered[len(ordered) // 2], ordered[int(0.95 * len(ordered))]
    pairs = list(zip(answers, golds, strict=True))
    exact = 100 * sum(exact_match(text, known) for text, known in pairs) / len(pairs)
    overlap = 100 * sum(f1(text, known) for text, known in pairs) / len(pairs)
    print(f"{name:<10} {1000 * p50:>7.0f} {1000 * p95:>7.0f} {exact:>6.1f} {overlap:>6.1f}")
    return p50


def run_haystack_reader(weights: str) -> None:
    """Read the work from standard input with haystack's reader; print seconds and answers."""
    from haystack import Document
    from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

    reader = TransformersExtractiveReader(model=weights, top_k=1, no_answer=False)
    if hasattr(reader, "warm_up"):
        reader.warm_up()
    seconds, answers = [], []
    for item in json.loads(sys.stdin.read()):
        documents = [Document(content=text) for text in item["passages"]]
        started = time.perf_counter()
        found = reader.run(query=item["question"], documents=documents)["answers"]
        seconds.append(time.perf_counter() - started)
        answers.append((found[0].data or "") if found else "")
    print(json.dumps({"seconds": seconds, "answers": answers}))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("questions", type=Path)
    parser.add_argument("--python", required=True, help="of the environment that has haystack")
    parser.add_argument("--weights", type=Path, required=True, help="in Hugging Face layout")
    parser.add_argument("--count", type=int, default=60, help="random questions with an answer")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    if ROLE in sys.argv:
        run_haystack_reader(sys.argv[-1])
    else:
        main()
