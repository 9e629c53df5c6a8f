"""What a loss means: doubts that stop an answer, corrections by hand, notes, advice."""

from dataclasses import replace

import pytest

from explorer.analysis.loss.effective import effective_loss, factor_text
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.sentences import ADVICE, DOUBTS, NOTES, REASONS, say_advice, say_doubt
from explorer.analysis.loss.understood import Data, Doubt, Understood
from explorer.errors import ExplorerError
from tests.helpers import present

DATA = Data((1, 28, 28), 20, 64)
KL = "kl = (-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), 1)).mean()\n"
MSE = "rec = F.mse_loss(x_hat, x)\n"


def codes(found):
    return {doubt.code for doubt in found.doubts}


@pytest.mark.parametrize(
    "text, asks",
    [
        ("loss = recon_loss + beta * kl_loss",
         ("reconstruction", "reconstruction_weight", "kl", "kl_weight")),
        (MSE + "loss = rec + 0.1 * kld", ("kl",)),
        (KL + MSE + "loss = rec + self.beta * kl", ("kl_weight",)),
        (KL + "loss = torch.sqrt(F.mse_loss(x_hat, x)) + kl",
         ("reconstruction", "reconstruction_weight")),
        (KL + "loss = F.smooth_l1_loss(x_hat, x) + kl",
         ("reconstruction", "reconstruction_weight")),
        ("kl = 0.5 * (mu ** 2 + std ** 2 - 2 * std.log() - 1).sum(1)\n"
         "rec = ((x - x_hat) ** 2).sum([1, 2, 3]) / (2 * sigma ** 2)\nloss = (rec + kl).mean()",
         ("scale",)),
        (MSE + "loss = rec + torch.logsumexp(log_q - log_p, 0).mean()", ("kl",)),
    ],
)  # fmt: skip
def test_what_is_not_known_is_asked_and_no_beta_is_made_up(text, asks):
    meaning = effective_loss(read_loss(text, DATA), DATA)
    assert meaning.asks == asks
    assert (meaning.beta, meaning.sigma2, meaning.corrected) == (None, None, "")
    assert say_advice(meaning).startswith("Say first: " + asks[0])


def test_a_batch_size_is_asked_only_where_it_matters():
    text = "loss = F.mse_loss(x_hat, x, reduction='sum')\n" + KL + "loss = loss + kl"
    unknown = Data((1, 28, 28), 20)
    assert effective_loss(read_loss(text, unknown), unknown).asks == ("batch_size",)
    meaning = effective_loss(read_loss(text, DATA), DATA)
    assert meaning.sigma2 == pytest.approx(1 / (2 * 64))
    assert "batch_dependent" in meaning.notes
    text = MSE + KL + "loss = rec + kl"
    assert effective_loss(read_loss(text, unknown), unknown).sigma2 == pytest.approx(392)


@pytest.mark.parametrize(
    "extra, code",
    [
        ("0.1 * self.vgg_loss(x_hat, x)", "perceptual"),
        ("lpips(x, x_hat).mean()", "perceptual"),
        ("0.5 * g_loss", "adversarial"),
        ("-torch.mean(discriminator(x_hat))", "adversarial"),
        ("0.1 * F.l1_loss(x_hat, x)", "second_reconstruction"),
    ],
)
def test_terms_without_nats_leave_no_beta_and_the_rest_is_told_apart(extra, code):
    found = read_loss(f"{KL}{MSE}loss = rec + 1e-3 * kl + {extra}", DATA)
    meaning = effective_loss(found, DATA)
    assert code in codes(found)
    assert (meaning.beta, meaning.sigma2, meaning.advice.code) == (None, None, "no_beta")
    assert present(meaning.rest).sigma2 == pytest.approx(1e-3 * 784 / 2)


def test_regularisers_are_told_and_do_not_count():
    found = read_loss(f"{KL}{MSE}loss = rec + 1e-3 * kl + 10 * mmd_loss", DATA)
    assert [(d.code, d.text) for d in found.doubts] == [("regulariser", "mmd_loss")]
    assert effective_loss(found, DATA).sigma2 == pytest.approx(0.392)


def test_fields_can_be_corrected_by_hand():
    found = read_loss("loss = recon_loss + beta * kl_loss", DATA)
    mended = replace(
        found,
        reconstruction="squared-error",
        reconstruction_pixels="mean",
        reconstruction_weight=1.0,
        kl="kl",
        kl_weight=2.5e-4,
        kl_batch="mean",
    )
    faces = Data((3, 64, 64), 128, 64)
    meaning = effective_loss(mended, faces)
    assert meaning.sigma2 == pytest.approx(1.536)
    assert meaning.corrected.startswith("loss = (((x_hat - x) ** 2).sum()")
    scaled = replace(mended, reconstruction="gaussian", scale=0.1, reconstruction_pixels="sum")
    assert effective_loss(scaled, faces).beta == pytest.approx(2.5e-4)
    assert effective_loss(scaled, faces).sigma2 == pytest.approx(2.5e-6)


@pytest.mark.parametrize(
    "bad",
    [{"reconstruction": "l3"}, {"kl": "half"}, {"reconstruction_weight": 0.0}, {"scale": -1.0},
     {"kl_weight": float("inf")}, {"reconstruction_pixels": "some"}, {"annealing": "yes"}],
)  # fmt: skip
def test_corrections_that_mean_nothing_are_one_clear_error(bad):
    with pytest.raises(ExplorerError):
        Understood(**bad)


@pytest.mark.parametrize(
    "bad",
    [{"shape": (0,)}, {"shape": ()}, {"shape": (1, 2, 3, 4)}, {"latents": 0}, {"latents": 1.5},
     {"batch_size": 0}, {"low": 1.0, "high": 1.0}],
)  # fmt: skip
def test_data_that_cannot_be_are_one_clear_error(bad):
    with pytest.raises(ExplorerError):
        Data(**bad)
    with pytest.raises(ExplorerError, match="above 0"):
        effective_loss(Understood(), DATA, sigma2=0.0)


def test_a_wide_range_makes_squared_errors_four_times_as_large():
    """[−1, 1] is twice as wide: the same loss is a quarter of the σ² for pixels in [0, 1]."""
    loss = read_loss(KL + MSE + "loss = rec + 2.5e-4 * kl", Data((3, 64, 64), 128))
    unit = effective_loss(loss, Data((3, 64, 64), 128))
    wide = effective_loss(loss, Data((3, 64, 64), 128, low=-1.0, high=1.0))
    assert unit.sigma2 == wide.sigma2 == pytest.approx(1.536)
    assert (unit.sigma2_unit, wide.sigma2_unit) == pytest.approx((1.536, 0.384))
    assert "wide_range" in wide.notes and "wide_range" not in unit.notes
    assert wide.advice.sigma2 == pytest.approx(4 * present(unit.advice.sigma2))
    assert effective_loss(loss, Data((45,), 2, standardised=True)).sigma2_unit is None


def test_a_cross_entropy_outside_0_1_is_told():
    text = KL + "rec = F.binary_cross_entropy(p, x, reduction='sum') / len(x)\nloss = rec + kl"
    for data in (Data((784,), 20, low=-1.0), Data((784,), 20, standardised=True)):
        assert "cross_entropy_outside_0_1" in effective_loss(read_loss(text, data), data).notes
    assert "cross_entropy_outside_0_1" not in effective_loss(read_loss(text, DATA), DATA).notes


@pytest.mark.parametrize(
    "text, code, factor, sigma2, reason",
    [
        (KL + "rec = F.binary_cross_entropy(p, x)\nloss = rec + kl", "multiply_kl", "1/784", None,
         "reconstruction_averaged_over_pixels"),
        (KL + "rec = F.binary_cross_entropy(p, x, reduction='sum') / len(x)\nloss = rec + kl / 20",
         "multiply_kl", "20", None, "kl_weighted"),
        ("kl = -0.5 * torch.mean(1 + logvar - mu.pow(2) - logvar.exp())\n"
         "rec = F.binary_cross_entropy(p, x, reduction='sum') / len(x)\nloss = rec + kl",
         "multiply_kl", "20", None, "kl_averaged_over_latents"),
        ("kl = torch.sum(mu.pow(2) + logvar.exp() - 1 - logvar)\n"
         "rec = F.binary_cross_entropy(p, x, reduction='sum')\nloss = rec + kl",
         "multiply_kl", "1/2", None, "kl_without_half"),
        (KL + "rec = F.binary_cross_entropy(p, x, reduction='sum') / len(x)\nloss = rec + kl",
         "is_elbo", "1", None, ""),
        (KL + "rec = F.mse_loss(x_hat, x, reduction='sum') / len(x)\nloss = rec + 1.28 * kl",
         "multiply_kl", "1/64", 0.01, "scale_not_said"),
        (KL + MSE + "loss = rec + 5e-5 * kl", "is_elbo_at", "1", 0.0196, "plausible"),
        ("rec = F.mse_loss(x_hat, x)\nloss = rec", "no_kl", "", 0.01, "no_kl"),
        (KL + MSE + "loss = rec - kl", "turn_kl", "−1", 0.01, "kl_negative"),
    ],
)  # fmt: skip
def test_advice(text, code, factor, sigma2, reason):
    meaning = effective_loss(read_loss(text, DATA), DATA)
    advice = meaning.advice
    assert (advice.code, advice.factor_text, advice.reason) == (code, factor, reason)
    assert advice.sigma2 == pytest.approx(sigma2)
    assert len(say_advice(meaning)) > 15


def test_the_wanted_variance_and_beta_set_the_factor():
    """σ²_eff = 392 with a mean over 784: for σ² = .0196 and β = 2 the KL is to be a 10,000th."""
    text = KL + MSE + "loss = rec + kl"
    meaning = effective_loss(read_loss(text, DATA), DATA, sigma2=0.0196, beta=2.0)
    assert meaning.advice.factor == pytest.approx(1e-4)
    assert say_advice(meaning).startswith(
        "Multiply the KL by 1/10000 for the ELBO with σ² = 0.0196"
    )


def test_surviving_dimensions_only_with_eigenvalues_of_ones_own_data():
    loss = read_loss(KL + MSE + "loss = rec + 2.5e-4 * kl", Data((3, 64, 64), 128))
    data = Data((3, 64, 64), 128)
    assert effective_loss(loss, data).surviving is None
    assert effective_loss(loss, data, eigenvalues=[9.0, 1.6, 1.5]).surviving == 2
    nothing = effective_loss(loss, data, eigenvalues=[1.5, 0.1])
    assert nothing.surviving == 0 and "everything_collapses" in nothing.notes


def test_a_negative_kl_is_named_by_its_sign():
    text = "loss = F.mse_loss(x_hat, x, reduction='sum') + 0.5 * torch.sum(1 + logvar - mu.pow(2) "
    meaning = effective_loss(read_loss(text + "- logvar.exp())", DATA), DATA)
    assert meaning.sigma2 == -0.5 and "kl_negative" in meaning.notes
    text = text.replace("+ 0.5 *", "- 0.5 *")
    assert effective_loss(read_loss(text + "- logvar.exp())", DATA), DATA).sigma2 == 0.5


def test_a_mask_counts_as_ones_and_is_told():
    text = KL + "loss = (mask * (x_hat - x) ** 2).sum() / mask.sum() + kl"
    found = read_loss(text, DATA)
    assert codes(found) == {"masked"}
    assert effective_loss(found, DATA).sigma2 == pytest.approx(392)


@pytest.mark.parametrize(
    "line",
    [
        "inv = 1 / s\nplus = torch.sigmoid((x + 1 / 510 - m) * inv)\n"
        "minus = torch.sigmoid((x - 1 / 510 - m) * inv)\n"
        "rec = -torch.log(torch.clamp(plus - minus, min=1e-12)).sum() / len(x)",
        "rec = discretized_mix_logistic_loss(x, l) / len(x)",
        "rec = -discretized_logistic(m, logscale, sample=x).sum() / len(x)",
    ],
)
def test_a_discretised_logistic_is_in_nats(line):
    found = read_loss(f"{KL}{line}\nloss = rec + 2 * kl", DATA)
    assert found.reconstruction == "discretised-logistic"
    assert effective_loss(found, DATA).beta == pytest.approx(2)


@pytest.mark.parametrize(
    "line, right",
    [
        ("reduce((x - x_hat) ** 2, 'b c h w -> b', 'sum').mean()", 0.5),
        ("einops.reduce((x - x_hat) ** 2, 'b ... -> b', 'mean').mean()", 392),
        ("dist.Normal(x_hat, 1.0).to_event(3).log_prob(x).mean() * -1", 1.0),
    ],
)
def test_reductions_by_pattern_and_by_event(line, right):
    meaning = effective_loss(read_loss(f"{KL}loss = {line} + kl", DATA), DATA)
    assert (meaning.sigma2 or meaning.beta) == pytest.approx(right)


def test_one_axis_taken_for_all_pixels_is_told():
    text = KL + "loss = F.mse_loss(x_hat, x, reduction='none').sum(1).mean() + kl"
    found = read_loss(text, DATA)
    assert "axis_for_all" in codes(found) and found.reconstruction_pixels == "sum"
    assert "axis_for_all" not in codes(read_loss(text, Data((784,), 20)))


def test_several_levels_of_one_weight_are_added_and_told():
    text = f"""
kl1 = {KL[5:]}
kl2 = (-0.5 * torch.sum(1 + logvar2 - mu2.pow(2) - logvar2.exp(), 1)).mean()
loss = F.binary_cross_entropy(p, x, reduction='sum') / len(x) + 2 * (kl1 + kl2)"""
    meaning = effective_loss(read_loss(text, DATA), DATA)
    assert meaning.beta == 2 and "several_kl" in meaning.notes
    other = effective_loss(read_loss(text.replace("kl1 + kl2", "kl1 + 3 * kl2"), DATA), DATA)
    assert other.beta is None and other.advice.code == "no_beta"


def test_fractions_are_written_as_people_do():
    assert [factor_text(v) for v in (1 / 3, 0.25, 784.0, 1.0, 0.0104, 39.2, 1e-9)] == [
        "1/3",
        "1/4",
        "784",
        "1",
        "0.0104",
        "39.2",
        "1e-09",
    ]


def test_every_code_has_its_sentence():
    for code in DOUBTS:
        assert "{" not in say_doubt(Doubt(code, "mmd_loss"))
    assert {
        "multiply_kl",
        "is_elbo",
        "is_elbo_at",
        "is_elbo_here",
        "no_kl",
        "turn_kl",
        "answer_first",
        "no_beta",
    } == set(ADVICE)
    assert not set(NOTES) & set(REASONS)


def test_values_are_ready_for_json():
    import json

    found = read_loss(KL + MSE + "loss = rec + kl + lpips(x, x_hat)", DATA)
    json.dumps(found.to_dict())
    values = json.loads(json.dumps(effective_loss(found, DATA).to_dict()))
    assert values["rest"]["sigma2"] == pytest.approx(392) and values["advice"]["code"] == "no_beta"
