"""Which models have a map, and what a server hands out before anybody has opened a page."""

import shutil

import pytest

from explorer.app.bounded import KEPT
from explorer.app.cached import get_payload
from explorer.app.maps import FAVOURITE, find_first_payload, list_models
from explorer.library import Library


@pytest.fixture
def payload(tmp_path, monkeypatch):
    """Return the payload of digits-2d as a server has built it that is over now."""
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path / "cache"))
    KEPT.drop_all()
    built = get_payload(Library().find("digits-2d"))
    KEPT.drop_all()
    return built


def test_the_menu_begins_with_the_favourite_and_ends_with_ones_own(runs):
    models = list_models()
    assert next(iter(models)) == FAVOURITE
    assert list(models)[-1] == "good" and models["good"][1] == "group_own"
    assert not {"mnist-vq", "strokes-vq"} & models.keys(), "their codes are no places"
    assert {"mnist-2d", "strokes-mixture-2d"} <= models.keys()


def test_what_a_former_server_built_is_found_under_its_address(payload):
    assert find_first_payload("digits-2d", "en") == payload


def test_what_nobody_has_built_yet_is_not_built_for_it(payload, monkeypatch):
    monkeypatch.setattr("explorer.app.cached.build_payload", None)
    assert find_first_payload("digits-2d", "zh-Hans") is None, "in another language"
    assert find_first_payload("", "en") is None, "the favourite was not opened"
    assert find_first_payload("no-such-model", "en") is None


def test_an_own_model_of_a_shipped_ones_name_is_none_of_it(payload, runs, tiny_run):
    shutil.copytree(tiny_run.path, runs / "digits-2d")
    assert find_first_payload("digits-2d", "en") is None


def test_a_server_with_visitors_waits_for_who_they_are(payload, monkeypatch):
    monkeypatch.setattr("explorer.app.maps.get_house", object)
    assert find_first_payload("digits-2d", "en") is None
