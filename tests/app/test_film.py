"""The pictures that a film shows are those of its run, and of no other images."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.app.cached.film import get_inputs
from explorer.elbo.encoding import encode_images
from explorer.runs.store import open_run
from tests.helpers import present

HALF_A_GREY_AND_ROUNDED_WEIGHTS = 1.0


def last_frame(run):
    return run.snapshot(run.snapshot_steps()[-1])


@pytest.mark.parametrize("name", ["digits-2d", "digits-cured"])
def test_x_beside_a_shipped_x_hat_is_what_the_model_makes_it_of(name):
    run = open_run(name)
    frame = last_frame(run)
    assert frame.inputs is None
    x = present(get_inputs(run, frame))
    mean, _ = encode_images(run.model, x)
    with torch.no_grad():
        made = run.model.decode(torch.from_numpy(mean)).mean.clamp(0, 1).numpy() * 255
    shown = present(frame.reconstructions)
    assert np.abs(made - shown).max() < HALF_A_GREY_AND_ROUNDED_WEIGHTS
    assert np.abs(made[::-1] - shown).max() > 50


def test_a_film_that_holds_its_images_keeps_them_and_others_get_none():
    run = open_run("strokes-vae-2d")
    frame = last_frame(run)
    assert get_inputs(run, frame) is frame.inputs is not None
    run = open_run("digits-2d")
    frame = last_frame(run)
    other = dataclasses.replace(frame, labels=present(frame.labels)[::-1])
    assert get_inputs(run, other) is None, "these are codes of other images"
