"""Front matter: the YAML fields between the first two `---` lines of a Markdown file."""

import yaml

from citewire.index.errors import BadArticle

# Characters of front matter.
MAX_FRONT_MATTER_CHARACTERS = 64 * 1024
FENCE = "---\n"
# YAML's spellings of a missing value.
NULLS = ("", "~", "null")


def split_front_matter(text: str, name: str) -> tuple[dict[str, object], str]:
    """Return the YAML fields between the first two `---` lines, and the rest of the text."""
    text = text.replace("\r\n", "\n")
    if not text.startswith(FENCE):
        return {}, text
    end = text.find("\n" + FENCE, len(FENCE) - 1)
    if end < 0:
        raise BadArticle(name, "the front matter has no closing `---` line")
    head, body = text[len(FENCE) : end + 1], text[end + 1 + len(FENCE) :]
    if len(head) > MAX_FRONT_MATTER_CHARACTERS:
        raise BadArticle(
            name, f"the front matter has over {MAX_FRONT_MATTER_CHARACTERS} characters"
        )
    try:
        # The base loader keeps values as text: the others make `language: no` a False and
        # `id: 007` a seven, and their tags and merges can break or hang the constructor.
        fields = yaml.load(head, yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        problem = str(error).replace("\n", " ")
        raise BadArticle(name, f"the front matter is not YAML: {problem}") from error
    if fields is None:
        return {}, body
    if not isinstance(fields, dict):
        raise BadArticle(name, "the front matter is not a list of `name: value` lines")
    return {key: None if value in NULLS else value for key, value in fields.items()}, body
