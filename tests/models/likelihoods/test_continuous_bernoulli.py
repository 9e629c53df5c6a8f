"""The continuous Bernoulli: mean and variance at any logit, and what it says at collapse."""

import pytest
import torch
from torch.distributions import ContinuousBernoulli

from explorer.models.likelihoods.continuous_bernoulli import (
    ContinuousBernoulliLikelihood,
    log_normaliser,
    logit_for,
    mean_of,
    variance_of,
)

LOGITS = torch.tensor([-300.0, -40, -8, -1, -0.02, -1e-3, 0, 5e-3, 0.5, 12, 60]).double()


def test_mean_and_variance_are_the_normalisers_first_two_derivatives():
    logit = LOGITS.clone().requires_grad_()
    # log p(x) = λx − softplus(λ) + C(λ): its normaliser's slope is the mean.
    normaliser = torch.nn.functional.softplus(logit) - log_normaliser(logit)
    (mean,) = torch.autograd.grad(normaliser.sum(), logit, create_graph=True)
    torch.testing.assert_close(mean_of(LOGITS), mean.detach(), rtol=1e-6, atol=1e-8)
    (variance,) = torch.autograd.grad(mean_of(logit).sum(), logit)
    torch.testing.assert_close(variance_of(LOGITS), variance, rtol=1e-4, atol=1e-8)


def test_they_are_torchs_where_torch_does_not_clip():
    inside = LOGITS[LOGITS.abs() < 30]
    known = ContinuousBernoulli(logits=inside)
    torch.testing.assert_close(mean_of(inside), known.mean, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(variance_of(inside), known.variance, rtol=1e-4, atol=1e-7)


def test_a_logit_is_found_for_each_mean():
    torch.testing.assert_close(logit_for(mean_of(LOGITS)), LOGITS, rtol=1e-6, atol=1e-6)


def test_at_collapse_the_information_is_the_variance_of_the_best_constant_logit():
    generator = torch.Generator().manual_seed(0)
    flat = torch.rand((500, 3), generator=generator, dtype=torch.float64) ** torch.tensor([1, 4, 9])
    likelihood = ContinuousBernoulliLikelihood("continuous-bernoulli")
    score, fisher = likelihood.at_collapse(flat)
    # The best constant: where the gradient of −log p over all images is zero.
    logit = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([logit], max_iter=200, tolerance_grad=1e-12)

    def nll():
        optimiser.zero_grad()
        output = logit.expand(500, 3).reshape(500, 1, 1, 3)
        value = likelihood.nll(output, flat.view(500, 1, 1, 3)).mean()
        value.backward()
        return value

    optimiser.step(nll)
    hessian = torch.autograd.functional.hessian(
        lambda at: likelihood.nll(at.expand(500, 1, 1, 3), flat.view(500, 1, 1, 3)).mean(),
        logit.detach().view(1, 1, 1, 3),
    ).view(3, 3)
    torch.testing.assert_close(fisher, hessian.diagonal(), rtol=1e-4, atol=0)
    assert score.mean(0).abs().max() == pytest.approx(0, abs=1e-12)
