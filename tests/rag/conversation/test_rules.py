"""Every rule of every table decides its own example, and gives the result that it promises."""

import doctest
import importlib
import pkgutil
from types import ModuleType
from typing import Any

import pytest

from citewire.rag import conversation
from citewire.rag.conversation.rewriting import rewrite
from citewire.rag.conversation.rules import Example, Rule, Table, otherwise
from citewire.rag.conversation.types import FollowUp, show_outcome

MODULES = [
    importlib.import_module(f"{conversation.__name__}.{module.name}")
    for module in pkgutil.iter_modules(conversation.__path__)
]
FOUND = [value for module in MODULES for value in vars(module).values() if isinstance(value, Table)]
TABLES: dict[str, Table[Any, Any]] = {table.name: table for table in FOUND}
ROWS = [
    pytest.param(table, rule, id=f"{table.name}: {rule.name}")
    for table in TABLES.values()
    for rule in table.rules
]
# The rows whose results are whole rewrites: no earlier table may take their examples.
REWRITES = [row for row in ROWS if row.values[0].show is show_outcome]

EVEN = Rule("even", lambda number: number % 2 == 0, lambda _: "even", Example("2", "even"))
FOUR = Rule("four", lambda number: number == 4, lambda _: "four", Example("4", "four"))
NUMBERS: Table[int, str] = Table("numbers", int, str, (EVEN, FOUR))


def test_all_tables_are_found() -> None:
    assert len(TABLES) == len({id(table) for table in FOUND}) == 11


@pytest.mark.parametrize(("table", "rule"), ROWS)
def test_rule_decides_its_example(table: Table[Any, Any], rule: Rule[Any, Any]) -> None:
    subject = table.parse(rule.example.given)

    assert subject is not None
    assert table.find(subject) is rule
    assert table.show(table.decide(subject)) == rule.example.result


@pytest.mark.parametrize(("table", "rule"), REWRITES)
def test_example_of_a_whole_rewrite_passes_the_other_tables(
    table: Table[Any, Any], rule: Rule[Any, Any]
) -> None:
    follow_up = FollowUp.from_dialogue(rule.example.given)

    assert show_outcome(rewrite(follow_up.text, follow_up.turns)) == rule.example.result


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_only_the_last_rule_of_a_table_applies_always(table: Table[Any, Any]) -> None:
    *others, last = table.rules

    assert last.when is otherwise
    assert otherwise not in [rule.when for rule in others]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_rules_of_a_table_have_different_names(table: Table[Any, Any]) -> None:
    assert len({rule.name for rule in table.rules}) == len(table.rules)


def test_first_rule_that_holds_decides() -> None:
    assert NUMBERS.decide(4) == "even"


def test_rule_behind_one_that_takes_its_example_is_hidden() -> None:
    assert NUMBERS.find(int(FOUR.example.given)) is not FOUR


def test_table_without_a_rule_that_holds_says_which_table_it_is() -> None:
    with pytest.raises(LookupError, match=r"^numbers: no rule applies"):
        NUMBERS.decide(3)
