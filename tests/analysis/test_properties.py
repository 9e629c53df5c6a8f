"""Extremes: every input gives a finite right answer or one clear error."""

import json
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch.distributions import Normal, kl_divergence

from explorer.analysis.collapse.diagnose import diagnose, diagnose_codes
from explorer.analysis.inference.likelihood import estimate_log_px, summarise_weights
from explorer.analysis.representation.information import decompose_rate
from explorer.errors import ExplorerError
from explorer.models.likelihoods.bernoulli import sum_softplus
from explorer.models.priors import gaussian_kl
from tests.analysis import oracles

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6)


@given(st.data(), SHAPES)
def test_codes_of_any_kind(data, shape):
    mean = data.draw(arrays.arrays(np.float64, shape, elements=ANY))
    logvar = data.draw(arrays.arrays(np.float64, shape, elements=ANY))
    try:
        with warnings.catch_warnings():
            # That random numbers are hardly log-variances is told as it should be.
            warnings.simplefilter("ignore", UserWarning)
            diagnosis = diagnose_codes(mean, logvar)
    except ExplorerError:
        return
    json.dumps(diagnosis.to_dict(), allow_nan=False)
    information = diagnosis.information
    assert math.isfinite(information.rate) and information.rate >= 0
    assert math.isfinite(information.mutual_information)
    assert information.mutual_information <= information.ceiling + 1e-6 + 5 * max(
        information.mutual_information_error, 1e-3
    )


@given(st.data(), SHAPES)
def test_extreme_but_legal_codes(data, shape):
    mean = data.draw(arrays.arrays(np.float64, shape, elements=st.floats(-1e6, 1e6)))
    logvar = data.draw(arrays.arrays(np.float64, shape, elements=st.floats(-60, 60)))
    information = decompose_rate(mean, logvar)
    q = Normal(torch.from_numpy(mean), torch.from_numpy(np.exp(0.5 * logvar)))
    exact = float(kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean())
    assert information.rate == pytest.approx(exact, rel=1e-6, abs=1e-9)
    for value in (information.mutual_information, information.marginal_kl):
        assert math.isfinite(value)


@given(arrays.arrays(np.float32, (3, 5), elements=st.floats(-20, 20, width=32)))
def test_kl_is_never_negative_in_fp32(logvar):
    kl = gaussian_kl(torch.zeros(3, 5), torch.from_numpy(logvar))
    assert (kl >= -1e-6).all()
    assert torch.isfinite(kl).all()


@given(arrays.arrays(np.float32, (2, 784), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_logits_of_any_size(logits):
    found = sum_softplus(torch.from_numpy(logits)).double().numpy()
    expected = np.logaddexp(0, logits.astype(np.float64)).sum(1)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-3)


@given(arrays.arrays(np.float64, (2, 120), elements=st.floats(-1e6, 1e6)))
def test_weights_of_any_size(log_weights):
    log_mean, error, ess, _, elbo = summarise_weights(log_weights)
    assert np.isfinite(log_mean).all() and np.isfinite(error).all()
    assert ((ess >= 1 - 1e-9) & (ess <= 120 + 1e-9)).all()
    assert (log_mean >= elbo - 1e-6 * np.abs(elbo) - 1e-9).all()


@given(
    st.sampled_from([0.0, 1.0, 0.5, math.nan, math.inf]),
    st.integers(0, 3),
    st.floats(-50, 50),
)
def test_models_with_extreme_weights_and_constant_images(value, count, bias):
    model = oracles.small_bernoulli()
    with torch.no_grad():
        model.decoder[-2].bias.fill_(bias)
        model.encoder[-1].bias.fill_(bias)
    x = torch.full((count, 1, 8, 8), value)
    if not count or not math.isfinite(value):
        with pytest.raises(ExplorerError):
            estimate_log_px(model, x, 4)
        with pytest.raises(ExplorerError):
            diagnose(model, x, causes=False)
        return
    result = estimate_log_px(model, x, 4)
    assert np.isfinite(result.log_px).all() and np.isfinite(result.standard_error).all()
    json.dumps(result.to_dict(), allow_nan=False)
    json.dumps(diagnose(model, x, causes=False).to_dict(), allow_nan=False)


def test_constant_images_with_causes():
    model = oracles.small_bernoulli()
    json.dumps(diagnose(model, torch.zeros(50, 1, 8, 8)).to_dict(), allow_nan=False)


@given(st.integers(1, 3), st.sampled_from([(0, 2), (2, 0), (3,), (2, 2, 2)]))
def test_codes_of_wrong_shape_are_one_clear_error(columns, shape):
    with pytest.raises(ExplorerError):
        diagnose_codes(np.zeros(shape), np.zeros((columns, 7)))
