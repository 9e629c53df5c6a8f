"""The API pages: built from the docstrings, everything but the app and the command line."""

import html
import importlib
import inspect
import pkgutil
import re
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pdoc
import pytest

import explorer
from explorer.analysis.collapse.beta_of_weights import expected_survivors, implied_beta

ROOT = Path(__file__).resolve().parents[2]
FEW = (
    "explorer.codes",
    "explorer.analysis.collapse",
    "!explorer.analysis.collapse.",
    "explorer.analysis.collapse.linear",
    "explorer.jobs",
)
"""Modules that load quickly, at three depths; the last one has a module that is left out."""


@pytest.fixture(scope="module")
def build():
    module = ModuleType("build")
    SourceFileLoader("build", str(ROOT / "docs" / "build.py")).exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    """Pages of a few modules, by their path below the site."""
    folder = tmp_path_factory.mktemp("site")
    left_out = [f"!{name}" for name in build.LEFT_OUT]
    build.build(folder, [*FEW, *left_out])
    return folder


def words(text: str) -> str:
    """Return what is read of a page or a docstring: no tags, no marks, single spaces."""
    plain = html.unescape(re.sub(r"<[^>]+>", "", text))
    return " ".join(re.sub(r"[`*\\]", "", plain).split())


def first_words(documented: object) -> str:
    """Return what a docstring says first, which must be something."""
    found = words((inspect.getdoc(documented) or "").split("\n")[0])
    assert found, documented
    return found


def public_functions(name: str):
    module = importlib.import_module(name)
    for public, member in inspect.getmembers(module, inspect.isfunction):
        if member.__module__ == name and not public.startswith("_"):
            yield public, member


@pytest.mark.parametrize("name", ["explorer.codes", "explorer.analysis.collapse.linear"])
def test_a_page_says_what_each_function_says(site, name):
    page = words((site / f"{name.replace('.', '/')}.html").read_text(encoding="utf-8"))
    functions = dict(public_functions(name))
    assert len(functions) >= 2
    for public, function in functions.items():
        assert public in page
        assert first_words(function) in page, public
    assert first_words(importlib.import_module(name)) in page


def test_a_package_shows_what_it_loads_when_asked_alone(site):
    page = words((site / "explorer/analysis/collapse.html").read_text(encoding="utf-8"))
    for public in (expected_survivors, implied_beta):
        assert first_words(public) in page


def test_the_pages_are_of_what_was_asked_for(site):
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert {"explorer/jobs.html", "explorer/jobs/queue.html", "index.html"} <= pages
    assert "explorer/jobs/worker.html" not in pages


def test_every_module_outside_the_app_has_a_page(build):
    shown = set(pdoc.extract.walk_specs(build.module_specs()))
    every = {module.name for module in pkgutil.walk_packages(explorer.__path__, "explorer.")}
    left_out = {name for name in every if name.startswith(build.LEFT_OUT)}
    assert {"explorer.app.main", "explorer.cli", "explorer.jobs.worker"} <= left_out
    assert shown == every - left_out


@pytest.mark.slow
def test_all_pages_can_be_built(build, tmp_path):
    specs = build.module_specs()
    build.build(tmp_path, specs)
    for name in pdoc.extract.walk_specs(specs):
        assert (tmp_path / f"{name.replace('.', '/')}.html").is_file()
