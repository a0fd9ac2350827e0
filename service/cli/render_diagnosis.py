"""What the doctor found, for a person or a program."""

import json
from dataclasses import asdict

from citewire.rag.doctor import Diagnosis
from citewire.service.cli.render_answer import safe
from citewire.service.wire.phrasing import count


def as_json(diagnosis: Diagnosis) -> str:
    """Return it as one object; `state` is "good" or the worst damage."""
    return json.dumps({"state": diagnosis.worst or "good"} | asdict(diagnosis), indent=2)


def as_text(diagnosis: Diagnosis) -> str:
    """Return it as lines: what is sound, what was repaired, what is wrong and what to do."""
    lines = [
        f"{count(diagnosis.articles, 'article')} in"
        f" {count(diagnosis.passages, 'passage')} are sound"
    ]
    lines += [f"made again: {what}" for what in diagnosis.repaired]
    for finding in diagnosis.findings:
        lines.append(f"{finding.damage} damage: {finding.what}; {finding.remedy}")
        lines += [f"- {article}" for article in finding.articles]
    if diagnosis.worst is None:
        lines.append("good")
    return "\n".join(safe(line) for line in lines)
