"""What is my β? The losses found in the wild, and the digits."""

from typing import Any

import pytest
import torch
from torch.nn import functional

from explorer.analysis.collapse.beta import WrittenLoss, corrected_line, effective_beta
from explorer.errors import ExplorerError


def test_pytorch_examples_sums_everything():
    loss = WrittenLoss(
        "cross-entropy", 1, 28, 28, 20, 128, reconstruction_reduction="sum", kl_reduction="sum"
    )
    found = effective_beta(loss)
    assert found.beta == 1
    assert found.notes == ("grey_cross_entropy",)


def test_pytorch_vae_kl_weight():
    """Mean MSE + .00025·KL at 3 × 64²: σ²_eff = 1.5."""
    loss = WrittenLoss(
        "squared-error", 3, 64, 64, 128, 64, kl_reduction="image-sum", kl_weight=0.00025
    )
    found = effective_beta(loss)
    assert found.sigma2 == pytest.approx(1.536)
    assert "reconstruction_averaged_over_pixels" in found.notes


def test_lightning_bolts_beta_changes_with_the_latent_size():
    def beta(latents):
        loss = WrittenLoss("squared-error", 3, 32, 32, latents, 256, kl_weight=0.1)
        found = effective_beta(loss)
        assert "kl_averaged_over_latents" in found.notes
        return found.beta

    assert beta(64) == pytest.approx(4 * beta(256))
    assert beta(256) == pytest.approx(0.1 / 256 * 3072 / 2)


def test_keras_io_is_right():
    loss = WrittenLoss(
        "cross-entropy", 1, 28, 28, 2, 128,
        reconstruction_reduction="image-sum", kl_reduction="image-sum",
    )  # fmt: skip
    assert effective_beta(loss).beta == 1


def test_mean_versus_sum_bug():
    """Mean BCE beside a summed KL on MNIST is β = 784: it collapses (the rule's 32.4 < 784)."""
    loss = WrittenLoss("cross-entropy", 1, 28, 28, 2, 128, kl_reduction="image-sum")
    found = effective_beta(loss, eigenvalues=[32.4, 23.1, 21.2])
    assert found.beta == pytest.approx(784)
    assert found.surviving == 0
    assert "everything_collapses" in found.notes


def test_half_squared_error_at_unit_variance():
    loss = WrittenLoss(
        "half-squared-error", 1, 8, 8, 16, 10,
        reconstruction_reduction="image-sum", kl_reduction="image-sum",
    )  # fmt: skip
    assert effective_beta(loss, eigenvalues=[0.7, 0.6]).sigma2 == 1
    assert effective_beta(loss, eigenvalues=[0.7, 0.6]).surviving == 0


def test_batch_dependence_is_noted():
    loss = WrittenLoss(
        "cross-entropy", 1, 28, 28, 2, 100,
        reconstruction_reduction="sum", kl_reduction="image-sum",
    )  # fmt: skip
    found = effective_beta(loss)
    assert found.beta == pytest.approx(0.01)
    assert "batch_dependent" in found.notes


@pytest.mark.parametrize("kind", ["squared-error", "half-squared-error", "cross-entropy"])
@pytest.mark.parametrize("reduction", ["sum", "image-sum", "mean"])
@pytest.mark.parametrize("kl_reduction", ["sum", "image-sum", "mean"])
def test_weights_against_the_written_loss(kind, reduction, kl_reduction):
    """The loss as PyTorch computes it is proportional to reconstruction + β·KL in nats."""
    torch.manual_seed(0)
    x, y = torch.rand(4, 1, 3, 5).double(), torch.randn(4, 1, 3, 5).double()
    kl = torch.rand(4, 6).double()

    def reduce(values):
        if reduction_now == "sum":
            return values.sum()
        return values.mean() if reduction_now == "mean" else values.flatten(1).sum(1).mean()

    reduction_now = reduction
    squared = (x - y) ** 2 * (0.5 if kind == "half-squared-error" else 1)
    bce = functional.binary_cross_entropy_with_logits(y, x, reduction="none")
    written = 3.0 * reduce(bce if kind == "cross-entropy" else squared)
    reduction_now = kl_reduction
    kl_part = 0.7 * reduce(kl)
    loss = WrittenLoss(kind, 1, 3, 5, 6, 4, reduction, kl_reduction, 3.0, 0.7)
    beta = effective_beta(loss).beta
    nats = bce.sum() if kind == "cross-entropy" else 0.5 * ((x - y) ** 2).sum()
    assert float(kl_part / written) == pytest.approx(float(beta * kl.sum() / nats))


def test_corrected_line_runs_and_means_its_beta():
    x, mu, logvar = torch.rand(4, 1, 3, 5), torch.randn(4, 2), torch.randn(4, 2)
    names = {
        "F": functional, "x": x, "mu": mu, "logvar": logvar, "logits": torch.randn_like(x),
        "x_hat": torch.rand_like(x), "sigma2": 0.3,
    }  # fmt: skip
    for kind in ("squared-error", "cross-entropy"):
        loss = WrittenLoss(kind, 1, 3, 5, 2, 4)
        values = []
        for beta in (1.0, 3.0):
            scope: dict[str, Any] = dict(names)
            exec(corrected_line(loss, beta), scope)
            values.append(float(scope["loss"]))
        kl = torch.distributions.kl_divergence(
            torch.distributions.Normal(mu, (0.5 * logvar).exp()),
            torch.distributions.Normal(0.0, 1.0),
        ).sum(1)
        assert values[1] - values[0] == pytest.approx(2 * float(kl.mean()), rel=1e-4)


def test_no_kl_is_an_autoencoder():
    found = effective_beta(WrittenLoss("squared-error", 1, 8, 8, 4, 1, kl_weight=0.0), [1.0] * 9)
    assert (found.beta, found.surviving) == (0.0, 4)
    assert "no_kl" in found.notes


@pytest.mark.parametrize(
    "bad", [{"reconstruction": "l1"}, {"height": 0}, {"kl_weight": -1.0}, {"kl_reduction": "max"}]
)
def test_bad_losses_are_one_clear_error(bad):
    given = {"reconstruction": "squared-error", "channels": 1, "height": 8, "width": 8,
             "latent_dim": 2, "batch_size": 4, **bad}  # fmt: skip
    with pytest.raises(ExplorerError):
        WrittenLoss(**given)
