"""The examples of this room run, and every public name says what it does."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import explorer.analysis.loss

MODULES = sorted(module.name for module in pkgutil.iter_modules(explorer.analysis.loss.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples_and_documentation(name):
    module = importlib.import_module(f"explorer.analysis.loss.{name}")
    assert module.__doc__ and doctest.testmod(module).failed == 0
    for public, member in vars(module).items():
        ours = getattr(member, "__module__", None) == module.__name__
        if ours and not public.startswith("_") and inspect.isfunction(member):
            assert inspect.getdoc(member), public
