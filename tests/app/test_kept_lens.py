"""The lens that ELBO opens on: a server that is new finds what another one has computed."""

import pytest

from explorer.app.bounded import KEPT
from explorer.app.cached import elbo
from explorer.app.observation import Observation, find_telling
from explorer.export.pictures import find_pictures
from explorer.library import Library
from tests.helpers import present


@pytest.fixture(scope="module")
def run():
    return Library().find("digits-2d")


@pytest.fixture
def pictures(run, tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path))
    return present(find_pictures(run, Library().images_of(run)))


def test_the_lens_of_an_image_to_open_on_is_kept(run, pictures):
    observation = Observation(run, pictures, next(iter(find_telling(run.id, pictures))))
    assert elbo.find_lens(observation) is None
    KEPT.drop_all()
    built = elbo.get_lens(observation)
    assert elbo.find_lens(observation) == built


def test_that_of_any_other_image_is_not(run, pictures):
    other = next(i for i in range(99) if i not in find_telling(run.id, pictures))
    elbo.get_lens(Observation(run, pictures, other))
    assert elbo.find_lens(Observation(run, pictures, other)) is None
