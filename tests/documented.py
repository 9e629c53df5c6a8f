"""What documentation is held to: examples run, and public functions say what they do."""

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType


def modules_of(room: ModuleType) -> list[str]:
    """Return the full names of a room's own modules."""
    return sorted(
        f"{room.__name__}.{module.name}" for module in pkgutil.iter_modules(room.__path__)
    )


def run_examples(name: str) -> None:
    """Run the examples in the docstrings of the module `name`."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def find_documentation(name: str) -> None:
    """Find that the module `name` and each of its public functions say what they do."""
    module = importlib.import_module(name)
    assert module.__doc__
    for public, member in vars(module).items():
        ours = getattr(member, "__module__", None) == name
        if ours and not public.startswith("_") and inspect.isfunction(member):
            assert inspect.getdoc(member), public
