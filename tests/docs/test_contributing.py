"""CONTRIBUTING.md is true: its commands exist, and an entry of a registry has all that it says."""

import re
from pathlib import Path

import pytest

from explorer.text import LANGUAGES, catalogue
from explorer.training.remedies import REMEDIES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def recipe(target: str) -> list[str]:
    """Return the lines of a target in the Makefile."""
    (block,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)
    return [line.strip() for line in block.splitlines()]


def test_a_commit_runs_what_make_check_runs():
    hooks = re.findall(r"^ +entry: (.*)$", read(".pre-commit-config.yaml"), re.MULTILINE)
    assert hooks == [line.replace("$(BIN)", ".venv/bin") for line in recipe("check")]
    assert len(hooks) >= 4


def test_hooks_are_local_and_need_no_network():
    text = read(".pre-commit-config.yaml")
    assert re.findall(r"repo: (.*)", text) == ["local"]
    assert set(re.findall(r"language: (.*)", text)) == {"system"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_that_are_named_exist(document):
    targets = set(re.findall(r"^([a-z][\w-]*):", read("Makefile"), re.MULTILINE))
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^ {4})make ([a-z][\w-]*)", text, re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_that_are_named_exist(document):
    from explorer.cli import build_parser

    (commands,) = (action for action in build_parser()._actions if action.choices)
    named = re.findall(r"(?:`|^ {4,})latent-explorer ([a-z]+)", document.read_text("utf-8"), re.M)
    assert set(named) <= set(commands.choices or ())


def test_names_that_are_said_to_stand_in_a_file_do():
    said = re.findall(r"`(\w+)`\s\((?:both in )?`(explorer/[\w./]+)`", read("CONTRIBUTING.md"))
    assert len(said) >= 8
    for name, path in said:
        assert re.search(rf"^(?:def |class )?{name}\b", read(path), re.MULTILINE), f"{path}: {name}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_remedy_has_its_words(language):
    known = catalogue(language)
    for name in REMEDIES:
        assert f"collapse.remedy.{name}" in known


def test_every_page_is_in_the_readme_and_known_to_the_guide():
    from explorer.app.parts.guide import GUIDE

    keys = re.findall(r'st\.Page\(.*text\("nav\.(\w+)"\)', read("explorer/app/main.py"))
    assert len(keys) >= 8
    assert set(keys) == {*GUIDE}
    table = read("README.md").split("## The pages")[1].split("##")[0]
    rows = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]
    assert rows == [catalogue("en")[f"nav.{key}"] for key in keys]
