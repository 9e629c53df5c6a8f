"""The README tells the truth: its file map and model table are what the files say."""

import re

from tests.readme import README, ROOT, filled, first_line


def test_the_made_parts_are_up_to_date():
    text = README.read_text(encoding="utf-8")
    assert text == filled(text), "run `python -m tests.readme`"


def test_nothing_is_left_to_be_filled_in():
    assert not re.search(r"^[A-Z_]{5,}$", README.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_file_says_what_it_is_for():
    for path in [*(ROOT / "explorer").rglob("*.py"), *(ROOT / "explorer").rglob("*.js")]:
        line = first_line(path)
        limit = 110 if path.suffix == ".py" else 210
        assert 12 < len(line) <= limit, f"{path}: {line!r}"


def test_its_pictures_exist():
    for name in re.findall(r"!\[.*?\]\((.*?)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / name).is_file(), name


def test_every_command_is_documented():
    from explorer.cli import build_parser

    (commands,) = (action for action in build_parser()._actions if action.choices)
    text = README.read_text(encoding="utf-8")
    for name in commands.choices:
        assert f"latent-explorer {name}" in text, f"README does not show `latent-explorer {name}`"
