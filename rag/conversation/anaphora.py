"""Pronouns of a follow-up, and whom or what they may mean."""

from collections.abc import Sequence
from dataclasses import dataclass

from citewire.rag.conversation.ellipsis import about, asks_for_subject, opening_of
from citewire.rag.conversation.lexicon import AUXILIARIES, BE, FUNCTION_WORDS, PREPOSITIONS
from citewire.rag.conversation.mentions import Mention, find_mentions
from citewire.rag.conversation.phrases import Kind
from citewire.rag.conversation.tokens import Token, tokenize

MALE = frozenset("he him his himself".split())
FEMALE = frozenset("she her hers herself".split())
PLURAL = frozenset("they them their theirs themselves".split())
NEUTER = frozenset("it its itself".split())
POSSESSIVES = frozenset("his its their hers theirs".split())
EXPLETIVE_AFTER = frozenset("take true possible rain snow likely called".split())
# What an event does: an "it" before them means all that was told.
EVENT_VERBS = frozenset("take last happen occur begin end start stop cost".split())
# How far back a person may have been named.
EXCHANGES_READ = 3

# What one exchange mentions: its answer, its question's phrases, and the question.
Heard = tuple[Mention | None, Sequence[Mention], str]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The question with its pronouns replaced; `leans` where one could not be and needs context."""

    question: str
    leans: bool = False
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A pronoun that may mean several, or nobody that was named."""

    ask_back: str
    candidates: tuple[str, ...] = ()


def resolve(question: str, heard: Sequence[Heard]) -> Resolved | Ambiguous | None:
    """Replace the pronouns that point out of the question; None where there is none.

    `heard` are the earlier exchanges, the latest first.
    """
    free = free_pronouns(question)
    if not free:
        return None
    person = next((token for token in free if token.word in MALE | FEMALE), None)
    if person is not None:
        return resolve_person(question, person, heard)
    group = next((token for token in free if token.word in PLURAL), None)
    pointing = group or free[0]
    if not heard:
        vague = group is not None
        return Ambiguous(f"Whom do you mean by “{pointing.text}”?") if vague else None
    fits = things_for(pointing, heard[0])
    behind = {token.word for token in tokenize(question) if token.start > pointing.start}
    if len(fits) == 1 and not behind & EVENT_VERBS and fits[0].certain and len(free) == 1:
        return Resolved(replaced(question, pointing, fits[0].text))
    return Resolved(question, leans=True)


def free_pronouns(question: str) -> list[Token]:
    """Return the pronouns that nothing before them in the question can be meant by."""
    tokens = tokenize(question)
    mentions = find_mentions(question)
    opening = opening_of(tokens)
    asked = opening > 1 and asks_for_subject(tokens, opening)
    free = []
    for place, token in enumerate(tokens):
        word = token.word
        before = [mention for mention in mentions if mention.end <= token.start]
        following = tokens[place + 1].word if place + 1 < len(tokens) else ""
        if word in MALE | FEMALE:
            bound = any(mention.kind in (Kind.PERSON, Kind.NAME) for mention in before)
        elif word in PLURAL:
            bound = bool(before) or asked
        elif word in NEUTER:
            things = [each for each in before if each.kind not in (Kind.PERSON, Kind.TIME)]
            bound = bool(things) or asked or is_expletive(tokens, place)
        elif word == "there":
            previous = tokens[place - 1].word if place else ""
            bound = previous in BE or following in BE or not place or bool(before)
        else:
            continue
        if not bound:
            free.append(token)
    return free


def is_expletive(tokens: Sequence[Token], place: int) -> bool:
    """Say whether an "it" means nothing: "how long does it take to …"."""
    behind = [token.word for token in tokens[place + 1 : place + 4]]
    if behind[:1] == ["take"]:
        return len(behind) > 1 and behind[1] not in ("?",)
    return bool(set(behind[:2]) & (EXPLETIVE_AFTER - {"take"})) or behind[:1] == ["that"]


def resolve_person(question: str, pronoun: Token, heard: Sequence[Heard]) -> Resolved | Ambiguous:
    """Put a name in place of "he" or "she", or ask whom it means."""
    gender = "m" if pronoun.word in MALE else "f"
    for exchange in heard[:EXCHANGES_READ]:
        answered, _, earlier = exchange
        people = people_of(exchange, gender)
        if not people:
            described = description(earlier)
            if answered is None and described:
                return Resolved(replaced(question, pronoun, described))
            continue
        first, *others = people
        readings = [replaced(question, pronoun, person.text) for person in (first, *others)]
        stands_out = first is answered or all(other.preposition for other in others)
        if (others and not (stands_out and not first.preposition)) or first.plural:
            each = [name for person in (first, *others) for name in person.text.split(" and ")]
            choices = tuple(replaced(question, pronoun, name) for name in each)
            return Ambiguous(f"Whom do you mean by “{pronoun.text}”?", choices)
        left = [token for token in free_pronouns(readings[0]) if token.word in NEUTER | PLURAL]
        return Resolved(readings[0], bool(left), tuple(readings[1:]))
    return Ambiguous(f"Whom do you mean by “{pronoun.text}”? Name the person.")


def people_of(exchange: Heard, gender: str) -> list[Mention]:
    """Return whom an exchange names and the pronoun fits: the answer first, then in order."""
    answered, mentions, _ = exchange
    known = [mention for mention in mentions if fits_person(mention, gender)]
    sure = [mention for mention in known if mention.kind is Kind.PERSON and mention.certain]
    people = sure or known
    if answered is not None and answered.kind is Kind.PERSON and fits_person(answered, gender):
        people = [answered, *(each for each in people if not same_name(each, answered))]
    return people


def fits_person(mention: Mention, gender: str) -> bool:
    """Say whether a mention may be a person of this gender."""
    if mention.kind not in (Kind.PERSON, Kind.NAME):
        return False
    return mention.gender in ("", gender)


def same_name(one: Mention, other: Mention) -> bool:
    """Say whether two mentions name the same: "Blinken" and "Antony Blinken"."""
    return set(one.text.split()) <= set(other.text.split()) or set(other.text.split()) <= set(
        one.text.split()
    )


def description(earlier: str) -> str:
    """Return "the person who …" of a question that asked who did something and got no answer."""
    tokens = tokenize(earlier)
    if not tokens or tokens[0].word != "who" or opening_of(tokens) != 1:
        return ""
    told = earlier.rstrip("?. ")[tokens[0].end :].strip()
    return f"the person who {told}" if told and "(" not in told else about(earlier)


def things_for(pronoun: Token, exchange: Heard) -> list[Mention]:
    """Return what of an exchange a pronoun that means no person may mean."""
    answered, mentions, _ = exchange
    # An answer of where or when tells about what was asked, and is not what "it" means.
    about_it = answered is not None and (
        pronoun.word == "there" or answered.kind not in (Kind.PLACE, Kind.TIME)
    )
    heard = [*([answered] if answered and about_it else []), *mentions]
    if pronoun.word == "there":
        return [each for each in heard if each.kind is Kind.PLACE]
    if pronoun.word in PLURAL:
        return [each for each in heard if each.plural or each.kind is Kind.GROUP]
    kinds = (Kind.THING, Kind.GROUP, Kind.PLACE, Kind.NAME)
    return [each for each in heard if each.kind in kinds and not each.plural]


def replaced(question: str, pronoun: Token, name: str) -> str:
    """Return the question with the name in place of the pronoun, in the pronoun's case."""
    following = next((token for token in tokenize(question) if token.start >= pronoun.end), None)
    owns = pronoun.word in POSSESSIVES or (
        pronoun.word == "her"
        and following is not None
        and following.is_word
        and following.word not in FUNCTION_WORDS - AUXILIARIES
    )
    if pronoun.word == "there":
        name = f"in {name}" if name.split(maxsplit=1)[0].lower() not in PREPOSITIONS else name
    if owns:
        name += "'" if name.endswith("s") else "'s"
    return question[: pronoun.start] + name + question[pronoun.end :]
