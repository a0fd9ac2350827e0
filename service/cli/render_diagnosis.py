"""Show a diagnosis of the data directory, to a person or a program."""

import json
from dataclasses import asdict

from citewire.rag.doctor.diagnosis import Diagnosis
from citewire.service.cli.terminal import make_safe
from citewire.service.wire.phrasing import count


def format_json(diagnosis: Diagnosis) -> str:
    """Return the diagnosis as one JSON object; `state` is "good" or the worst damage."""
    return json.dumps({"state": diagnosis.worst or "good"} | asdict(diagnosis), indent=2)


def render_diagnosis(diagnosis: Diagnosis) -> str:
    """Return lines for a person: sound articles, repairs, then each fault with its remedy."""
    lines = [
        f"{count(diagnosis.articles, 'article')} in"
        f" {count(diagnosis.passages, 'passage')} are sound"
    ]
    lines += [f"rebuilt: {part}" for part in diagnosis.repaired]
    for finding in diagnosis.findings:
        lines.append(f"{finding.damage} damage: {finding.what}; {finding.remedy}")
        lines += [f"- {article}" for article in finding.articles]
    if diagnosis.worst is None:
        lines.append("good")
    return "\n".join(make_safe(line) for line in lines)
