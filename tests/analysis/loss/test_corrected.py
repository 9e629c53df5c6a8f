"""The corrected line runs where the paste ran, and its gradients are those of the ELBO."""

from typing import Any

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from explorer.analysis.loss.effective import effective_loss
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.understood import Data
from tests.analysis.loss.oracle import (
    BATCH,
    OUTPUT,
    make_scope,
    measure_ratio,
    reference_kl,
    reference_nll,
    run,
)
from tests.analysis.loss.test_spellings import DATA, DIVERGENCES, ERRORS
from tests.helpers import present

KL = "-0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum()"


def paste(error, divergence):
    return f"loss = ({error}).mean() + 0.01 * ({divergence}).sum(1).mean()"


@pytest.mark.parametrize("beta", [1.0, 3.0])
@pytest.mark.parametrize("error", ERRORS)
def test_gradients_are_those_of_the_elbo(error, beta):
    kind = ERRORS[error]
    found = read_loss(paste(error, next(iter(DIVERGENCES))), DATA)
    meaning = effective_loss(found, DATA, beta=beta)
    scope = make_scope()
    loss = run(meaning.corrected, scope)
    if found.reconstruction in ("squared-error", "gaussian"):
        sigma2 = present(meaning.advice.sigma2)
        nll = -Normal(scope["x_hat"], sigma2**0.5).log_prob(scope["x"]).sum()
    elif found.reconstruction in ("absolute-error", "laplace"):
        nll = reference_nll(kind, scope) / meaning.advice.scale
    else:
        nll = reference_nll(kind, scope)
    elbo = (nll + beta * reference_kl("kl", scope)) / BATCH
    leaves = [scope[OUTPUT.get(kind, "x_hat")], scope["mu"], scope["logvar"]]
    wanted = torch.autograd.grad(elbo, leaves)
    for got, right in zip(torch.autograd.grad(loss, leaves), wanted, strict=True):
        torch.testing.assert_close(got, right)


@pytest.mark.parametrize("divergence", [d for d, kind in DIVERGENCES.items() if kind == "kl"])
def test_every_spelling_of_the_kl_is_written_with_its_own_names(divergence):
    meaning = effective_loss(read_loss(paste("(x - x_hat) ** 2", divergence), DATA), DATA)
    scope = make_scope()
    ratio = measure_ratio(run(meaning.corrected, scope), "squared-error", "kl", scope)
    assert ratio == pytest.approx(meaning.advice.sigma2)


@pytest.mark.parametrize("error", ERRORS)
def test_the_same_loss_in_nats_has_the_same_beta(error):
    text = paste(error, next(iter(DIVERGENCES)))
    scope = make_scope()
    measured = measure_ratio(run(text, scope), ERRORS[error], "kl", scope)
    line = effective_loss(read_loss(text, DATA), DATA).same
    assert measure_ratio(run(line, scope), ERRORS[error], "kl", scope) == pytest.approx(measured)


def test_every_name_in_the_line_is_the_pastes_or_torchs():
    """The line that was refused with NameError: sigma2 (σ² = 1.536 was known)."""
    text = """
recons, input, mu, log_var = args
loss = F.mse_loss(recons, input) + 0.00025 * torch.mean(
    -0.5 * torch.sum(1 + log_var - mu ** 2 - log_var.exp(), dim=1), dim=0)"""
    data = Data((3, 64, 64), 128, 64)
    meaning = effective_loss(read_loss(text, data), data)
    assert meaning.sigma2 == pytest.approx(1.536)
    names = {
        "torch": torch,
        "recons": torch.rand(4, 3, 8, 8),
        "input": torch.rand(4, 3, 8, 8),
        "mu": torch.zeros(4, 2),
        "log_var": torch.zeros(4, 2),
    }
    for line, sigma2 in ((meaning.same, 1.536), (meaning.corrected, 0.01)):
        scope: dict[str, Any] = dict(names)
        exec(line, scope)
        squares = ((scope["recons"] - scope["input"]) ** 2).sum() / 4
        assert float(scope["loss"]) == pytest.approx(float(squares / (2 * sigma2)), rel=1e-5)


def test_a_cross_entropy_keeps_its_beta_in_the_same_loss():
    """β = .156 once stood beside a line of β = 1."""
    text = f"loss = F.binary_cross_entropy(p, x) + ({KL}) / len(x) * 0.0065"
    data = Data((3, 4, 2), 6, BATCH)
    meaning = effective_loss(read_loss(text, data), data)
    assert meaning.beta == pytest.approx(0.0065 * 24)
    scope = make_scope()
    for line, beta in ((meaning.same, 0.0065 * 24), (meaning.corrected, 1.0)):
        assert measure_ratio(run(line, scope), "bernoulli", "kl", scope) == pytest.approx(beta)


def test_flattened_data_are_brought_to_the_outputs_shape():
    text = """
def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 24), reduction='sum')
    return BCE - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
"""
    line = effective_loss(read_loss(text, DATA), DATA).corrected
    scope = make_scope()
    flat = scope["p"].flatten(1)
    loss = run(line, {**scope, "recon_x": flat})
    wanted = (reference_nll("bernoulli", scope) + reference_kl("kl", scope)) / BATCH
    torch.testing.assert_close(loss, wanted)


@pytest.mark.parametrize(
    "line",
    [
        "F.cross_entropy(logits.view(-1, V), tokens.view(-1))",
        "F.cross_entropy(logits.transpose(1, 2), tokens)",
        "nn.CrossEntropyLoss(reduction='none')(logits.permute(0, 2, 1), tokens).sum(1).mean()",
    ],
)
def test_tokens(line):
    """β = 7 · weight where the cross-entropy is a mean over 7 tokens."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 7, 11, generator=generator, dtype=torch.float64, requires_grad=True)
    tokens = torch.randint(0, 11, (5, 7), generator=generator)
    data = Data((7,), 6, 5)
    found = read_loss(f"rec = {line}\nloss = rec + 0.1 * ({KL}) / len(tokens)", data)
    meaning = effective_loss(found, data)
    assert found.reconstruction == "categorical"
    assert meaning.beta == pytest.approx(0.1 if "sum(1)" in line else 0.7)
    scope = {**make_scope(), "logits": logits, "tokens": tokens, "V": 11}
    got = torch.autograd.grad(run(meaning.corrected, scope), logits)[0]
    nll = functional.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="sum") / 5
    torch.testing.assert_close(got, torch.autograd.grad(nll, logits)[0])


def test_a_learned_prior_and_an_optimal_variance():
    text = """
kl = 0.5 * (lv_p - lv_q + (lv_q.exp() + (mu_q - mu_p) ** 2) / lv_p.exp() - 1).sum(1).mean()
rec = 0.5 * x[0].numel() * torch.log(((x - x_hat) ** 2).mean())
loss = rec + 0.5 * kl
"""
    found = read_loss(text, DATA)
    meaning = effective_loss(found, DATA)
    assert (found.reconstruction, meaning.beta) == ("gaussian-optimal", 0.5)
    scope = make_scope()
    prior = {
        "mu_p": torch.full((6,), 0.3, dtype=torch.float64),
        "lv_p": torch.full((6,), -0.4, dtype=torch.float64),
    }
    names = {**scope, "mu_q": scope["mu"], "lv_q": scope["logvar"], **prior}
    kl = kl_divergence(
        Normal(scope["mu"], torch.exp(scope["logvar"] / 2)),
        Normal(prior["mu_p"], torch.exp(prior["lv_p"] / 2)),
    ).sum()
    nll = 0.5 * scope["x"].numel() * ((scope["x"] - scope["x_hat"]) ** 2).mean().log()
    leaves = [scope["x_hat"], scope["mu"], scope["logvar"]]
    wanted = torch.autograd.grad((nll + kl) / BATCH, leaves)
    got = torch.autograd.grad(run(meaning.corrected, names), leaves)
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_a_discretised_logistic_is_written_again():
    text = """
upper = torch.sigmoid((x + 1 / 510 - x_hat) / std_x)
lower = torch.sigmoid((x - 1 / 510 - x_hat) / std_x)
loss = -torch.log(upper - lower).mean() + 0.01 * (
    -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp(), 1)).mean()"""
    meaning = effective_loss(read_loss(text, DATA), DATA)
    assert meaning.beta == pytest.approx(0.01 * 24)
    scope = make_scope()
    x, at, s = scope["x"], scope["x_hat"], scope["std_x"]
    nll = -(torch.sigmoid((x + 1 / 510 - at) / s) - torch.sigmoid((x - 1 / 510 - at) / s)).log()
    wanted = torch.autograd.grad((nll.sum() + reference_kl("kl", scope)) / BATCH, [at, scope["mu"]])
    got = torch.autograd.grad(run(meaning.corrected, scope), [at, scope["mu"]])
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


def test_distributions_of_the_paste_are_used_again():
    text = """
recon = -px.log_prob(x).sum(-1).mean()
loss = recon + 2 * torch.distributions.kl_divergence(q, p).sum(1).mean()"""
    data = Data((24,), 6, BATCH)
    meaning = effective_loss(read_loss(text, data), data)
    assert meaning.beta == 2
    scope = make_scope(shape=(24,))
    names = {
        **scope,
        "px": Normal(scope["x_hat"], 1.0),
        "p": Normal(0.0, 1.0),
        "q": Normal(scope["mu"], scope["std"]),
    }
    assert measure_ratio(run(meaning.corrected, names), "gaussian", "kl", scope) == pytest.approx(1)
