"""What a loss in torch means, found by running it: an oracle that knows no spelling.

A loss a·NLL + b·KL has gradients a·∇NLL in the decoder's output and b·∇KL in the encoder's means.
The two weights are read off against gradients of `torch.distributions`, one item's sums each.
"""

import math

import torch
from torch import nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Independent,
    Laplace,
    Normal,
    kl_divergence,
)
from torch.nn import functional

BATCH, SHAPE, LATENTS = 5, (3, 4, 2), 6


def make_scope(shape=SHAPE, latents=LATENTS, batch=BATCH, seed=0):
    """Return tensors under usual names; `x_hat`, `p`, `logits`, `mu` and `logvar` are leaves."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.randn(*size, generator=generator, dtype=torch.float64)

    x = torch.rand(batch, *shape, generator=generator, dtype=torch.float64)
    scope = {
        "torch": torch, "F": functional, "nn": nn, "math": math, "Normal": Normal,
        "Laplace": Laplace, "Bernoulli": Bernoulli, "Categorical": Categorical,
        "Independent": Independent, "kl_divergence": kl_divergence, "D": torch.distributions,
        "x": x,
        "x_hat": draw(batch, *shape).requires_grad_(),
        "p": torch.sigmoid(draw(batch, *shape)).detach().requires_grad_(),
        "logits": draw(batch, *shape).requires_grad_(),
        "mu": draw(batch, latents).requires_grad_(),
        "logvar": (0.3 * draw(batch, latents)).requires_grad_(),
        "z": draw(batch, latents),
        "logvar_x": 0.2 * draw(batch, *shape),
    }  # fmt: skip
    scope["std"] = torch.exp(0.5 * scope["logvar"])
    scope["var"] = torch.exp(scope["logvar"])
    scope["log_std"] = 0.5 * scope["logvar"]
    scope["std_x"], scope["var_x"] = torch.exp(0.5 * scope["logvar_x"]), scope["logvar_x"].exp()
    return scope


def reference_nll(kind, scope):
    """Return Σ NLL over everything in nats, at unit scale for bare errors."""
    x = scope["x"]
    likelihood = {
        "squared-error": lambda: Normal(scope["x_hat"], 1.0),
        "absolute-error": lambda: Laplace(scope["x_hat"], 1.0),
        "gaussian": lambda: Normal(scope["x_hat"], 1.0),
        "laplace": lambda: Laplace(scope["x_hat"], 1.0),
        "gaussian-learned": lambda: Normal(scope["x_hat"], scope["std_x"]),
        "laplace-learned": lambda: Laplace(scope["x_hat"], scope["std_x"]),
        "bernoulli": lambda: Bernoulli(probs=scope["p"], validate_args=False),
        "bernoulli-logits": lambda: Bernoulli(logits=scope["logits"], validate_args=False),
    }[kind]()
    return -likelihood.log_prob(x).sum()


def reference_kl(kind, scope):
    """Return Σ KL over batch and latents; kl-sampled at scope's z."""
    q = Normal(scope["mu"], torch.exp(0.5 * scope["logvar"]))
    if kind == "kl-sampled":
        return (q.log_prob(scope["z"]) - Normal(0.0, 1.0).log_prob(scope["z"])).sum()
    return kl_divergence(q, Normal(0.0, 1.0)).sum()


OUTPUT = {"bernoulli": "p", "bernoulli-logits": "logits"}


def run(text, scope):
    """Return the loss that a paste computes: its variable `loss`."""
    names = dict(scope)
    exec(text, names)
    return names["loss"]


def measure_ratio(loss, kind, kl, scope):
    """Return b/a of a computed loss; the gradients must be parallel to the reference's."""
    output = scope[OUTPUT.get(kind, "x_hat")]
    weights = []
    for leaf, reference in (
        (output, reference_nll(kind, scope)),
        (scope["mu"], reference_kl(kl, scope)),
    ):
        (found,) = torch.autograd.grad(loss, leaf, retain_graph=True)
        (wanted,) = torch.autograd.grad(reference, leaf)
        weight = (found * wanted).sum() / (wanted * wanted).sum()
        torch.testing.assert_close(found, weight * wanted, rtol=1e-5, atol=1e-12)
        weights.append(float(weight))
    return weights[1] / weights[0]
