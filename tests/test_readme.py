"""The README is short and true, and so is the house: its made parts are what the files say."""

import re

import pytest

from tests.readme import (
    ARCHITECTURE,
    MADE,
    PACKAGE,
    README,
    ROOT,
    SCRIPTS,
    filled,
    first_line,
    rooms,
)

FIRST_SIGHT = 200
"""Lines that a visitor is asked to read."""


@pytest.mark.parametrize("document", MADE, ids=lambda path: path.name)
def test_the_made_parts_are_up_to_date(document):
    assert document.read_text(encoding="utf-8") == filled(document), "run `python -m tests.readme`"


def test_the_readme_is_what_a_visitor_needs():
    assert len(README.read_text(encoding="utf-8").splitlines()) < FIRST_SIGHT


def test_nothing_is_left_to_be_filled_in():
    for document in MADE:
        assert not re.search(r"^[A-Z_]{5,}$", document.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_file_says_what_it_is_for():
    for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")]:
        line = first_line(path)
        limit = 110 if path.suffix == ".py" else 210
        assert 12 < len(line) <= limit, f"{path}: {line!r}"


def test_every_room_says_what_it_is_for():
    scripts = {room for room in rooms() if not (room / "__init__.py").is_file()}
    assert {room.relative_to(PACKAGE / "browser").as_posix() for room in scripts} == set(SCRIPTS)


def test_the_file_map_has_every_module():
    text = ARCHITECTURE.read_text(encoding="utf-8")
    for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")]:
        if path.name != "__init__.py" and "_shipped" not in path.parts:
            assert f"- `{path.name}` {first_line(path)}\n" in text, path


def test_every_room_has_its_paragraph_and_its_rule():
    text = ARCHITECTURE.read_text(encoding="utf-8")
    told = text[text.index("## The rooms") : text.index("## The contracts")]
    paragraphs = [part for part in told.split("\n\n") if part.startswith("**`")]
    assert all(re.search(r"\bRule:\s", part) for part in paragraphs)
    heads = {
        name for part in paragraphs for name in re.findall(r"`([\w.]+)/?`", part.split("**")[1])
    }
    top = {room.relative_to(PACKAGE).parts[0] for room in rooms() if room != PACKAGE}
    files = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert heads == top | files


def test_its_pictures_exist():
    names = re.findall(r"!\[.*?\]\((.*?)\)", README.read_text(encoding="utf-8"))
    assert len(names) >= 2
    for name in names:
        assert (ROOT / name).is_file(), name


def test_every_picture_is_shown():
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    text = "".join(path.read_text(encoding="utf-8") for path in documents)
    for path in (ROOT / "docs" / "images").iterdir():
        assert f"images/{path.name})" in text, path.name


def test_every_command_is_documented():
    from explorer.cli import build_parser

    (commands,) = (action for action in build_parser()._actions if action.choices)
    text = README.read_text(encoding="utf-8")
    for name in commands.choices or ():
        assert f"latent-explorer {name}" in text, f"README does not show `latent-explorer {name}`"
