"""The documents name what exists: modules, files, pages of the house, and each other."""

import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest

import explorer.analysis

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
HISTORY = ("CHANGELOG.md",)
"""What was may be named there."""
FOLDERS = ("explorer", "tests", "docs", "pretrained")


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def resolve(name: str) -> object:
    """Return the module or the module's attribute that a dotted name stands for."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute)
        return found
    raise ModuleNotFoundError(name)


@cache
def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_names_of_the_package_resolve(document):
    for name in set(re.findall(r"\bexplorer(?:\.(?!js\b)\w+)+", text_of(document))):
        assert resolve(name) is not None, name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(document):
    if document.name in HISTORY:
        pytest.skip("What was may be named there.")
    pattern = rf"\b(?:{'|'.join(FOLDERS)})/[\w/.-]*\w/?(?![\w<])"  # Not tests/test_<page>.py.
    named = set(re.findall(pattern, text_of(document)))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("folder", ["explorer", "tests"])
def test_documents_that_the_code_cites_are_in_the_repository(folder):
    known = {path.name for path in [*DOCUMENTS, *(ROOT / "tests").rglob("*.md")]}
    cited = {
        (path.name, name)
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"\b[\w-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert {name for _, name in cited} & known
    assert [pair for pair in sorted(cited) if pair[1] not in known] == []


def test_the_tour_has_every_module_of_the_analysis_and_no_other():
    rows = re.findall(
        r"^\| [^|]*(?:\\\|[^|]*)* \| (`[^|]+`) \|", text_of(ROOT / "docs/analysis.md"), re.M
    )
    named = {part.strip("` ") for cell in rows for part in cell.split(",")}
    below = pkgutil.walk_packages(explorer.analysis.__path__, "explorer.analysis.")
    modules = {
        module.name.removeprefix("explorer.analysis.") for module in below if not module.ispkg
    }
    assert named == modules - {"checks", "subject", "watch"}  # These are in its prose.


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_merge_was_left_half_done(document):
    assert re.findall(r"^(?:<{7}|>{7}) .*$", text_of(document), re.MULTILINE) == []
