"""The self-test passes what was trained on its images, and tells what was not."""

import copy
import json

import numpy as np
import pytest
import torch
from torch import nn

from explorer.analysis.collapse.self_test import FACTORS, self_test
from explorer.analysis.subject import Subject
from explorer.datasets import load_dataset
from explorer.runs.store import open_run


@pytest.fixture(scope="module")
def digits():
    return open_run("digits-2d").model, np.asarray(load_dataset("digits").split("test").images)


@pytest.fixture(scope="module")
def strokes():
    images = load_dataset("strokes").split("test").images[:300]
    return open_run("strokes-10d").model, np.asarray(images)


class Wrapped(nn.Module):
    """An encoder with something done to what it takes or gives."""

    def __init__(self, encoder, change):
        super().__init__()
        self.encoder, self.change = encoder, change

    def forward(self, x):
        return self.change(self.encoder(x))


def with_encoder(model, change):
    model = copy.deepcopy(model)
    model.encoder = Wrapped(model.encoder, change)
    return model


def raw(logvar):
    """Return what the model's smooth bound turns into a log-variance."""
    return 20 * torch.atanh(logvar / 20)


def test_what_was_trained_on_its_images_passes(digits, strokes):
    for model, images in (digits, strokes):
        found = self_test(Subject(model, images))
        assert found.passed and found.findings == () and not found.quiet
        assert found.explained > 0.3 > 0 > found.explained_by_others
        assert found.best_factor == 1 and found.implied.beta == pytest.approx(1, rel=0.2)
        assert np.abs(found.aggregate_mean).max() < 0.5
        np.testing.assert_allclose(found.aggregate_variance, 1, atol=0.3)


def test_the_explained_share_is_that_of_the_pictures(digits):
    model, images = digits
    subject = Subject(model, images[:256])
    x, mean = subject.x.flatten(1), subject.posterior[0]
    shown = model.decode(mean).mean.flatten(1)
    expected = 1 - float((x - shown).square().sum() / (x - x.mean(0)).square().sum())
    assert self_test(subject).explained == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("make", ["uniform", "grey", "inverted", "shuffled"])
def test_a_model_fed_with_noise_is_told_and_not_called_healthy(strokes, make):
    model, images = strokes
    rng = np.random.default_rng(0)
    strange = {
        "uniform": rng.integers(0, 256, images.shape, dtype=np.uint8),
        "grey": np.clip(rng.normal(128, 40, images.shape), 0, 255).astype(np.uint8),
        "inverted": 255 - images,
        "shuffled": rng.permuted(images.reshape(len(images), -1), axis=1).reshape(images.shape),
    }[make]
    found = self_test(Subject(model, strange))
    assert {"unexplained", "aggregate"} & set(found.findings) and not found.passed


def test_nan_is_told_without_a_crash(digits):
    model, images = digits
    broken = with_encoder(model, lambda code: code * float("nan"))
    found = self_test(Subject(broken, images))
    assert found.findings == ("nan",)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["explained"] is None


def test_an_encoder_that_draws_anew_is_unsteady(digits):
    model, images = digits
    shaky = with_encoder(model, lambda code: code + 0.1 * torch.randn_like(code))
    assert "unsteady" in self_test(Subject(shaky, images)).findings


def test_an_encoder_that_looks_at_its_batch_is_told(digits):
    model, images = digits
    mixed = with_encoder(model, lambda code: code - 0.5 * code.mean(0))
    found = self_test(Subject(mixed, images)).findings
    assert "batch" in found and "unsteady" not in found


def test_another_images_codes_explain_nothing_of_ones_own(digits):
    model, images = digits
    exchanged = with_encoder(model, lambda code: code.roll(7, 0))
    assert "unexplained" in self_test(Subject(exchanged, images)).findings


def test_a_quiet_model_must_do_as_well_as_the_mean_picture(digits):
    model, images = digits
    silent = with_encoder(model, lambda code: 0 * code)
    # One picture for all: the images' own mean explains nothing, their negatives' less than that.
    found = self_test(Subject(silent, 255 - images))
    assert found.quiet and found.explained < -0.1 and "worse" in found.findings
    patient = open_run("digits-collapsed").model
    found = self_test(Subject(patient, images))
    assert found.quiet and "worse" not in found.findings


@pytest.mark.parametrize("factor", [1 / 16, 16])
def test_a_wrong_spread_is_told_where_the_beta_is_known(strokes, factor):
    """σ² sixteen times too small or too large: the objective prefers four times σ, or a quarter."""
    model, images = strokes

    def change(code):
        mean, logvar = code.chunk(2, 1)
        return torch.cat([mean, raw(20 * torch.tanh(logvar / 20) + float(np.log(factor)))], 1)

    found = self_test(Subject(with_encoder(model, change), images), beta=1.0)
    assert "spread" in found.findings or "aggregate" in found.findings
    assert found.best_factor == pytest.approx(factor**-0.5)
    assert found.objective_at[FACTORS.index(found.best_factor)] == found.objective_at.max()


def test_log_variances_beyond_belief_are_told(digits):
    model, images = digits

    def change(code):
        mean, logvar = code.chunk(2, 1)
        return torch.cat([mean, logvar.abs() + 6], 1)

    assert "range" in self_test(Subject(with_encoder(model, change), images)).findings


def test_a_sleeping_model_is_quiet_and_not_accused(digits):
    model, images = digits
    asleep = with_encoder(model, lambda code: 0 * code)
    found = self_test(Subject(asleep, images))
    assert found.quiet and found.kl == pytest.approx(0, abs=1e-6) and found.passed
    assert found.implied.reason == "asleep"
