"""The examples in the docstrings of this room run."""

import doctest
import importlib
import pkgutil

import pytest

import explorer.datasets.own

MODULES = sorted(module.name for module in pkgutil.iter_modules(explorer.datasets.own.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"explorer.datasets.own.{name}")
    assert doctest.testmod(module).failed == 0
