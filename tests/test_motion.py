"""What changes its state takes 200 to 400 ms, and stands still for those who ask for that."""

import re
from pathlib import Path

import pytest

BROWSER = Path(__file__).parents[1] / "explorer" / "browser"
TRANSITION = re.compile(r"transition:([^;}]*)")
SECONDS = re.compile(r"(?<![\w.])(\d*\.?\d+)(ms|s)\b")
ANIMATION = re.compile(r"animation:([^;}]*)")
GLIDE = re.compile(r"^const (?:MOVE|GLIDE|SETTLE_MS) = (\d+);", re.MULTILINE)


def _moving(ending, pattern):
    texts = {path: path.read_text(encoding="utf-8") for path in BROWSER.rglob(f"*.{ending}")}
    return {path: text for path, text in texts.items() if pattern.search(text)}


def _milliseconds(number, unit):
    return float(number) * (1 if unit == "ms" else 1000)


SHEETS = _moving("css", TRANSITION)
MODULES = _moving("js", GLIDE)


def test_sheets_and_modules_that_move_were_found():
    assert {path.parent.name for path in SHEETS} >= {"film", "guide", "map", "page"}
    assert {path.parent.name for path in MODULES} >= {"film", "lab", "shared"}


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.parent.name)
def test_a_transition_takes_its_time_and_may_be_declined(path):
    lengths = [
        _milliseconds(*length)
        for declared in TRANSITION.findall(SHEETS[path])
        for length in SECONDS.findall(declared)
    ]
    assert lengths and all(200 <= length <= 400 for length in lengths)
    assert "prefers-reduced-motion: reduce" in SHEETS[path]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.parent.name)
def test_a_glide_takes_its_time_and_may_be_declined(path):
    assert all(200 <= int(length) <= 400 for length in GLIDE.findall(MODULES[path]))
    assert "prefers-reduced-motion: reduce" in MODULES[path]


def test_what_waits_changes_in_steps_not_sixty_times_a_second():
    animations = [
        declared
        for text in _moving("css", ANIMATION).values()
        for declared in ANIMATION.findall(text)
        if "infinite" in declared
    ]
    assert animations and all("steps(" in declared for declared in animations)
