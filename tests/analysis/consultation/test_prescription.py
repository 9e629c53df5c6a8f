"""Prescriptions: from the β that was used, below the thresholds, with every change named."""

import json

import pytest

from explorer.analysis.collapse.diagnose import diagnose_run
from explorer.analysis.consultation.prescription import (
    Thresholds,
    aim_beta,
    list_treatments,
    prescribe,
    read_thresholds,
    recognise,
    treat,
    used_config,
)
from explorer.datasets import load_dataset
from explorer.runs.run import Run
from explorer.training.loop import train
from tests.helpers import present
from tests.small_run import change, make_config


def objective_cause(*thresholds, in_use=0, now=None):
    evidence = {"thresholds_at_collapse": list(thresholds), "top_eigenvalue_now": now}
    cause = {"code": "objective", "dimensions": [0, 1], "confidence": 0.9, "evidence": evidence}
    return {"in_use": in_use, "causes": [cause]}


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """A run that was planned at β = 1 and moved to 24 by hand, stopped at half of its plan."""
    run = train(make_config(40), tmp_path_factory.mktemp("moved") / "run")
    path = run.path / "run.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values["timing"]["beta"] = 24.0
    values["status"] |= {"step": 20, "state": "stopped"}
    path.write_text(json.dumps(values), encoding="utf-8")
    return Run(run.path)


def names(prescription):
    return {change.name: (change.before, change.after) for change in prescription.changes}


def test_a_moved_run_starts_from_the_beta_that_was_used_and_ends_below_the_threshold(moved):
    found = present(prescribe(moved, objective_cause(3.86, 3.41)))
    assert found.remedy == "lower-beta"
    assert names(found) == {
        "objective.beta": (24.0, 1.0),
        "beta_moved": (1.0, 24.0),
        "steps": (20, 40),
    }
    assert found.beta == 1.0 and found.expected == 2
    assert present(used_config(moved)).objective.beta == 24


def test_a_quarter_would_still_have_exceeded_the_threshold(moved):
    assert aim_beta([3.86, 3.41]) < 3.41 < 24 / 4
    # Without any rule the quarter is all that is left, of the β that was used.
    assert present(treat(moved, "lower-beta")).beta == 6.0


@pytest.mark.parametrize(
    "thresholds, beta",
    [([3.86, 3.41], 1.0), ([30.0, 23.1, 8.2], 4.0), ([5.0, 0.4], 1.0), ([1.2, 1.2], 0.5),
     ([0.5, 0.3], 0.1), ([0.4, 0.001], 0.04)],
)  # fmt: skip
def test_the_target_wakes_the_last_latent_and_stays_at_the_elbo_where_that_suffices(
    thresholds, beta
):
    assert aim_beta(thresholds) == pytest.approx(beta)
    assert aim_beta(thresholds) < thresholds[0]


def test_of_a_partial_collapse_the_next_latent_decides(moved):
    found = read_thresholds(objective_cause(30.0, 20.0, in_use=1, now=3.41))
    assert found == Thresholds((3.41,), at_collapse=False)
    assert present(treat(moved, "lower-beta", found)).beta == 1.0
    assert present(treat(moved, "lower-beta", found)).expected is None


def test_every_change_of_another_remedy_is_named_too(tmp_path):
    config = make_config(5, likelihood="gaussian", sigma2=5.0)
    run = train(change(config, objective__free_bits=0.1), tmp_path / "run")
    found = present(prescribe(run, objective_cause(0.14, 0.12)))
    assert found.remedy == "optimal-sigma"
    assert names(found) == {
        "model.likelihood": ("gaussian", "gaussian-optimal"),
        "model.sigma2": (5.0, 0.1),
    }
    lower = present(treat(run, "lower-beta", read_thresholds(objective_cause(0.14, 0.12))))
    assert names(lower) == {"objective.beta": (1.0, 0.05), "objective.free_bits": (0.1, 0.0)}


def test_the_prescription_wakes_the_patient_it_was_made_for(tmp_path):
    """σ² = 5 is far above λ₁ of the digits: the rule's own β brings both latents back."""
    config = make_config(400, hidden=(32,), likelihood="gaussian", sigma2=5.0)
    images = load_dataset("digits").split("test").images
    sick = train(config, tmp_path / "sick")
    before = diagnose_run(sick, images).to_dict()
    assert before["in_use"] == 0
    lower = present(treat(sick, "lower-beta", read_thresholds(before)))
    assert lower.expected == 2
    cured = train(lower.config, tmp_path / "cured")
    assert diagnose_run(cured, images, causes=False).in_use == 2
    treatments = list_treatments(sick)
    assert recognise(treatments, 1.0, present(cured.info.config)) == "lower-beta"
    assert recognise(treatments, 1.0, treatments["optimal-sigma"]) == "optimal-sigma"
    assert recognise(treatments, 1.0, config) is None


def test_a_cause_that_nobody_knows_has_no_remedy(moved):
    assert prescribe(moved, {"in_use": 0, "causes": []}) is None
    assert treat(moved, "optimal-sigma") is None  # A Bernoulli decoder has no σ².
    assert treat(moved, "lower-beta", Thresholds((90.0,), at_collapse=True)) is None
