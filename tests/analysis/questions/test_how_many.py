"""How many latents: against the linear β-VAE, whose every K has a closed form."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from explorer.analysis.collapse.linear import covariance_eigenvalues
from explorer.analysis.questions.how_many import (
    Member,
    count_in_runs,
    count_latents,
    sweep_linear,
)
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.training.fit import fit_config
from explorer.training.loop import train
from tests.small_run import change, make_config

KS = (1, 2, 4, 7, 8, 12, 16, 24)


@pytest.fixture(scope="module")
def eigenvalues():
    return covariance_eigenvalues(load_digits().data / 16)


def test_the_theory_keeps_seven_of_the_digits_at_beta_four(eigenvalues):
    """The table of docs/science.md §1: σ² = .05, β = 4."""
    members, floor = sweep_linear(eigenvalues, KS, beta=4.0, sigma2=0.05)
    found = count_latents(members, floor=floor)
    assert found.needed == 7 and found.verdict == "enough"
    assert found.enough <= 7
    assert found.gains[KS.index(7)] == pytest.approx(1) == found.gains[-1]


def test_the_smallest_k_is_that_of_the_eigenvalues_alone(eigenvalues):
    """At β = 1 a latent is worth ½(λ/s − 1 − ln(λ/s)) nats: the ELBO's gain in closed form."""
    sigma2 = float(eigenvalues[12])
    members, floor = sweep_linear(eigenvalues, range(1, 25), sigma2=sigma2)
    ratio = eigenvalues[:12] / sigma2
    worth = np.cumsum(0.5 * (ratio - 1 - np.log(ratio)))
    expected = int((worth / worth[-1] < 0.95).sum()) + 1
    found = count_latents(members, floor=floor)
    assert found.enough == expected
    assert members[3].elbo - floor == pytest.approx(worth[3])
    assert found.needed == 12


def test_a_sweep_that_ends_while_every_latent_is_in_use_is_still_rising(eigenvalues):
    members, floor = sweep_linear(eigenvalues, (1, 2, 4), sigma2=1e-3)
    assert count_latents(members, floor=floor).verdict == "rising"
    members, floor = sweep_linear(eigenvalues, (1, 2, 4), beta=1e6, sigma2=1.0)
    assert count_latents(members, floor=floor).verdict == "asleep"


def test_where_no_model_reaches_the_score_without_latents_nothing_is_counted():
    rows = [Member(1, -90, 4, 1), Member(3, -80, 9, 3)]
    assert count_latents(rows, floor=-70).verdict == "below"
    assert count_latents(rows, floor=-100).verdict == "rising"
    silent = [Member(1, -70.1, 0.02, 1), Member(3, -70.0, 0.0, 0)]
    assert count_latents(silent, floor=-70).verdict == "asleep", "a trace of KL is no latent in use"


def test_of_several_seeds_the_best_counts_and_one_k_is_no_sweep():
    rows = [Member(2, -90, 4, 2), Member(2, -80, 4, 2), Member(4, -79, 4, 2)]
    assert count_latents(rows, floor=-140).enough == 2
    with pytest.raises(ExplorerError, match="two different K"):
        count_latents(rows[:2])


def test_runs_of_probabilistic_pca_are_counted_as_scikit_learn_scores_them(tmp_path):
    runs = [
        train(change(fit_config("digits", "ppca"), model__latent_dim=k), tmp_path / str(k))
        for k in (1, 4, 16)
    ]
    images = load_dataset("digits")
    x = images.split("train").images.reshape(-1, 64) / 255
    found = count_in_runs(runs)
    assert [member.latents for member in found.members] == [1, 4, 16]
    train_scores = [PCA(k).fit(x).score(x) for k in (1, 4, 16)]
    ranks = np.argsort([member.elbo for member in found.members])
    assert (ranks == np.argsort(train_scores)).all()
    assert found.enough == 16 and found.verdict == "rising"


def test_runs_that_differ_in_more_than_k_are_refused(tmp_path):
    one = train(make_config(5), tmp_path / "one")
    two = train(change(make_config(5, latent_dim=3), objective__beta=4.0), tmp_path / "two")
    with pytest.raises(ExplorerError, match="more than K"):
        count_in_runs([one, two])
