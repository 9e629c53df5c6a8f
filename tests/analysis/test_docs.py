"""The examples in the docstrings run, and every public name says what it does."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import explorer.analysis

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(explorer.analysis.__path__, "explorer.analysis.")
)
EXAMPLES = {name: doctest.DocTestFinder().find(importlib.import_module(name)) for name in MODULES}


def public_members(name):
    """Yield the functions and classes that a module defines, and the methods of the latter."""
    for public, member in vars(importlib.import_module(name)).items():
        ours = getattr(member, "__module__", None) == name and not public.startswith("_")
        if ours and (inspect.isfunction(member) or inspect.isclass(member)):
            yield public, member
            for inner, method in vars(member).items() if inspect.isclass(member) else ():
                if not inner.startswith("_") and inspect.isroutine(method):
                    yield f"{public}.{inner}", method


def test_all_rooms_are_looked_at():
    rooms = {name.split(".")[2] for name in MODULES if name.count(".") == 3}
    assert {"inference", "collapse", "representation", "teaching"} <= rooms
    assert sum(len(example.examples) for found in EXAMPLES.values() for example in found) >= 20


@pytest.mark.parametrize(
    "name", [name for name, found in EXAMPLES.items() if any(item.examples for item in found)]
)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_documented(name):
    assert importlib.import_module(name).__doc__
    undocumented = [public for public, member in public_members(name) if not member.__doc__]
    assert undocumented == []
