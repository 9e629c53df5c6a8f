"""The answer in words: one sentence with date and cause, in every language."""

import dataclasses

import numpy as np
import pytest

from explorer.analysis.codes_in.told import Told
from explorer.analysis.collapse.diagnose import diagnose_moments
from explorer.analysis.collapse.moved_beta import UsedBeta
from explorer.analysis.consultation.consult import Weight, consult_codes
from explorer.analysis.consultation.prescription import Change, Prescription
from explorer.analysis.questions.converged import VERDICTS, judge_convergence
from explorer.analysis.questions.pictures import judge_pictures
from explorer.analysis.questions.sampling import SamplingVerdict
from explorer.config import Config
from explorer.export.report import words
from explorer.text import LANGUAGES

EARLY = ((1, 1.0, 1.0), (16, 1.0, 0.4), (17, 1.0, 0.0))


def consulted(awake, asleep, log=(), weight=None, beta=None, **cause):
    """A consultation on codes with so many dimensions awake and asleep, and a cause if given."""
    rng = np.random.default_rng(0)
    mean = np.zeros((400, awake + asleep))
    mean[:, :awake] = 0.99 * rng.standard_normal((400, awake))
    logvar = np.zeros_like(mean)
    logvar[:, :awake] = np.log(0.02)
    values = diagnose_moments(mean, logvar).to_dict()
    if cause:
        sleepers = list(range(awake, awake + asleep))
        values["causes"] = [{"dimensions": sleepers, "confidence": 0.9, **cause}]
    points = [{"step": step, "kl_per_dim": list(kl), "beta": beta} for step, *kl in log]
    found = consult_codes("patient", values, points, weight)
    used = None if beta is None else UsedBeta(beta, beta)
    return dataclasses.replace(found, beta=used)


def test_date_and_cause_stand_in_one_sentence():
    evidence = {"thresholds_at_collapse": [3.86, 3.41], "top_eigenvalue_now": 3.8}
    log = [(1, 1.0, 1.0), (598, 1.0, 1.0), (600, 1.0, 0.0), (690, 1.0, 0.0), (694, 0.0, 0.0)]
    found = consulted(0, 2, log, beta=24.0, code="objective", evidence=evidence)
    assert words.say_headline(found, "en") == (
        "All latents fell asleep (2 of 2), the last by step 694: β = 24 exceeds 3.86, the most "
        "that a direction in the images would earn."
    )


def test_of_a_partial_collapse_the_further_direction_is_named():
    evidence = {"thresholds_at_collapse": [31.0, 20.0], "top_eigenvalue_now": 1.04}
    found = consulted(1, 1, EARLY, beta=4.0, code="objective", evidence=evidence)
    assert words.say_headline(found, "en") == (
        "1 of 2 latents sleep, the last since step 17: a further direction in the images would "
        "earn 1.04 at most, and β = 4 asks for more."
    )


def test_between_checkpoints_the_date_is_an_interval():
    found = consulted(1, 1, [(1000, 1.0, 1.0), (2000, 1.0, 0.0)])
    assert words.say_date(found, "en") == (
        "1 of 2 latents fell asleep between steps 1,000 and 2,000"
    )


def test_what_is_missing_is_said_in_the_place_of_a_cause():
    assert words.say_headline(consulted(1, 1), "en") == (
        "1 of 2 latents are asleep: why cannot be told before its β is known."
    )
    assert "β was 4 then" in words.say_headline(consulted(1, 1, EARLY, beta=4.0), "en")
    weight = Weight(1.0, (5.0, 0.5))
    assert words.say_because(consulted(1, 1, weight=weight), "en") == (
        "your loss weighs KL with 1, and in these images 1 directions exceed that"
    )
    squared = Weight(1.0, (5.0, 0.5), of_sigma2=True)
    assert "your loss has βσ² = 1" in words.say_because(consulted(1, 1, weight=squared), "en")
    assert words.say_headline(consulted(2, 0), "en") == "All latents are in use (2 of 2)."


def test_a_lower_beta_is_named_with_its_numbers_and_every_change_is_told():
    changes = (
        Change("objective.beta", 24.0, 3.0),
        Change("beta_moved", 1.0, 24.0),
        Change("steps", 800, 3000),
        Change("model.likelihood", "gaussian", "gaussian-optimal"),
    )
    plan = Prescription("lower-beta", Config(), changes, 2)
    assert words.say_remedy(plan, "en") == "β 24 → 3"
    assert words.say_changes(plan, "en") == [
        "β 24 → 3",
        "β is constant from the first step; by hand it had been moved from 1 to 24",
        "the whole plan of 3,000 steps; it had ended at step 800",
        "likelihood: Gaussian, best σ² of each batch, in the place of Gaussian, fixed σ²",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_has_its_sentence_in_every_language(language):
    log = [{"step": s, "elbo": -90.0 - 2.0 ** (-s / 40)} for s in range(1, 400, 10)]
    found = judge_convergence(log)
    for verdict in VERDICTS:
        told = words.say_convergence(dataclasses.replace(found, verdict=verdict), language)
        assert told and "{" not in told
    x = np.random.default_rng(0).random((50, 1, 8, 8))
    flat = judge_pictures(x, np.full_like(x, 0.5), sigma2=9.0)
    assert "9" in words.say_pictures(flat, language)
    for symptom in ("unlike", "blurred", "overdone", "narrow_sigma"):
        other = dataclasses.replace(flat, symptoms=(symptom,), source="narrow")
        assert "{" not in words.say_pictures(other, language)
    for verdict in ("good", "mismatch", "holes", "poor", "unsure"):
        sampled = SamplingVerdict(verdict, 0.9, 0.01, 0.05, 0.01, 0.8, (0,), 3.0, 500)
        assert "{" not in words.say_sampling(sampled, language)
    for code in ("objective", "encoder_lags", "decoder_ignores", "written_not_read"):
        evidence = {"top_eigenvalue_now": 2.0}
        sick = consulted(1, 1, EARLY, beta=4.0, code=code, evidence=evidence)
        assert "{" not in words.say_headline(sick, language) + words.say_elsewhere(sick, language)


def test_what_others_wrote_can_be_escaped():
    told = Told("labels_one_hot", {"name": "<b>"})
    assert "<b>" in words.say_told(told, "en")
    assert "<b>" not in words.say_told(told, "en", lambda name: f"({len(str(name))})")
