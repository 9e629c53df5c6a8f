"""Whether codes follow the prior: known moments, known correlation, and no remedy unasked."""

import json
import math

import numpy as np
import pytest

from explorer import cli
from explorer.analysis.collapse.diagnose import diagnose_moments
from explorer.analysis.collapse.prior_match import match_prior, read_joint
from explorer.errors import ExplorerError


def codes(shift=(0.0, 0.0, 0.0), variance=(1.0, 1.0, 1.0), noise=0.2, count=4000):
    """Return codes whose aggregate has these means and total variances; σ² is the noise."""
    rng = np.random.default_rng(0)
    spread = np.sqrt(np.array(variance) - noise)
    mean = np.array(shift) + spread * rng.normal(size=(count, len(shift)))
    return mean, np.full(mean.shape, math.log(noise))


def test_codes_of_the_prior_follow_it():
    found = match_prior(*codes())
    assert (found.state, found.off, found.remedy) == ("follows", (), None)
    assert [d.total_variance for d in found.dimensions] == pytest.approx([1, 1, 1], abs=0.06)


def test_a_collapsed_dimension_follows_the_prior():
    assert match_prior(np.zeros((500, 2)), np.zeros((500, 2))).state == "follows"


def test_means_and_variances_that_are_off_are_named_with_their_errors():
    found = match_prior(*codes(shift=(0, 1, 0), variance=(1, 1, 0.5)))
    assert found.state == "off"
    assert [d.off for d in found.dimensions] == [(), ("mean",), ("variance",)]
    one, other = found.dimensions[1:]
    # Of 4,000 codes: sd(μ)/√N, and of a variance sqrt(2)·Var μ/√N.
    assert one.mean == pytest.approx(1, abs=0.05)
    assert one.mean_error == pytest.approx(math.sqrt(0.8 / 4000), rel=0.05)
    assert other.total_variance_error == pytest.approx(math.sqrt(2 / 4000) * 0.3, rel=0.1)
    # KL(N(1, 1)‖N(0, 1)) = ½ and KL(N(0, ½)‖N(0, 1)) = ½(½ − 1 + ln 2).
    assert one.moments_kl == pytest.approx(0.5, abs=0.05)
    assert other.moments_kl == pytest.approx(0.5 * (math.log(2) - 0.5), abs=0.02)


def test_few_codes_are_not_said_to_be_off_by_chance():
    mean, logvar = codes(count=10)
    assert match_prior(mean, logvar).state == "few"


def test_dimensions_that_are_right_alone_can_be_off_together():
    # Two equal codes of correlation ρ: total correlation −½ ln(1 − ρ²), each N(0, 1).
    rng = np.random.default_rng(1)
    noise, rho = 0.05, 0.95
    mean = np.repeat(math.sqrt(rho) * rng.normal(size=(4000, 1)), 2, axis=1)
    logvar = np.full((4000, 2), math.log(noise))
    found = match_prior(mean, logvar, joint=read_joint(diagnose_moments(mean, logvar).to_dict()))
    assert (found.state, found.off, found.joint_off) == ("off", (), True)
    assert found.total_correlation == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.1)


def test_positions_of_one_item_give_the_errors_of_items():
    mean, logvar = codes(count=400)
    alone = match_prior(mean, logvar)
    repeated = match_prior(
        np.repeat(mean, 25, axis=0),
        np.repeat(logvar, 25, axis=0),
        items=np.repeat(np.arange(400), 25),
    )
    errors = [d.mean_error for d in alone.dimensions]
    assert [d.mean_error for d in repeated.dimensions] == pytest.approx(errors, rel=0.01)


def test_means_alone_cannot_tell_that_the_prior_is_followed_but_that_it_is_not():
    mean, _ = codes()
    assert match_prior(mean, None).state == "unknown"
    found = match_prior(3 * mean, None)
    assert found.state == "off" and found.dimensions[0].total_variance is None
    assert found.dimensions[0].off == ("variance",)


def test_no_remedy_is_given_before_the_use_is_told():
    found = match_prior(*codes(shift=(2, 2, 2)))
    assert found.remedy is None and found.to_dict()["depends_on"]


@pytest.mark.parametrize(
    "use, words",
    [("sampling", "larger β"), ("diffusion", "(z − "), ("embedding", "no fault")],
)
def test_the_remedy_is_that_of_the_use(use, words):
    remedy = match_prior(*codes(shift=(2, 2, 2)), use=use).remedy
    assert remedy is not None and words in remedy


def test_scale_and_shift_make_the_samples_standard():
    mean, logvar = codes(shift=(3, 3, 3), variance=(4, 4, 4))
    found = match_prior(mean, logvar)
    assert found.shift == pytest.approx(3, abs=0.05) and found.scale == pytest.approx(0.5, rel=0.02)


def test_another_use_is_refused():
    with pytest.raises(ExplorerError, match="sampling, diffusion or embedding"):
        match_prior(*codes(), use="art")


def test_the_command_line_says_what_it_depends_on_first(tmp_path, capsys):
    mean, logvar = codes(shift=(0, 1, 0))
    path = str(tmp_path / "codes.npz")
    np.savez(path, mean=mean, logvar=logvar)
    assert cli.main(["diagnose", "--codes", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = next(i for i, line in enumerate(lines) if "do not follow the prior" in line)
    assert "depends on the use" in lines[start]
    assert lines[start + 1].startswith("  off: z₂ (mean 1.0")
    assert "larger β" not in "".join(lines) and "--use" in lines[-1]
    assert cli.main(["diagnose", "--codes", path, "--use", "sampling", "--json"]) == 0
    prior = json.loads(capsys.readouterr().out)["prior"]
    assert (prior["off"], prior["use"]) == ([1], "sampling") and "larger β" in prior["remedy"]


def test_with_too_few_items_correlation_is_not_told(tmp_path, capsys):
    # Eight sharp codes carry more than ln 300 nats: all that can be said is "at most".
    rng = np.random.default_rng(0)
    path = str(tmp_path / "codes.npz")
    np.savez(path, mean=rng.normal(1, 1, (300, 8)), logvar=np.full((300, 8), -5.0))
    assert cli.main(["diagnose", "--codes", path]) == 0
    out = capsys.readouterr().out
    assert "nats at most" in out and "total correlation" not in out


def test_a_run_is_told_the_same_as_codes(capsys):
    assert cli.main(["diagnose", "digits-2d", "--use", "embedding", "--json"]) == 0
    prior = json.loads(capsys.readouterr().out)["prior"]
    assert prior["use"] == "embedding" and len(prior["dimensions"]) == 2
    assert (prior["remedy"] is None) == (prior["state"] != "off")
