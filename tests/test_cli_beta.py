"""The command that reads a pasted loss: its β, what it asks, one sentence for what is none."""

import pytest

from explorer.cli import main
from tests.helpers import read_json

PASTE = """recon = F.mse_loss(x_hat, x)
kl = -0.5 * torch.mean(torch.sum(1 + logvar - mu ** 2 - logvar.exp(), 1))
loss = recon + beta * kl"""


def test_a_pasted_loss_has_its_beta(capsys):
    """A mean over 3·64·64 pixels beside a summed KL: σ²_eff = D·w/2 = 12288 · .00025 / 2."""
    arguments = ["beta", PASTE, "--shape", "3", "64", "64", "--latents", "128", "--json"]
    assert main([*arguments, "--set", "beta=0.00025"]) == 0
    values = read_json(capsys)
    assert (values["beta"], values["sigma2"]) == (None, pytest.approx(1.536))
    assert "reconstruction_averaged_over_pixels" in values["notes"]
    assert values["corrected"].startswith("loss = ")


def test_what_a_loss_does_not_say_is_asked(capsys):
    assert main(["beta", PASTE, "--shape", "3", "64", "64"]) == 2
    told = capsys.readouterr().out
    assert "beta has no number in the paste" in told and "Say first: kl_weight" in told


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["beta", "no loss at all"], "no Python"),
        (["beta", "missing.py"], "cannot be read as a loss"),
        (["beta", PASTE, "--set", "beta=x"], "gives a number to a name"),
        (["beta", PASTE, "--range", "1", "0"], "lower to a higher"),
        (["beta", PASTE, "--latents", "0"], "whole numbers above 0"),
    ],
)
def test_what_is_no_loss_is_one_sentence(capsys, arguments, sentence):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == "" and sentence in told.err and told.err.count("\n") == 1
