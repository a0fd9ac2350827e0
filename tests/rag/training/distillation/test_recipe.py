"""Recipes are read from files and check themselves."""

from pathlib import Path

import pytest

from citewire.rag.training import distill
from citewire.rag.training.distillation.recipe import read_recipe

RECIPES = sorted(Path(distill.__file__).parent.glob("distillation/recipes/*.toml"))


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_shipped_recipes_can_be_read(file: Path) -> None:
    assert read_recipe(file).sources
