"""Convergence of curves whose end is known, and of a training cut at a tenth."""

import json

import numpy as np
import pytest

from explorer.analysis.questions.converged import fit_slope, judge_convergence, judge_run
from explorer.runs.run import Run
from explorer.training.loop import train
from tests.small_run import make_config

TAU = 200.0


def decay(end, noise=0.3, rows=80, seed=0, **more):
    """Log points of 90 + 60·exp(−step/τ) with noise, evenly logged up to `end`."""
    rng = np.random.default_rng(seed)
    steps = np.linspace(1, end, rows).round().astype(int)
    values = 90 + 60 * np.exp(-steps / TAU) + noise * rng.standard_normal(rows)
    return [
        {"step": int(step), "elbo": -value, **more}
        for step, value in zip(steps, values, strict=True)
    ]


def test_an_exponential_has_come_to_rest_after_twenty_time_constants_and_not_after_one():
    assert judge_convergence(decay(20 * TAU)).verdict == "yes"
    early = judge_convergence(decay(TAU))
    assert early.verdict == "no"
    # What doubling from τ/2 to τ bought: 60·(e^−½ − e^−1) = 14.3 nats.
    assert early.gain == pytest.approx(60 * (np.exp(-0.5) - np.exp(-1)), rel=0.1)


def test_noise_as_large_as_the_trend_leaves_it_open():
    assert judge_convergence(decay(20 * TAU, noise=8.0, rows=14)).verdict == "noisy"


def test_a_beta_that_still_rises_says_nothing_of_the_end():
    points = decay(20 * TAU)
    for point in points:
        point["beta"] = min(1.0, point["step"] / (25 * TAU))
    assert judge_convergence(points).verdict == "warming"
    for point in points:
        point["beta"] = min(1.0, point["step"] / TAU)
    assert judge_convergence(points).verdict == "yes"


def test_held_out_images_that_get_worse_are_told_with_the_best_step():
    points = decay(20 * TAU, noise=0.0)
    for point in points:
        point["elbo"] -= 3 * max(0.0, np.log2(point["step"] / TAU))
    found = judge_convergence(points, held_out=True)
    assert found.verdict == "past"
    best = max(points, key=lambda point: point["elbo"])["step"]
    assert found.best_step == best < 5 * TAU
    assert judge_convergence(points).verdict == "yes"  # Of training images it would be an odd log.


def test_too_few_points_are_no_curve():
    assert judge_convergence(decay(TAU)[:4]).verdict == "short"
    assert judge_convergence([]).verdict == "short"


def test_the_slope_and_its_error_are_those_of_ordinary_least_squares():
    rng = np.random.default_rng(1)
    x = rng.normal(size=50)
    y = 2 * x + rng.normal(size=50)
    design = np.stack([np.ones(50), x], 1)
    solution, residual, *_ = np.linalg.lstsq(design, y, rcond=None)
    covariance = residual[0] / 48 * np.linalg.inv(design.T @ design)
    assert fit_slope(x, y) == pytest.approx((solution[1], np.sqrt(covariance[1, 1])))


def test_a_run_cut_at_a_tenth_has_not_converged_and_the_whole_one_has(tmp_path):
    config = make_config(600, hidden=(32,), latent_dim=4, likelihood="gaussian")
    whole = train(config, tmp_path / "whole")
    cut = tmp_path / "cut"
    cut.mkdir()
    values = json.loads((whole.path / "run.json").read_text(encoding="utf-8"))
    values["status"] |= {"state": "stopped", "step": 60}
    (cut / "run.json").write_text(json.dumps(values), encoding="utf-8")
    lines = (whole.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["step"] <= 60]
    (cut / "metrics.jsonl").write_text("".join(kept), encoding="utf-8")
    assert judge_run(Run(cut)).verdict == "no"
    found = judge_run(whole)
    assert found.verdict == "yes" and found.spent
