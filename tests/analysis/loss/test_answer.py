"""What a person answers takes the place of what was understood, on the page and by command."""

import json

import pytest

from explorer.analysis.loss.answer import correct
from explorer.analysis.loss.effective import effective_loss
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.understood import Data
from explorer.cli import main
from explorer.errors import ExplorerError

KL = "kl = (-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)).mean()\n"
PASTE = KL + "loss = F.mse_loss(x_hat, x) + w * kl\n"
UNCLEAR = "loss = F.mse_loss(x_hat, x) + 0.1 * kld"
HERE = (
    "loss = F.binary_cross_entropy(x_hat, x, reduction='sum') / 128 "
    "+ kl_divergence(q, p).sum(1).mean()"
)
DATA = Data((64,), 8)


def meaning(paste, corrections, values=None):
    return effective_loss(correct(read_loss(paste, DATA, values or {}), corrections), DATA)


def test_a_correction_takes_the_place_of_what_was_understood():
    # σ² = weight/2 of a sum over pixels: 4/2.
    found = meaning(PASTE, {"reconstruction_pixels": "sum", "kl_weight": "4"}, {"w": 1.0})
    assert found.sigma2 == pytest.approx(2)


def test_what_is_asked_is_answered_by_a_correction():
    assert "kl" in meaning(UNCLEAR, {}).asks
    told = meaning(UNCLEAR, {"kl": "kl", "kl_batch": "mean"})
    assert told.asks == () and told.sigma2 == pytest.approx(0.1 * 64 / 2)


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"kl": "red"}, {"kl_weight": "much"}])
def test_a_correction_that_no_field_can_have_is_refused(wrong):
    with pytest.raises(ExplorerError):
        meaning(PASTE, wrong, {"w": 1.0})


def test_the_command_exits_with_2_until_it_is_answered(capsys):
    arguments = ["beta", UNCLEAR, "--shape", "64", "--latents", "8"]
    assert main(arguments) == 2
    said = capsys.readouterr().out
    assert "Say first: kl" in said and "--correct kl=kl|kl-without-half" in said
    answers = ["--correct", "kl=kl", "--correct", "kl_batch=mean"]
    assert main([*arguments, *answers, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sigma2"] == pytest.approx(3.2)


@pytest.mark.parametrize("pair", ["kl", "kl=", "=kl", "kl=red"])
def test_an_answer_that_is_none_is_one_sentence(pair, capsys):
    assert main(["beta", UNCLEAR, "--correct", pair]) == 2
    assert capsys.readouterr().err.startswith("latent-explorer: ")


def test_a_batch_size_written_into_the_loss_is_told_without_contradiction(capsys):
    assert main(["beta", HERE, "--batch-size", "128"]) == 0
    said = capsys.readouterr().out
    assert "At this batch size it is the ELBO; written as below it is that at any." in said
    assert "nothing to change" not in said and "len(x)" in said
    assert main(["beta", HERE]) == 2
    assert "with --batch-size N" in capsys.readouterr().out
    assert main(["beta", HERE, "--batch-size", "64"]) == 0
    assert "β = 2" in capsys.readouterr().out
