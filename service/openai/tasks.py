"""What chat programs ask of a language model about a chat: answered without searching.

They ask for a title, for tags or for what one might ask next, in prompts that begin with
`### Task:` and show the JSON that they want.
"""

import json
import re

TASK = "### Task:"
WANTED = re.compile(r'"(title|tags|follow_ups|queries|text)"\s*:')
FIRST_QUESTION = re.compile(r"^(?:USER|User|user): *(.+)$", re.MULTILINE)
MAX_TITLE_CHARACTERS = 60
UNTITLED = "A question to the archive"


def task_reply(prompt: str) -> str | None:
    r"""Return the reply to such a prompt, None when it is a question like any other.

    >>> task_reply('### Task:\nSuggest tags. JSON format: { "tags": ["tag1", "tag2"] }')
    '{"tags": []}'
    """
    if not prompt.lstrip().startswith(TASK):
        return None
    found = WANTED.search(prompt)
    if found is None:
        return ""
    wanted = found.group(1)
    if wanted == "title":
        return json.dumps({"title": title_of(prompt)}, ensure_ascii=False)
    return json.dumps({wanted: "" if wanted == "text" else []})


def title_of(prompt: str) -> str:
    """Return the first question of the chat that the prompt shows, shortened."""
    found = FIRST_QUESTION.search(prompt)
    return found.group(1).strip()[:MAX_TITLE_CHARACTERS] if found else UNTITLED
