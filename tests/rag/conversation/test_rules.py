"""Every rule of every table gives its example's result, and no earlier rule takes its example."""

import importlib
import pkgutil
from typing import Any

import pytest

from citewire.rag import conversation
from citewire.rag.conversation.rules import Rule, Table, otherwise

MODULES = [
    importlib.import_module(f"{conversation.__name__}.{module.name}")
    for module in pkgutil.iter_modules(conversation.__path__)
]
TABLES = {
    id(value): value
    for module in MODULES
    for value in vars(module).values()
    if isinstance(value, Table)
}.values()
ROWS = [
    pytest.param(table, rule, id=f"{table.name}: {rule.name}")
    for table in TABLES
    for rule in table.rules
]


@pytest.mark.parametrize(("table", "rule"), ROWS)
def test_rule_decides_its_example(table: Table[Any, Any], rule: Rule[Any, Any]) -> None:
    subject = table.parse(rule.example.given)

    assert subject is not None
    assert table.find(subject).name == rule.name
    assert table.show(table.decide(subject)) == rule.example.result


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_table_has_a_rule_for_everything(table: Table[Any, Any]) -> None:
    assert table.rules[-1].when is otherwise
    assert otherwise not in [rule.when for rule in table.rules[:-1]]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_names_of_a_table_differ(table: Table[Any, Any]) -> None:
    assert len({rule.name for rule in table.rules}) == len(table.rules)
