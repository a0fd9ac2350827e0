"""Pronouns: the ones that refer to an earlier turn, and the names that take their place."""

from collections.abc import Sequence
from dataclasses import dataclass

from citewire.rag.conversation.lexicon import AUXILIARIES, BE, FUNCTION_WORDS, PREPOSITIONS
from citewire.rag.conversation.mentions import Mention, find_mentions
from citewire.rag.conversation.phrases import Kind
from citewire.rag.conversation.questions import Form
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise
from citewire.rag.conversation.tokens import TextToken, tokenize

MALE = frozenset("he him his himself".split())
FEMALE = frozenset("she her hers herself".split())
PERSONAL = MALE | FEMALE
PLURAL = frozenset("they them their theirs themselves".split())
NEUTER = frozenset("it its itself".split())
POINTERS = PERSONAL | PLURAL | NEUTER | {"there"}
POSSESSIVES = frozenset("his its their hers theirs".split())
# Words within two behind an "it" that means nothing: "is it true that …".
EXPLETIVE_AFTER = frozenset("true possible rain snow likely called".split())
# Words that a possessive "her" does not stand before.
NOT_OWNED = FUNCTION_WORDS - AUXILIARIES


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A pronoun in its question.

    `before` are the mentions that end before it; `follows_phrase` says that the question begins
    with a phrase for its subject: "Which company …".
    """

    tokens: tuple[TextToken, ...]
    place: int
    before: tuple[Mention, ...]
    follows_phrase: bool

    @classmethod
    def find_all(cls, question: str) -> "list[Pronoun]":
        """Return all pronouns of a question, in order."""
        form = Form.parse(question)
        mentions = find_mentions(question)
        follows_phrase = form.opening > 1 and form.asks_for_subject
        return [
            cls(
                form.tokens,
                place,
                tuple(mention for mention in mentions if mention.end <= token.start),
                follows_phrase,
            )
            for place, token in enumerate(form.tokens)
            if token.word in POINTERS
        ]

    @classmethod
    def find_last(cls, question: str) -> "Pronoun | None":
        """Return the last pronoun of a question, None where it has none."""
        return next(reversed(cls.find_all(question)), None)

    @property
    def token(self) -> TextToken:
        """The pronoun itself."""
        return self.tokens[self.place]

    @property
    def word(self) -> str:
        """The pronoun in lower case."""
        return self.token.word

    @property
    def previous(self) -> str:
        """The word before it, "" for none."""
        return self.tokens[self.place - 1].word if self.place else ""

    @property
    def behind(self) -> list[str]:
        """The next three words."""
        return [token.word for token in self.tokens[self.place + 1 : self.place + 4]]

    def follows(self, *kinds: Kind) -> bool:
        """Say whether a mention of one of these kinds stands before it."""
        return any(mention.kind in kinds for mention in self.before)


def is_expletive(pronoun: Pronoun) -> bool:
    """Say whether an "it" means nothing: "how long does it take to …"."""
    behind = pronoun.behind
    if behind[:1] == ["take"]:
        return len(behind) > 1 and behind[1] != "?"
    return behind[:1] == ["that"] or not EXPLETIVE_AFTER.isdisjoint(behind[:2])


def is_existential(pronoun: Pronoun) -> bool:
    """Say whether a "there" means no place: "are there", "there was"."""
    return pronoun.place == 0 or pronoun.previous in BE or BE.issuperset(pronoun.behind[:1] or [""])


# Whether a pronoun is free: nothing before it in its question can be its antecedent.
BINDINGS: Table[Pronoun, bool] = Table(
    "free pronouns",
    Pronoun.find_last,
    lambda free: "free" if free else "bound",
    (
        Rule(
            "he or she behind a person",
            lambda pronoun: pronoun.word in PERSONAL and pronoun.follows(Kind.PERSON, Kind.NAME),
            lambda _: False,
            Example("When did Blinken say he would visit?", "bound"),
        ),
        Rule(
            "he or she",
            lambda pronoun: pronoun.word in PERSONAL,
            lambda _: True,
            Example("when did she resign?", "free"),
        ),
        Rule(
            "they behind any phrase",
            lambda pronoun: (
                pronoun.word in PLURAL and bool(pronoun.before or pronoun.follows_phrase)
            ),
            lambda _: False,
            Example("Which planes lost their wings?", "bound"),
        ),
        Rule(
            "they",
            lambda pronoun: pronoun.word in PLURAL,
            lambda _: True,
            Example("what did they discuss?", "free"),
        ),
        Rule(
            "it behind a thing, a group, a place or a name",
            lambda pronoun: (
                pronoun.word in NEUTER
                and (
                    pronoun.follows_phrase
                    or pronoun.follows(Kind.THING, Kind.GROUP, Kind.PLACE, Kind.NAME)
                )
            ),
            lambda _: False,
            Example("Which planet was found to have water in its air?", "bound"),
        ),
        Rule(
            "it that means nothing",
            lambda pronoun: pronoun.word in NEUTER and is_expletive(pronoun),
            lambda _: False,
            Example("How long does it take to fly to Mars?", "bound"),
        ),
        Rule(
            "it",
            lambda pronoun: pronoun.word in NEUTER,
            lambda _: True,
            Example("when was it founded?", "free"),
        ),
        Rule(
            "there that means no place",
            is_existential,
            lambda _: False,
            Example("How many judges are there on the Supreme Court?", "bound"),
        ),
        Rule(
            "there behind any phrase",
            lambda pronoun: bool(pronoun.before),
            lambda _: False,
            Example("Why did Park Jin go there?", "bound"),
        ),
        Rule("there", otherwise, lambda _: True, Example("how many people live there?", "free")),
    ),
)


def find_free_pronouns(question: str) -> list[TextToken]:
    """Return the pronouns that have no antecedent before them in their question.

    >>> [token.text for token in find_free_pronouns("how old was he when he died?")]
    ['he', 'he']
    """
    return [pronoun.token for pronoun in Pronoun.find_all(question) if BINDINGS.decide(pronoun)]


def find_first(tokens: Sequence[TextToken], words: frozenset[str]) -> TextToken | None:
    """Return the first token that is one of these words, None for none."""
    return next((token for token in tokens if token.word in words), None)


def replace(question: str, pronoun: TextToken, name: str) -> str:
    """Return the question with the name in place of the pronoun, in the pronoun's case.

    >>> replace("what is her party?", tokenize("what is her party?")[2], "Ada Quill")
    "what is Ada Quill's party?"
    """
    if pronoun.word == "there" and name.split(maxsplit=1)[0].lower() not in PREPOSITIONS:
        name = f"in {name}"
    if is_possessive(question, pronoun):
        name += "'" if name.endswith("s") else "'s"
    return question[: pronoun.start] + name + question[pronoun.end :]


def is_possessive(question: str, pronoun: TextToken) -> bool:
    """Say whether a pronoun is a possessive: "her" is one before a noun."""
    if pronoun.word != "her":
        return pronoun.word in POSSESSIVES
    following = next((token for token in tokenize(question) if token.start >= pronoun.end), None)
    return following is not None and following.is_word and following.word not in NOT_OWNED
