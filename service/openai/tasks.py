"""Prompts about the chat itself, which chat programs send along: answered without searching.

They ask for a title, tags, or suggestions of further questions, begin with `### Task:`, and show
the JSON that is expected. Open WebUI sends them.
"""

import json
import re

TASK = "### Task:"
FIELD = re.compile(r'"(title|tags|follow_ups|queries|text)"\s*:')
FIRST_QUESTION = re.compile(r"^(?:USER|User|user): *(.+)$", re.MULTILINE)
MAX_TITLE_CHARACTERS = 60
UNTITLED = "A question to the archive"


def reply_to_task(prompt: str) -> str | None:
    r"""Return the reply to a task, None where the prompt is a question to the archive.

    >>> reply_to_task('### Task:\nSuggest tags. JSON format: { "tags": ["tag1", "tag2"] }')
    '{"tags": []}'
    """
    if not prompt.lstrip().startswith(TASK):
        return None
    found = FIELD.search(prompt)
    if found is None:
        return ""
    field = found.group(1)
    if field == "title":
        return json.dumps({"title": choose_title(prompt)}, ensure_ascii=False)
    return json.dumps({field: "" if field == "text" else []})


def choose_title(prompt: str) -> str:
    """Return the first question of the chat in the prompt, shortened."""
    found = FIRST_QUESTION.search(prompt)
    return found.group(1).strip()[:MAX_TITLE_CHARACTERS] if found else UNTITLED
