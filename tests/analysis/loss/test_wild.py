"""Losses met in public code mean what was derived for each by hand."""

import pytest

from explorer.analysis.loss.effective import effective_loss
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.understood import Data
from tests.analysis.loss.cases import SMALL, TORCH
from tests.analysis.loss.cases_elsewhere import OTHERS
from tests.analysis.loss.oracle import make_scope, measure_ratio, run


def ratio_of(text, data, values):
    """Return b/a as the reader has it: σ²_eff for bare squared errors, else β."""
    meaning = effective_loss(read_loss(text, data, values), data)
    return next(v for v in (meaning.beta, meaning.sigma2, meaning.scale) if v is not None)


@pytest.mark.parametrize("case", [*TORCH, *OTHERS], ids=lambda case: case.name)
def test_the_loss_means_what_was_derived(case):
    found = read_loss(case.text, case.data, case.values)
    assert (found.reconstruction, found.kl.replace("-without-half", "")) == (case.kind, case.kl)
    assert ratio_of(case.text, case.data, case.values) == pytest.approx(case.ratio, rel=1e-9)


@pytest.mark.parametrize("case", [case for case in TORCH if case.run], ids=lambda case: case.name)
def test_running_the_loss_gives_the_same(case):
    scope = make_scope()
    loss = run(case.run.replace("PASTE", case.text), scope)
    measured = measure_ratio(loss, case.kind, case.kl, scope)
    if case.kind == "gaussian":
        measured /= 0.1**2  # The oracle's Gaussian has unit variance.
    assert ratio_of(case.text, SMALL, case.values) == pytest.approx(measured, rel=1e-6)


@pytest.mark.parametrize(
    "shape, latents, batch, weight, right",
    [((3, 32, 32), 256, 40, 1.0, 1536.0), ((3, 64, 64), 128, 64, 2.5e-4, 1.536),
     ((45,), 2, 100, 1e-3, 0.0225)],
)  # fmt: skip
def test_the_size_is_that_of_the_persons_data(shape, latents, batch, weight, right):
    """A mean squared error beside a KL summed per image: weight · D/2, whatever the batch."""
    text = f"""
loss = F.mse_loss(x_hat, x) + {weight} * (
    -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1)).mean()"""
    data = Data(shape, latents, batch)
    assert effective_loss(read_loss(text, data), data).sigma2 == pytest.approx(right)


def test_lightning_bolts_beta_changes_with_the_latent_size():
    case = next(case for case in TORCH if case.name == "lightning-bolts")

    def sigma2(latents):
        return ratio_of(case.text, Data((3, 32, 32), latents, 256), case.values)

    assert sigma2(64) == pytest.approx(4 * sigma2(256))


KL = """
kl = -0.5 * torch.mean(torch.sum(1 + logvar - mu ** 2 - logvar.exp(), 1))
loss = rec + kl"""


@pytest.mark.parametrize(
    "written",
    [
        "F.mse_loss(model(x), x)",
        "F.mse_loss(x, self.decoder(z))",
        "F.mse_loss(vae.decode(z), batch)",
        "((x - decoder(z)) ** 2).mean()",
        "nn.MSELoss()(net(x), x)",
    ],
)
def test_a_decoder_that_is_called_on_the_spot_gives_the_picture(written):
    """A mean over 3·8·8 values beside a KL summed over latents: σ²_eff is 192 / 2."""
    data = Data((3, 8, 8), 4)
    found = read_loss("rec = " + written + KL, data)
    assert (found.reconstruction, found.reconstruction_pixels) == ("squared-error", "mean")
    assert effective_loss(found, data).sigma2 == pytest.approx(96)


def test_a_perceptual_network_that_is_called_is_no_picture():
    found = read_loss("rec = F.mse_loss(vgg(x_hat), vgg(x))" + KL, Data((3, 8, 8), 4))
    assert effective_loss(found, Data((3, 8, 8), 4)).sigma2 is None
