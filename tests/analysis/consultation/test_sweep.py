"""A sweep as a subject: where latents fall asleep, as intervals between its members."""

import pytest

from explorer.analysis.consultation.sweep import Fall, consult_sweep, find_falls
from explorer.errors import ExplorerError
from explorer.export.report.words import say_sweep
from explorer.export.timeline import build_sweep_timeline
from explorer.paths import resource
from explorer.runs.sweeps import read_sweep


def test_the_shipped_sweep_falls_asleep_where_the_wake_up_rule_says():
    """λ₁ = 31.2 and λ₂ = 18.8 of MNIST: a local rule, whose thresholds lie in the intervals."""
    found = consult_sweep(read_sweep(resource("pretrained") / "mnist-beta-sweep"))
    assert (found.axis, found.latents, found.always, found.never) == ("beta", 2, 0, 0)
    assert len(found.falls) == 2 and all(fall.after < fall.at for fall in found.falls)
    last = found.falls[-1]
    assert last.rank == 0 and last.after <= 31.3 and last.at >= 31
    assert f"{last.after:.3g} and {last.at:.3g}" in say_sweep(found, "en")
    values = build_sweep_timeline(found)
    assert [row["name"] for row in values["rows"]][:2] == ["0.1", "0.3"]
    assert values["marks"][-1] == {"row": 0, "kind": "died", "at": last.at, "after": last.after}


def test_what_sleeps_in_between_and_wakes_again_is_dated_by_the_last_time():
    assert find_falls([1, 2, 4, 8], [2, 1, 2, 1]) == (Fall(1, 4, 8),)


def test_nothing_falls_where_all_stay_awake():
    assert find_falls([1, 2], [2, 2]) == ()


def test_one_model_is_no_sweep(tmp_path):
    sweep = read_sweep(resource("pretrained") / "mnist-beta-sweep")
    alone = type(sweep)(tmp_path, sweep.kind, sweep.configs)
    with pytest.raises(ExplorerError, match="two of its models"):
        consult_sweep(alone)
