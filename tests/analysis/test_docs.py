"""The examples in the docstrings run, and every module has a page in the documentation."""

import doctest
import importlib
import pkgutil

import pytest

import explorer.analysis

MODULES = sorted(module.name for module in pkgutil.iter_modules(explorer.analysis.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"explorer.analysis.{name}")
    assert module.__doc__
    assert doctest.testmod(module).failed == 0
