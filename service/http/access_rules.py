"""What each part of the API asks of a request: a key's scope, a bound on its body, a place."""

from dataclasses import dataclass

from citewire.service.auth.keys import KeyScope
from citewire.service.wire.articles import MAX_ARTICLES_BYTES

MAX_QUESTION_BYTES = 64 * 1024
ANY = frozenset[str]()
CHANGING = frozenset(["POST", "PUT", "PATCH", "DELETE"])


@dataclass(frozen=True, slots=True)
class Rule:
    """What the paths below `path` ask of a request, or `path` alone where no slash ends it.

    `scope` None means that no key is needed. What `asks` takes a place among the questions:
    it is refused before its body is read when there is none. What `stops` is stopped when its
    client hangs up. What is a `page` is opened by people, who are shown where to give their key.
    """

    path: str
    scope: KeyScope | None
    methods: frozenset[str] = ANY
    max_body_bytes: int = MAX_QUESTION_BYTES
    asks: bool = False
    stops: bool = False
    page: bool = False

    def covers(self, method: str, path: str) -> bool:
        """Say whether the rule is about this request."""
        if self.methods and method not in self.methods:
            return False
        return path.startswith(self.path) if self.path.endswith("/") else path == self.path


ASKING = frozenset(["/v1/ask", "/v1/ask/stream", "/v1/chat", "/v1/chat/completions", "/v1/search"])
# The first that covers a request holds.
RULES = (
    # The page itself and what says how the service is doing tell nothing of the archive.
    *(Rule(path, None) for path in ("/openapi.json", "/static/", "/health/")),
    *(
        Rule(path, KeyScope.ASK, frozenset(["POST"]), asks=True, stops=True)
        for path in sorted(ASKING)
    ),
    # Some of its tools ask: the language model is told in words that there is no place.
    Rule("/mcp", KeyScope.ASK, frozenset(["POST"]), stops=True),
    Rule("/evidence/", KeyScope.ASK, frozenset(["GET", "HEAD"]), page=True),
    # To sign in needs the key; to ask whether one is signed in, or to sign out, does not.
    Rule("/v1/session", KeyScope.ASK, frozenset(["POST"])),
    Rule("/v1/session", None),
    *(
        Rule(path, KeyScope.WRITE, CHANGING, MAX_ARTICLES_BYTES)
        for path in ("/v1/articles", "/v1/articles/")
    ),
    Rule("/metrics", KeyScope.ADMIN),
)
HOME = Rule("", None)
# Whatever nothing else covers needs a key, so that a new route is not open by accident.
OTHER = Rule("/", KeyScope.ASK)


def rule_of(method: str, path: str) -> Rule:
    """Return what this request is asked for."""
    if path == "/":
        return HOME
    return next((rule for rule in RULES if rule.covers(method, path)), OTHER)
