"""Ellipsis: a questioning phrase and nothing else takes the rest of the earlier question."""

from collections.abc import Sequence
from dataclasses import dataclass

from citewire.rag.conversation.fragments import FRAGMENTS, PossibleFragment
from citewire.rag.conversation.lexicon import PREPOSITIONS, QUESTION_WORDS
from citewire.rag.conversation.mentions import find_answer
from citewire.rag.conversation.questions import CONTEXT, Form, add_context, capitalize, strip_mark
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise
from citewire.rag.conversation.tokens import TextToken, is_verb_like, tokenize
from citewire.rag.conversation.types import Clarification, FollowUp, Rewrite, Turn, show_outcome

WHERE_AND_WHEN = frozenset("where when why how".split())


def find_subject(turn: Turn) -> str:
    """Return the answer where it is the subject of its question's verb, "" elsewhere."""
    answer = find_answer(turn)
    tokens = tokenize(turn.question)
    if answer is None or not tokens or tokens[0].word not in ("who", "which", "what"):
        return ""
    return answer.text


def name_subject(opening: Sequence[TextToken]) -> str:
    """Return a subject for an unanswered question: "people" of "How many people"."""
    words = [token.text for token in opening]
    if opening[0].word == "how":
        return " ".join(words[2:]) or "that"
    return f"the {' '.join(words[1:])}" if len(words) > 1 else "someone"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A questioning phrase, and the form of the question whose rest it may take."""

    text: str
    words: tuple[str, ...]
    follow_up: FollowUp
    earlier: Form

    @classmethod
    def find(cls, follow_up: FollowUp) -> "Fragment | None":
        """Return the fragment that a follow-up is, None for other questions."""
        candidate = PossibleFragment.parse(follow_up.asked)
        if not FRAGMENTS.decide(candidate):
            return None
        words = tuple(token.word for token in candidate.form.tokens)
        earlier = Form.parse(strip_mark(follow_up.last.question))
        return cls(candidate.form.text, words, follow_up, earlier)

    @property
    def asks_for_circumstance(self) -> bool:
        """Whether it may stand before any verb: it asks for no subject or object."""
        asking = next((word for word in self.words if word in QUESTION_WORDS), "")
        circumstance = self.words[0] in PREPOSITIONS or asking in WHERE_AND_WHEN
        return circumstance or len(self.words) > 1

    @property
    def follows_passive(self) -> bool:
        """Whether the earlier question asked who was arrested, or who is leading."""
        participle = is_verb_like(self.earlier.second) or self.earlier.second.endswith("ing")
        return self.earlier.has_auxiliary and self.earlier.opening > 0 and participle

    @property
    def subject(self) -> str:
        """The earlier answer where it is a subject, or a word that stands for it."""
        named = find_subject(self.follow_up.last)
        return named or name_subject(self.earlier.tokens[: self.earlier.opening])


def ask_for_whole(fragment: Fragment) -> Clarification:
    """Return the question to ask back before any other question."""
    text = fragment.follow_up.text
    return Clarification(text, f"“{text}” of what? Ask the whole question.")


def add_context_to_fragment(fragment: Fragment) -> Rewrite:
    """Return the fragment with the earlier question's topic in brackets."""
    last = fragment.follow_up.last
    return Rewrite(capitalize(add_context(fragment.text, last.question, find_subject(last))))


def insert_subject(fragment: Fragment) -> Rewrite:
    """Return the earlier question with its auxiliary before the subject that the answer is."""
    auxiliary, _, predicate = fragment.earlier.rest.partition(" ")
    return Rewrite(
        capitalize(f"{fragment.text} {auxiliary.lower()} {fragment.subject} {predicate}")
    )


def take_rest(fragment: Fragment) -> Rewrite:
    """Return the fragment before the rest of the earlier question, an auxiliary first."""
    rest = fragment.earlier.rest
    return Rewrite(capitalize(f"{fragment.text} {rest[0].lower()}{rest[1:]}"))


def ask_for_others(fragment: Fragment) -> Rewrite:
    """Return the earlier question asked for other subjects."""
    return Rewrite(capitalize(f"{fragment.text} {fragment.earlier.rest}"))


def cleave(fragment: Fragment) -> Rewrite:
    """Return the earlier question as a cleft sentence, "where was it that …"."""
    rest = fragment.earlier.rest
    return Rewrite(capitalize(f"{fragment.text} was it that {fragment.subject} {rest}"))


COMPLETIONS: Table[Fragment, Rewrite | Clarification] = Table(
    "completions of fragments",
    lambda dialogue: Fragment.find(FollowUp.from_dialogue(dialogue)),
    show_outcome,
    (
        Rule(
            "first question",
            lambda fragment: fragment.follow_up.is_first,
            ask_for_whole,
            Example("where?", "“where?” of what? Ask the whole question."),
        ),
        Rule(
            "earlier question with its context in brackets",
            lambda fragment: CONTEXT.search(fragment.follow_up.last.question) is not None,
            add_context_to_fragment,
            Example(
                "How many were injured (people died in the collapse)? | 3 | when?",
                "When (people died in the collapse)?",
            ),
        ),
        Rule(
            "question for a number",
            lambda fragment: fragment.text.lower().startswith(("how many", "how much")),
            add_context_to_fragment,
            Example(
                "When did Alexei Leonov die? | Friday | how many years?",
                "How many years (Alexei Leonov die)?",
            ),
        ),
        Rule(
            "question for a subject or an object",
            lambda fragment: not fragment.asks_for_circumstance,
            add_context_to_fragment,
            Example(
                "Who met Park Jin? | Antony Blinken | who?", "Who (Antony Blinken met Park Jin)?"
            ),
        ),
        Rule(
            "earlier question that is nothing but a questioning phrase",
            lambda fragment: not fragment.earlier.has_rest,
            add_context_to_fragment,
            Example("Which ship? | | when?", "When (ship)?"),
        ),
        Rule(
            "earlier question for the subject of a passive or a progressive",
            lambda fragment: fragment.follows_passive,
            insert_subject,
            Example(
                "Who was arrested in Leeds? | Ada Quill | why?",
                "Why was Ada Quill arrested in Leeds?",
            ),
        ),
        Rule(
            "earlier question with an auxiliary before its subject",
            lambda fragment: fragment.earlier.has_auxiliary,
            take_rest,
            Example(
                "When did Alexei Leonov die? | Friday | where?", "Where did Alexei Leonov die?"
            ),
        ),
        Rule(
            "earlier text that is no question",
            lambda fragment: fragment.earlier.opening == 0,
            add_context_to_fragment,
            Example("Magnitogorsk collapse | | when?", "When (Magnitogorsk collapse)?"),
        ),
        Rule(
            "question for others",
            lambda fragment: fragment.words[-1] == "else",
            ask_for_others,
            Example("Who met Park Jin? | Antony Blinken | who else?", "Who else met Park Jin?"),
        ),
        Rule(
            "earlier question for a subject",
            otherwise,
            cleave,
            Example(
                "Who met Park Jin? | Antony Blinken | where?",
                "Where was it that Antony Blinken met Park Jin?",
            ),
        ),
    ),
)
