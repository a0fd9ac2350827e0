"""The access rules by path: a key's scope, a bound on the body, a place in the queue."""

from dataclasses import dataclass

from citewire.service.auth.keys import KeyScope
from citewire.service.wire.articles import MAX_ARTICLES_BYTES

# Bytes of the body of any request, except those that change articles.
MAX_QUESTION_BYTES = 64 * 1024
ANY = frozenset[str]()
POST = frozenset(["POST"])
# The methods that have a body here, or change something.
CHANGING = frozenset(["POST", "PUT", "PATCH", "DELETE"])


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The rule for `path`, and for the paths below it where it ends in a slash.

    `scope` is that of the key that a request needs, None where it needs none. `is_question` takes
    a place in the queue of questions, and is refused before its body is read when that is full.
    `stops_on_disconnect` stops the work when the client hangs up. `is_page` is opened by people,
    who are shown where to enter their key.
    """

    path: str
    scope: KeyScope | None
    methods: frozenset[str] = ANY
    max_body_bytes: int = MAX_QUESTION_BYTES
    is_question: bool = False
    stops_on_disconnect: bool = False
    is_page: bool = False

    def covers(self, method: str, path: str) -> bool:
        """Say whether the rule is for this request."""
        if self.methods and method not in self.methods:
            return False
        return path.startswith(self.path) if self.path.endswith("/") else path == self.path


QUESTIONS = ("/v1/ask", "/v1/ask/stream", "/v1/chat", "/v1/chat/completions", "/v1/search")
# In order: the first that covers a request holds.
RULES = (
    # The page and the health checks reveal nothing of the archive.
    *(AccessRule(path, None) for path in ("/openapi.json", "/static/", "/health/")),
    *(
        AccessRule(path, KeyScope.ASK, POST, is_question=True, stops_on_disconnect=True)
        for path in QUESTIONS
    ),
    # Some of its tools ask: a full queue is the tool's error, which the language model reads.
    AccessRule("/mcp", KeyScope.ASK, POST, stops_on_disconnect=True),
    AccessRule("/evidence/", KeyScope.ASK, frozenset(["GET", "HEAD"]), is_page=True),
    # Signing in needs the key; asking whether one is signed in, and signing out, do not.
    AccessRule("/v1/session", KeyScope.ASK, POST),
    AccessRule("/v1/session", None),
    *(
        AccessRule(path, KeyScope.WRITE, CHANGING, MAX_ARTICLES_BYTES)
        for path in ("/v1/articles", "/v1/articles/")
    ),
    AccessRule("/metrics", KeyScope.ADMIN),
)
PAGE = AccessRule("", None)
# Any other path needs a key, so that a new route is not open by accident.
OTHER = AccessRule("/", KeyScope.ASK)


def find_rule(method: str, path: str) -> AccessRule:
    """Return the rule for this request."""
    if path == "/":
        return PAGE
    return next((rule for rule in RULES if rule.covers(method, path)), OTHER)
