"""A log in short: its curve, and figures for runs whose training never evaluated any."""

import pytest

from explorer.runs.run import Run
from explorer.runs.trace import Trace, thin, trace_run
from explorer.runs.writer import RunWriter


def test_a_run_that_logs_has_its_last_figures(tmp_path):
    writer = RunWriter(tmp_path / "own", latent_dim=2)
    for step in range(3):
        writer.log(step, reconstruction=10.0 - step, kl_per_dim=[1.0, 0.5])
    trace = trace_run(Run(writer.path))
    assert trace.curve == pytest.approx((11.5, 10.5, 9.5))
    assert trace.figures == pytest.approx({"elbo": -9.5, "reconstruction": 8.0, "kl": 1.5})
    assert trace.split == "train"


def test_what_was_held_out_speaks_for_it(tmp_path):
    writer = RunWriter(tmp_path / "own", latent_dim=1)
    writer.log(1, reconstruction=5.0, kl_per_dim=[1.0])
    writer.log(1, reconstruction=7.0, kl_per_dim=[1.0], split="validation")
    writer.log(2, reconstruction=4.0, kl_per_dim=[1.0])
    trace = trace_run(Run(writer.path))
    assert (trace.split, trace.figures["reconstruction"]) == ("validation", 7.0)
    assert trace.curve == (6.0, 5.0)


def test_without_a_kl_the_curve_is_the_reconstruction(tmp_path):
    writer = RunWriter(tmp_path / "own", latent_dim=1)
    writer.log(1, reconstruction=5.0)
    trace = trace_run(Run(writer.path))
    assert trace.curve == (5.0,) and trace.figures == {"reconstruction": 5.0}


def test_without_a_log_there_is_nothing(tmp_path):
    writer = RunWriter(tmp_path / "own", latent_dim=1)
    writer.set_state("finished")
    assert trace_run(Run(writer.path)) == Trace()


def test_a_long_curve_keeps_its_ends():
    assert thin(list(range(1000)), 3) == [0, 500, 999]
    assert thin([1.0, 2.0]) == [1.0, 2.0]
