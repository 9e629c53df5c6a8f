"""Which reading is right: every convention is found, on models whose meaning is known."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from explorer.elbo.evaluation import evaluate_elbo
from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import open_onnx
from explorer.models.adopted.model import adopt_fit
from explorer.models.adopted.opening import open_pair
from explorer.models.adopted.probe import ALIKE, probe
from explorer.models.adopted.question import Question
from tests.helpers import present
from tests.models.adopted.onnx_writer import DECODERS, ENCODERS, digits_model
from tests.models.adopted.strangers import (
    SCALES,
    padded,
    shipped,
    strange_decoder,
    strange_encoder,
)


def ask(encode, decode, question):
    image = question.images.shape[1:]
    return probe(*open_pair(encode, decode, image), question)


def kl_of(mean, logvar):
    return float((0.5 * (mean**2 + logvar.exp() - 1 - logvar)).sum(1).mean())


# The pairs of ONNX files.


@pytest.fixture(scope="module")
def digits():
    """The digits' test images and what the shipped run says of them."""
    model, images = shipped("digits-2d")
    return images, evaluate_elbo(model, images, seed=0).to_dict()


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_pair_of_files_is_read_right(encoder, decoder, digits):
    """ELBO and KL on the same images with the same seed, within .05 nats of the model's own."""
    images, truth = digits
    question = Question(images, "bernoulli", binarise=True)
    pair = open_onnx(ENCODERS[encoder]()), open_onnx(DECODERS[decoder]())
    fits = probe([pair[0]], [pair[1]], question)
    found = evaluate_elbo(adopt_fit(fits[0], question), images, seed=0).to_dict()
    assert found["elbo"] == pytest.approx(truth["elbo"], abs=0.05)
    assert found["kl"] == pytest.approx(truth["kl"], abs=0.05)
    np.testing.assert_allclose(found["kl_per_dim"], truth["kl_per_dim"], atol=0.05)


@pytest.mark.parametrize("likelihood", ["gaussian", "laplace", "discretized-logistic"])
def test_a_variance_is_taken_in_the_decoders_units_whatever_the_likelihood(likelihood, digits):
    """Pixels in [−1, 1] are twice as far apart as those in [0, 1], and σ² four times as large."""
    question = Question(digits[0], likelihood, sigma2=0.2)
    fit = probe(
        [open_onnx(ENCODERS["std"]())], [open_onnx(DECODERS["NHWC, minus one"]())], question
    )[0]
    assert fit.reading.output == "signed"
    # A learned log-variance stays softly above a floor, which lifts it a little.
    assert fit.sigma2 == pytest.approx(0.05, rel=1e-3)
    held = present(adopt_fit(fit, question).likelihood.sigma2())
    assert held.item() == pytest.approx(0.05, rel=1e-3)


# Torch callables.


def test_a_prior_that_is_returned_beside_q_is_not_taken_for_it(digits):
    model, images = digits_model(), digits[0]

    def encode(x):
        mean, logvar = model.encode_parameters(x)
        q = Normal(mean, torch.exp(0.5 * logvar))
        return Normal(torch.zeros_like(mean), torch.ones_like(mean)), q, q.rsample()

    fits = ask(encode, model.decoder, Question(images, "bernoulli"))
    mean, logvar = model.encode_parameters(torch.tensor(images).float() / 255)
    assert [fit.reading.heads for fit in fits] == ["distribution"]
    assert fits[0].kl == pytest.approx(kl_of(mean, logvar), rel=0.05)


STRANGERS = [
    ("digits-2d", "unit", "two outputs: mean", "log-variance", "logits", "NCHW"),
    ("digits-2d", "signed", "halves: mean", "log-sd", "unit", "flat"),
    ("digits-2d", "bytes", "interleaved: mean", "sd", "signed", "NHWC"),
    ("strokes-10d", "unit", "two outputs: spread", "variance", "unit", "flat"),
    ("strokes-10d", "signed", "interleaved: mean", "log-sd", "logits", "NHWC"),
    ("strokes-10d", "bytes", "halves: spread", "sd", "bytes", "NCHW"),
    ("strokes-10d", "standardised", "halves: mean", "log-variance", "signed", "NCHW"),
    ("strokes-10d", "centred", "halves: mean", "sd", "as input", "NHWC"),
    ("digits-2d", "centred", "two outputs: mean", "log-variance", "logits", "NCHW"),
    ("strokes-10d", "unit", "halves: spread", "softplus-sd", "logits", "NCHW"),
    ("strokes-10d", "unit", "two outputs: mean", "softplus-variance", "unit", "flat"),
]


@pytest.mark.parametrize("name, pixels, heads, spread, picture, layout", STRANGERS)
def test_strangers_are_understood(name, pixels, heads, spread, picture, layout):
    model, images = shipped(name)
    question = Question(images, "bernoulli", binarise=True)
    fit = ask(
        strange_encoder(model, pixels, heads, spread),
        strange_decoder(model, picture, layout),
        question,
    )[0]
    reading = fit.reading
    assert (reading.scale, reading.shift) == SCALES[pixels]
    assert reading.heads.startswith(heads)
    assert (reading.output, reading.output_layout) == (picture, layout)
    x = question.target(images)
    mean, logvar = adopt_fit(fit, question).encode_parameters(x)
    own_mean, own_logvar = model.encode_parameters(x)
    torch.testing.assert_close(mean, own_mean, rtol=1e-3, atol=1e-3)
    # A softplus of very negative numbers is their exponential: what it is called does not matter.
    assert kl_of(mean, logvar) == pytest.approx(kl_of(own_mean, own_logvar), abs=0.05)
    if not spread.startswith("softplus"):
        assert reading.spread == spread


def test_a_gaussian_pair_in_signed_pixels_has_its_variance_in_its_own_units():
    model, images = shipped("strokes-vae-2d")
    sigma2 = float(model.likelihood.sigma2())

    def decode(z):
        return 2 * model.decoder(z) - 1

    question = Question(images, "gaussian", sigma2=4 * sigma2)
    fit = ask(strange_encoder(model, "signed"), decode, question)[0]
    assert (fit.reading.output, fit.reading.scale) == ("signed", 2.0)
    assert fit.sigma2 == pytest.approx(sigma2)
    own = evaluate_elbo(model, images, draws=2).to_dict()
    found = evaluate_elbo(adopt_fit(fit, question), images, draws=2).to_dict()
    assert found["elbo"] == pytest.approx(own["elbo"], abs=0.05)


def test_without_a_variance_the_error_of_the_pictures_stands_in():
    model, images = shipped("strokes-vae-2d")
    question = Question(images, "gaussian")
    fit = ask(strange_encoder(model), model.decoder, question)[0]
    x = question.target(images)
    mean, _ = model.encode_parameters(x)
    error = float((model.decode(mean).mean - x).square().mean())
    assert fit.sigma2 == pytest.approx(error, rel=0.15)  # Of the images that the probe chose.


@pytest.mark.parametrize("fit, answer", [("pad", "pad"), ("resize", "resize")])
def test_a_border_is_told_from_a_resize_by_what_is_explained(fit, answer):
    """A border makes the cross-entropy fall: 28 × 28 images in a network of 32 × 32."""
    model, images = shipped("strokes-10d")
    encode, decode = padded(model)
    if fit == "resize":

        def resized(x):
            small = torch.nn.functional.interpolate(x, (28, 28), mode="bilinear")
            return model.encode_parameters(small)

        def enlarged(z):
            shown = torch.sigmoid(model.decoder(z))
            return torch.nn.functional.interpolate(shown, (32, 32), mode="bilinear")

        encode, decode = resized, enlarged
    found = ask(encode, decode, Question(images, "bernoulli"))[0]
    assert (found.reading.fit, found.shape) == (answer, (1, 32, 32))


def test_a_distribution_and_a_sample_leave_nothing_to_guess():
    model, images = shipped("digits-2d")
    question = Question(images, "bernoulli", binarise=True)

    def sample(x):
        mean, logvar = model.encode_parameters(x)
        return mean + torch.randn_like(mean) * torch.exp(logvar / 2)

    for encode, heads in ((model.encode, "distribution"), (sample, "noise")):
        fits = ask(encode, model.decoder, question)
        assert [(fit.reading.heads, fit.reading.spread) for fit in fits] == [(heads, "sd")]


def test_a_sleeping_model_is_read_by_its_aggregate():
    """Every dimension is dead: means 0 and log σ² 0 have no rival that costs no nats."""
    model, images = shipped("digits-2d")

    def encode(x):
        mean, _ = model.encode_parameters(x)
        return 1 + 0 * mean, 0 * mean  # σ² and μ, in this order.

    fit = ask(encode, model.decoder, Question(images, "bernoulli"))[0]
    assert fit.kl == pytest.approx(0, abs=1e-6) and fit.beta is None
    assert fit.incoherence is None


# What is asked, what is told, what is refused.


def test_two_readings_that_fit_alike_are_both_returned_with_the_beta_of_each():
    """Two latents whose log σ could be log σ²: the truth comes first, with β near 1."""
    model, images = shipped("digits-2d")
    question = Question(images, "bernoulli", binarise=True)
    fits = ask(strange_encoder(model, spread="log-sd"), model.decoder, question)
    spreads = [fit.reading.spread for fit in fits]
    assert spreads[0] == "log-sd" and "log-variance" in spreads
    assert fits[0].beta == pytest.approx(1, rel=0.2)
    other = fits[spreads.index("log-variance")]
    assert other.beta > 3 and other.misfit <= ALIKE * fits[0].misfit


def test_the_name_of_an_output_is_weighed_and_not_believed():
    """σ that is called a log-variance stays σ; but its own name settles what was open."""
    model, images = shipped("digits-2d")
    question = Question(images, "bernoulli", binarise=True)

    def named(name):
        def encode(x):
            mean, logvar = model.encode_parameters(x)
            return {"mu": mean, name: torch.exp(logvar / 2)}

        return [fit.reading.spread for fit in ask(encode, model.decoder, question)]

    assert named("logvar")[0] == "sd"
    assert named("std") == ["sd"]


def test_what_a_person_tells_is_not_asked_again():
    model, images = shipped("digits-2d")
    told = {"spread": "log-sd", "scale": 1.0, "shift": 0.0, "output": "logits"}
    question = Question(images, "bernoulli", binarise=True, told=told)
    fits = ask(strange_encoder(model, spread="log-sd"), model.decoder, question)
    assert [fit.reading.spread for fit in fits] == ["log-sd"]


def test_the_same_question_has_the_same_answer():
    model, images = shipped("digits-2d")
    question = Question(images, "bernoulli", binarise=True)
    first, second = (
        ask(strange_encoder(model), model.decoder, question)[0].to_dict() for _ in range(2)
    )
    assert first == second


def test_a_pair_that_does_not_fit_is_told_what_each_takes():
    model, images = shipped("digits-2d")
    other, _ = shipped("strokes-10d")
    question = Question(images, "bernoulli")
    with pytest.raises(ExplorerError, match="takes no code of the sizes"):
        ask(model.encode_parameters, other.decoder, question)
    encoders, _ = open_pair(model.encode_parameters, model.decoder, model.shape)
    _, decoders = open_pair(other.encode_parameters, other.decoder, other.shape)
    with pytest.raises(ExplorerError, match="do not fit each other"):
        probe(encoders, decoders, question)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"likelihood": "gaussian-pixel"}, "one of bernoulli"),
        ({"sigma2": -1.0}, "above 0"),
        ({"likelihood": "gaussian", "binarise": True}, "go with the likelihood bernoulli"),
        ({"told": {"colour": 1}}, "has no 'colour'"),
        ({"images": np.zeros((3, 8, 8), np.uint8)}, "uint8 images"),
        ({"images": np.zeros((3, 1, 8, 8))}, "uint8 images"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(changes, sentence):
    values = {"images": np.zeros((3, 1, 8, 8), np.uint8), "likelihood": "bernoulli", **changes}
    with pytest.raises(ExplorerError, match=sentence):
        Question(**values)


def test_images_of_other_colours_are_no_question_of_layout():
    grey = digits_model()
    colour = np.zeros((4, 3, 8, 8), np.uint8)
    with pytest.raises(ExplorerError, match="in no layout"):
        ask(grey.encode_parameters, grey.decoder, Question(colour, "bernoulli"))
