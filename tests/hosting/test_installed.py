"""The wheel, installed by pip where nothing else is, is the whole app."""

import pytest

from tests.browser.explore_page import ExplorePage
from tests.release import LARGEST_WHEEL, Installed, build, steps_by_hand

pytestmark = [pytest.mark.integration, pytest.mark.browser]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))[1]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


def test_the_wheel_is_soon_there(wheel):
    assert wheel.stat().st_size <= LARGEST_WHEEL


def test_a_model_is_trained_and_diagnosed_by_it(installed):
    installed.run("train", "--dataset", "digits", "--seconds", "2", "--out", "first", "--json")
    assert (installed.home / "first" / "run.json").is_file()
    assert '"dimensions"' in installed.run("diagnose", "first", "--json")


def test_explore_opens(installed, page):
    server = installed.open_app()
    try:
        explore = ExplorePage(page, f"{server.url}/?model=mnist-2d")
        assert explore.errors == []
    finally:
        server.stop()


def test_what_is_left_to_be_done_by_hand_is_named():
    steps = steps_by_hand()
    assert steps[0].startswith("1. What is in it") and steps[-1].startswith("7. Out")
    assert not any(step.startswith("6.") for step in steps)
