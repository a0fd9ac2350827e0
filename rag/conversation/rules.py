"""Decision tables: rules in order, of which the first whose condition holds decides.

Every rule carries an example; a test runs each through its table, so that a rule without a
right example, or one that an earlier rule hides, fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Subject = TypeVar("Subject")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Example:
    """A text, and the result that the rule must give for it, as its table writes results."""

    given: str
    result: str


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject, Result]):
    """A row: its name, the condition `when` it applies, its rewrite `then`, and an example."""

    name: str
    when: Callable[[Subject], bool]
    then: Callable[[Subject], Result]
    example: Example


@dataclass(frozen=True, slots=True)
class Table(Generic[Subject, Result]):
    """Rules in order; the last one always applies.

    `parse` reads an example's text, None for one that the table is not about, and `show` writes
    a result.
    """

    name: str
    parse: Callable[[str], Subject | None]
    show: Callable[[Result], str]
    rules: tuple[Rule[Subject, Result], ...]

    def find(self, subject: Subject) -> Rule[Subject, Result]:
        """Return the first rule whose condition holds.

        Raises:
            LookupError: No rule applies, because the table does not end with `otherwise`.
        """
        for rule in self.rules:
            if rule.when(subject):
                return rule
        raise LookupError(f"{self.name}: no rule applies; end the table with `otherwise`")

    def decide(self, subject: Subject) -> Result:
        """Return the result of the first rule whose condition holds."""
        return self.find(subject).then(subject)


def otherwise(_: object) -> bool:
    """Hold always: the condition of a table's last rule."""
    return True
