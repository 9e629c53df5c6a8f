"""Consultations: what is known of a subject decides how far the answer goes."""

import json

import numpy as np
import pytest

from explorer.analysis.collapse.diagnose import diagnose_moments, diagnose_run
from explorer.analysis.consultation.consult import Weight, consult_codes, consult_run
from explorer.datasets import load_dataset
from explorer.export.report.words import say_because, say_elsewhere
from explorer.runs.run import Run
from explorer.runs.store import open_run
from explorer.runs.writer import RunWriter
from tests.helpers import present


def codes(awake, asleep, count=400):
    rng = np.random.default_rng(0)
    mean = np.zeros((count, awake + asleep))
    mean[:, :awake] = 0.99 * rng.standard_normal((count, awake))
    logvar = np.zeros_like(mean)
    logvar[:, :awake] = np.log(0.02)
    return mean, logvar


def judged(awake, asleep):
    return diagnose_moments(*codes(awake, asleep)).to_dict()


@pytest.fixture(scope="module")
def patient():
    run = open_run("digits-collapsed")
    images = load_dataset("digits").held_out().images
    return run, diagnose_run(run, images).to_dict()


def test_the_prepared_patient_has_a_date_a_cause_and_a_cure(patient):
    found = consult_run(*patient)
    assert found.kind == "trained" and found.asleep == tuple(range(6))
    assert found.cause == "objective" and found.missing == ()
    assert 1 < present(found.dated.step) < 100 and not found.dated.is_coarse
    # The rule's first value is λ₁/σ²: .72 of the digits' test images at σ² = 32.
    assert found.thresholds.values[0] == pytest.approx(0.7 / 32, rel=0.1)
    assert len(found.thresholds.values) == 6 and found.thresholds.at_collapse
    assert present(found.prescription).remedy == "optimal-sigma"
    assert present(found.convergence).verdict == "yes"
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["cause"] == "objective"


def test_without_its_images_the_cause_is_not_told_and_the_answer_says_so(patient):
    run, _ = patient
    found = consult_run(run, diagnose_run(run, None).to_dict(), images=False)
    assert found.cause is None and found.missing == ("images",)
    assert found.prescription is None


@pytest.fixture
def logged(tmp_path):
    """A run of somebody's own loop: dimension 2 dies while β rises from 1 to 8."""
    with RunWriter(tmp_path / "loop", latent_dim=2) as writer:
        for step, beta in ((10, 1.0), (20, 2.0), (30, 4.0), (40, 8.0)):
            share = [1.5, 0.5 if step < 30 else 0.001]
            writer.log(step, reconstruction=90.0, kl_per_dim=share, beta=beta)
        mean, logvar = codes(1, 1)
        writer.save_codes(mean, logvar)
    return Run(tmp_path / "loop")


def test_a_run_of_ones_own_loop_is_dated_with_its_beta_and_no_cause_is_claimed(logged):
    found = consult_run(logged, diagnose_run(logged).to_dict())
    assert found.kind == "logged" and found.asleep == (1,)
    assert (found.dated.step, found.dated.beta) == (30, 4.0)
    assert found.cause is None and found.missing == ("model",)
    assert present(found.beta).now == 8.0


def test_beta_as_somebody_remembers_it_counts_where_the_run_does_not_say_it(logged, tmp_path):
    with RunWriter(tmp_path / "silent", latent_dim=2) as writer:
        writer.log(10, reconstruction=90.0, kl_per_dim=[1.5, 0.0])
        writer.save_codes(*codes(1, 1))
    silent = Run(tmp_path / "silent")
    values = diagnose_run(silent).to_dict()
    assert "beta" in consult_run(silent, values).missing
    told = consult_run(silent, values, beta=20.0)
    assert present(told.beta).now == 20.0 and "beta" not in told.missing
    assert present(consult_run(logged, values, beta=20.0).beta).now == 8.0


def test_codes_alone_lack_the_model_and_a_beta():
    found = consult_codes("mine", judged(1, 2))
    assert (found.asleep, found.cause, found.missing) == ((1, 2), None, ("model", "beta"))
    assert consult_codes("mine", judged(2, 0)).cause == ""


def test_codes_over_steps_are_dated_to_an_interval():
    points = [{"step": 1000, "kl_per_dim": [2.0, 1.0]}, {"step": 2000, "kl_per_dim": [2.0, 0.0]}]
    found = consult_codes("mine", judged(1, 1), points)
    assert found.dated.is_coarse and (found.dated.after, found.dated.step) == (1000, 2000)


def test_a_pasted_loss_explains_what_it_leaves_no_room_for():
    """Eigenvalues 5, 2 and .5: at βσ² = 1 a third latent has to sleep, at .1 none has."""
    heavy, light = (Weight(beta, (5.0, 2.0, 0.5), of_sigma2=True) for beta in (1.0, 0.1))
    found = consult_codes("mine", judged(2, 1), weight=heavy)
    assert found.cause == "weight" and found.used == 1.0
    assert consult_codes("mine", judged(2, 1), weight=light).cause is None
    assert consult_codes("mine", judged(2, 1), weight=light).missing == ("model",)
    bare = consult_codes("mine", judged(2, 1), weight=Weight(1.0))
    assert (bare.cause, bare.missing) == (None, ("data", "model"))


def test_of_more_sleepers_than_a_loss_leaves_no_room_for_it_explains_a_part():
    """Of three latents βσ² = 1 leaves room for two, and only one is awake."""
    heavy = Weight(1.0, (5.0, 2.0, 0.5), of_sigma2=True)
    found = consult_codes("mine", judged(1, 2), weight=heavy)
    assert found.cause == "weight_part" and found.confidence == pytest.approx(0.35)
    told = say_because(found, "en")
    assert told.startswith("your loss has βσ² = 1, which leaves no room for 1 latents")
    assert say_elsewhere(found, "en") == say_elsewhere(
        consult_codes("mine", judged(2, 1), weight=heavy), "en"
    )
