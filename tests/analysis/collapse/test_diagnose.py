"""Verdicts and causes, on codes and models whose state is known by construction."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from explorer.analysis.collapse import causes, verdicts
from explorer.analysis.collapse.decoder_use import measure_decoder_use
from explorer.analysis.collapse.diagnose import (
    diagnose,
    diagnose_codes,
    diagnose_run,
)
from explorer.analysis.collapse.linear import covariance_eigenvalues, linear_optimum
from explorer.analysis.subject import Subject
from explorer.config import ModelConfig
from explorer.models import VAE
from tests.analysis import oracles
from tests.helpers import of_kind

CONTRACT = {
    "active_units",
    "effective_dimensions",
    "rate",
    "mutual_information",
    "total_correlation",
    "dimension_wise_kl",
    "dimensions",
}


def codes_of(kind, rng, count=3000):
    """Return mean and logvar (count,) of one dimension of a known kind."""
    zeros = np.zeros(count)
    if kind == "active":
        return rng.normal(0, 0.9**0.5, count), zeros + np.log(0.1)
    if kind == "weak":
        return rng.normal(0, 0.2**0.5, count), zeros + np.log(0.8)
    if kind == "collapsed":
        return rng.normal(0, 1e-3, count), zeros + 1e-4
    if kind == "empty":  # pays KL by an offset and a narrow q, the same for every image
        return zeros + 0.5, zeros + np.log(0.5)
    used = rng.random(count) < 0.4
    return (
        np.where(used, rng.normal(0, 1.5, count), 0),
        np.where(used, np.log(0.05), 0.0),
    )


@pytest.mark.parametrize("kind", ["active", "weak", "collapsed", "empty", "mixed"])
def test_verdict_of_a_known_kind(kind):
    mean, logvar = codes_of(kind, np.random.default_rng(0))
    dimension = diagnose_codes(mean[:, None], logvar[:, None]).dimensions[0]
    assert dimension.verdict == kind
    assert dimension.confidence > 0.8
    assert dimension.reasons


def test_one_outlier_does_not_wake_a_dimension():
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 1e-3, (2000, 1))
    mean[0] = 3.0
    dimension = diagnose_codes(mean, np.zeros_like(mean)).dimensions[0]
    assert dimension.verdict == "collapsed"
    assert dimension.variable_type == "passive"


def test_one_image_is_uncertain():
    diagnosis = diagnose_codes([[0.3, 2.0]], [[-1.0, 0.0]])
    assert {d.verdict for d in diagnosis.dimensions} == {"uncertain"}
    assert all("too_few_images" in d.reasons for d in diagnosis.dimensions)
    json.dumps(diagnosis.to_dict(), allow_nan=False)


def test_a_threshold_hardly_counts():
    assert verdicts.vote(0.0101, 0.0, 0.01) == pytest.approx(0.5, abs=0.02)
    assert verdicts.vote(1.0, 5.0, 0.01) == pytest.approx(0.5, abs=0.1)


def test_linear_optimum_is_read_back(digits):
    """At the linear optimum every measure has its closed form."""
    model = oracles.linear_vae(4, sigma2=0.05)
    optimum = linear_optimum(covariance_eigenvalues(digits), 4, sigma2=0.05)
    diagnosis = diagnose(model, torch.from_numpy(digits))
    assert [d.kl for d in diagnosis.dimensions] == pytest.approx(optimum.kl_per_dim, abs=1e-9)
    assert [d.var_mean for d in diagnosis.dimensions] == pytest.approx(optimum.mean_variance)
    assert [d.total_variance for d in diagnosis.dimensions] == pytest.approx(np.ones(4))
    assert diagnosis.information.rate == pytest.approx(optimum.rate, abs=1e-9)
    assert diagnosis.state == "healthy"
    share = optimum.kl_per_dim / optimum.rate
    effective = np.exp(-(share * np.log(share)).sum())
    assert diagnosis.effective_dimensions == pytest.approx(effective)


def test_sensitivity_and_shuffle_of_a_linear_decoder(digits):
    model = oracles.linear_vae(2, sigma2=0.05)
    use = measure_decoder_use(Subject(model, torch.from_numpy(digits)))
    norms = model.decoder[0].weight.detach().norm(dim=0).numpy()
    assert use.sensitivity == pytest.approx(norms, rel=1e-6)  # the aggregated sd is 1
    # Exchanging z_i between two independent images costs 2·Var(μ_i)·‖w_i‖²/(2σ²) on average.
    variance = 1 - 0.05 / covariance_eigenvalues(digits)[:2]
    assert use.shuffle == pytest.approx(variance * norms**2 / 0.05, rel=0.1)
    assert use.spread == pytest.approx(4.693276**0.5, abs=1e-6)


def test_weak_beta_eight_model_is_not_called_fully_alive(digits):
    """Both thresholds say 3 of 3 active at β = 8, at a total rate below 0.7 nats."""
    optimum = linear_optimum(covariance_eigenvalues(digits), 3, beta=8, sigma2=0.05)
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(5000, 3)) * np.sqrt(optimum.mean_variance)
    logvar = np.repeat(np.log(optimum.posterior_variance)[None], 5000, 0)
    diagnosis = diagnose_codes(mean, logvar)
    assert diagnosis.active_units == 3
    assert {d.verdict for d in diagnosis.dimensions} == {"weak"}


def _break(model, *, silence=None, deafen=None):
    with torch.no_grad():
        if silence is not None:
            rows = [silence, silence + model.latent_dim]
            model.encoder[-1].weight[rows] = 0
            model.encoder[-1].bias[rows] = 0
        if deafen is not None:
            model.decoder[0].weight[:, deafen] = 0
    return model


def test_cause_encoder_lags(digits):
    model = _break(oracles.linear_vae(4, sigma2=0.05), silence=1)
    dimension = diagnose(model, torch.from_numpy(digits)).dimensions[1]
    assert (dimension.verdict, dimension.cause) == ("collapsed", "encoder_lags")


def test_an_encoder_that_is_right_for_its_beta_does_not_lag(digits):
    """The decoder reads z₄, w² = .345: a code pays at σ² = .05, and at β·σ² = 5 not at all."""
    model = _break(oracles.linear_vae(4, sigma2=0.05), silence=3)
    x = torch.from_numpy(digits)
    told = {beta: diagnose(model, x, beta=beta).causes for beta in (1.0, 100.0, None)}
    assert [cause.code for cause in told[1.0]] == ["encoder_lags"]
    assert [cause.code for cause in told[100.0]] == ["objective"]
    assert told[None] == ()  # Either may be: its β decides.


def test_cause_written_not_read(digits):
    model = _break(oracles.linear_vae(4, sigma2=0.05), deafen=2)
    dimension = diagnose(model, torch.from_numpy(digits)).dimensions[2]
    assert (dimension.verdict, dimension.cause) == ("ignored", "written_not_read")


def test_cause_decoder_ignores(digits):
    model = _break(oracles.linear_vae(4, sigma2=0.05), silence=3, deafen=3)
    dimension = diagnose(model, torch.from_numpy(digits)).dimensions[3]
    assert (dimension.verdict, dimension.cause) == ("collapsed", "decoder_ignores")


def test_what_no_code_changes_is_not_refined(digits, monkeypatch):
    """A decoder that reads nothing has the prior as its posterior: hundreds of steps find none."""
    model = oracles.linear_vae(4, sigma2=0.05)
    for dimension in range(4):
        _break(model, silence=dimension, deafen=dimension)
    monkeypatch.setattr(causes, "refine_subject", lambda *_, **__: pytest.fail("it was refined"))
    diagnosis = diagnose(model, torch.from_numpy(digits))
    assert diagnosis.state == "collapsed"
    assert [cause.code for cause in diagnosis.causes] == ["decoder_ignores"]


def test_a_costly_decoder_is_decoded_seldom(digits, monkeypatch):
    """Of 45 million multiply-adds a code, each decode a second time for its gradient."""
    model = _break(oracles.linear_vae(4, sigma2=0.05), silence=1)
    monkeypatch.setattr(causes, "decoding_cost", lambda _: 45_000_000)
    # The rule's own decodes are not counted here.
    monkeypatch.setattr(causes, "wake_up_now", lambda *_, **__: SimpleNamespace(leading=(2, 0.1)))
    monkeypatch.setattr(causes, "_look_at_collapse", lambda *_: {})
    decoded = []
    model.decoder.register_forward_hook(lambda _, inputs, __: decoded.append(len(inputs[0])))
    (cause,) = causes.find_causes(
        Subject(model, torch.from_numpy(digits)), beta=1.0, asleep=[1], ignored=[]
    )
    assert (cause.code, cause.dimensions) == ("encoder_lags", (1,))
    assert sum(decoded) < 5000


@pytest.mark.parametrize("beta", [1.0, 8.0])
def test_cause_the_objective_asks_for_it(digits, beta):
    """The same silent dimension: at β = 8 its eigenvalue .395/.05 = 7.9 does not pay any more."""
    model = _break(oracles.linear_vae(4, sigma2=0.05), silence=3, deafen=3)
    x = torch.from_numpy(digits)
    cause = diagnose(model, x, beta=beta).dimensions[3].cause
    assert cause == ("objective" if beta == 8.0 else "decoder_ignores")


def test_bernoulli_rule_tells_total_collapse(digits):
    """Digits wake below β = 3.857: a collapsed model is as it should be at 4.3, not at 1."""
    model = VAE(ModelConfig(hidden=(8,), latent_dim=2), (1, 8, 8))
    x = torch.from_numpy(digits).float()
    model.initialise_output(x.mean(0), len(x))
    with torch.no_grad():
        last = of_kind(nn.Linear, model.encoder[-1])
        last.weight.zero_()
        last.bias.zero_()
        of_kind(nn.Linear, model.decoder[-2]).weight.zero_()
    target = model.target(x, torch.Generator().manual_seed(0))
    for beta, code in ((1.0, "decoder_ignores"), (5.0, "objective")):
        diagnosis = diagnose(model, target, beta=beta)
        assert diagnosis.state == "collapsed"
        assert [cause.code for cause in diagnosis.causes] == [code]


def test_json_contract(digits):
    values = diagnose(oracles.linear_vae(2), torch.from_numpy(digits[:200])).to_dict()
    assert values.keys() >= CONTRACT
    assert values["dimensions"][0].keys() >= {"index", "kl", "var_mean", "mean_var", "verdict"}
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert {d["verdict"] for d in values["dimensions"]} <= set(verdicts.VERDICTS)


def test_bytes_are_made_into_what_the_model_scores(tiny_run):
    from explorer.datasets import load_dataset

    images = load_dataset("digits").split("test").images
    by_bytes = diagnose(tiny_run.model, images, causes=False)
    by_run = diagnose_run(tiny_run, images, causes=False)
    assert by_bytes.to_dict() == by_run.to_dict()


def test_a_second_array_that_is_no_logvar_is_warned_of_and_read_as_asked():
    rng = np.random.default_rng(0)
    mean, variance = rng.normal(0, 0.95, (500, 2)), np.full((500, 2), 0.1)
    with pytest.warns(UserWarning, match="hardly log-variance"):
        found = diagnose_codes(mean, variance)
    assert [told.code for told in found.told] == ["spread_contradicted"]
    right = diagnose_codes(mean, variance, spread="variance")
    assert right.told == ()
    expected = diagnose_codes(mean, np.log(variance))
    assert right.information.rate == pytest.approx(expected.information.rate)


def test_tensors_of_half_precision_are_codes_too():
    mean, logvar = torch.randn(200, 3).bfloat16(), torch.full((200, 3), -2.0).half()
    found = diagnose_codes(mean, logvar)
    assert found.information.rate == pytest.approx(
        float((0.5 * (mean.float() ** 2 + np.exp(-2) + 1)).mean(0).sum()), rel=1e-5
    )


def test_diagnose_run_with_and_without_images(tiny_run):
    from explorer.datasets import load_dataset

    images = load_dataset("digits").split("test").images
    seen: list[float] = []
    with_images = diagnose_run(tiny_run, images, causes=False, progress=seen.append)
    assert with_images.dimensions[0].shuffle is not None
    assert seen == sorted(seen) and seen[-1] == 1.0
    assert diagnose_run(tiny_run).dimensions[0].shuffle is None


@pytest.mark.mnist
def test_mnist_model_is_alive(mnist_20d):
    model, x = mnist_20d
    diagnosis = diagnose(model, x[:300], causes=False)
    assert 10 <= diagnosis.in_use <= 20
    assert diagnosis.information.mutual_information <= np.log(300)
    alive = [d for d in diagnosis.dimensions if d.verdict == "active"]
    assert np.mean([d.total_variance for d in alive]) == pytest.approx(1, abs=0.15)
