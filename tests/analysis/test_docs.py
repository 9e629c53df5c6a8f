"""The examples in the docstrings run, and every public name says what it does."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import explorer.analysis

DOCS = Path(__file__).resolve().parents[2] / "docs"
MODULES = sorted(module.name for module in pkgutil.iter_modules(explorer.analysis.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"explorer.analysis.{name}")
    assert module.__doc__
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_are_documented(name):
    module = importlib.import_module(f"explorer.analysis.{name}")
    for public, member in vars(module).items():
        ours = getattr(member, "__module__", None) == module.__name__
        if ours and not public.startswith("_") and inspect.isfunction(member):
            assert inspect.getdoc(member), public


def test_guide_names_modules_that_exist():
    named = set(
        re.findall(r"^\|[^|]+\| (`[^|]+`) \|", (DOCS / "analysis.md").read_text("utf-8"), re.M)
    )
    modules = {part.strip("` ") for cell in named for part in cell.split(",")}
    assert modules
    assert modules <= set(MODULES)


def test_every_module_has_an_api_page(tmp_path):
    pytest.importorskip("pdoc", reason="The API pages need pdoc: pip install pdoc.")
    spec = importlib.util.spec_from_file_location("build", DOCS / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    specs = build.module_specs()
    assert "explorer.analysis" in specs
    assert "explorer.app" not in specs
    assert "!explorer.app" in specs
