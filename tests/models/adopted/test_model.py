"""A foreign model behind the face of ours: every analysis serves it, and finds what ours finds."""

import copy

import numpy as np
import pytest
import torch

from explorer.analysis.collapse.diagnose import diagnose
from explorer.analysis.inference.emission import Emission
from explorer.analysis.inference.exact import infer_posterior
from explorer.analysis.subject import Subject
from explorer.elbo.encoding import draw_targets
from explorer.errors import ExplorerError
from explorer.models.adopted.block import digest_networks, model_block, network_kind
from explorer.models.adopted.layers.network import build_network
from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.model import AdoptedModel, adopt_fit
from explorer.models.adopted.opening import open_pair
from explorer.models.adopted.probe import probe
from explorer.models.adopted.question import Question
from explorer.models.adopted.weights import pack_networks, read_networks, save_networks
from explorer.models.likelihoods.bernoulli import BernoulliLikelihood
from explorer.runs.info_read import read_info
from tests.helpers import present
from tests.models.adopted.onnx_writer import digits_decoder, digits_encoder
from tests.models.adopted.strangers import shipped


@pytest.fixture(scope="module")
def adopted():
    """The digits model by way of two ONNX files, with the fits and the question."""
    _, images = shipped("digits-2d")
    question = Question(images, "bernoulli", binarise=True)
    pair = open_pair(digits_encoder("std"), digits_decoder("minus-one", "NHWC"), (1, 8, 8))
    fits = probe(*pair, question)
    return adopt_fit(fits[0], question), fits, question


def test_it_answers_as_the_model_that_it_is(adopted):
    model, images = shipped("digits-2d")
    own, _, _ = adopted
    x = draw_targets(model, images, seed=0)
    assert torch.equal(draw_targets(own, images, seed=0), x)
    assert (own.shape, own.latent_dim, own.has_density) == (model.shape, 2, True)
    for found, expected in zip(own.encode_parameters(x), model.encode_parameters(x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    z = model.encode(x).mean
    torch.testing.assert_close(own.nll(z, x), model.nll(z, x), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(own.decode(z).mean, model.decode(z).mean, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(own.encode(x).stddev, model.encode(x).stddev, rtol=1e-4, atol=1e-6)


def test_foreign_log_variances_are_taken_as_they_are():
    """Our bound of ±20 would make −26 of them −17.4."""
    heads = [Layer("linear", {}, {"weight": torch.zeros(2, 1), "bias": torch.tensor([0.0, -26.0])})]
    encoder = build_network([Layer("flatten"), *heads], (1, 1, 1))
    decoder = build_network([Layer("reshape", {"shape": [1, 1, 1]})], (1,))
    model = AdoptedModel(encoder, decoder, (1, 1, 1), BernoulliLikelihood())
    assert float(model.encode_parameters(torch.zeros((1, 1, 1, 1)))[1]) == -26


def test_its_exact_posterior_is_certified_and_that_of_the_model(adopted):
    model, images = shipped("digits-2d")
    x = draw_targets(model, images[:6], seed=0)
    found, expected = infer_posterior(adopted[0], x), infer_posterior(model, x)
    assert found.certified.all()
    np.testing.assert_allclose(found.log_px, expected.log_px, atol=2e-3)


def test_its_decoder_is_split_before_a_last_layer_that_widens(adopted):
    own, _, _ = adopted
    assert own.split_decoder()[1] is None  # 256 units to 64 pixels.
    torch.manual_seed(0)
    layers = [
        Layer("linear", {}, {"weight": torch.randn(8, 2)}),
        Layer("tanh"),
        Layer("linear", {}, {"weight": torch.randn(64, 8), "bias": torch.randn(64)}),
        Layer("reshape", {"shape": [1, 8, 8]}),
    ]
    wide = AdoptedModel(own.encoder, build_network(layers, (2,)), (1, 8, 8), own.likelihood)
    body, last = wide.split_decoder()
    z, x = torch.randn((3, 2)), torch.rand((5, 1, 8, 8)).round()
    torch.testing.assert_close(present(last)(body(z)).view(-1, 1, 8, 8), wide.decoder(z))
    for model in (own, wide):
        pairs = Emission(model).log_likelihood(z.double(), x.double())
        expected = torch.stack([-model.nll(z, image.expand(3, -1, -1, -1)) for image in x], 1)
        torch.testing.assert_close(pairs.float(), expected, rtol=1e-4, atol=1e-4)


def test_it_is_diagnosed_as_the_model_is(adopted):
    model, images = shipped("digits-2d")
    found, expected = (
        diagnose(one, draw_targets(model, images, seed=0)) for one in (adopted[0], model)
    )
    assert [d.verdict for d in found.dimensions] == [d.verdict for d in expected.dimensions]


def test_it_computes_in_double_precision(adopted):
    own = copy.deepcopy(adopted[0]).double()
    x = torch.rand((3, 1, 8, 8), dtype=torch.float64)
    assert own.reference.dtype == torch.float64 and own.encode_parameters(x)[0].dtype == x.dtype


def test_it_is_written_and_read_again_as_it_is(adopted, tmp_path):
    own, _, question = adopted
    save_networks(tmp_path, own.encoder, own.decoder)
    encoder, decoder = read_networks(tmp_path / "checkpoint.safetensors")
    again = AdoptedModel(encoder, decoder, own.shape, own.likelihood)
    x = question.target(question.images)
    for found, expected in zip(again.encode_parameters(x), own.encode_parameters(x), strict=True):
        torch.testing.assert_close(found, expected)
    assert digest_networks(again) == digest_networks(own)


def test_networks_that_do_not_belong_together_are_refused(adopted):
    own, _, _ = adopted
    with pytest.raises(ExplorerError, match="do not serve"):
        AdoptedModel(own.encoder, own.decoder, (1, 4, 16), own.likelihood)
    single = build_network([Layer("reshape", {"shape": [64]})], (1, 8, 8))
    with pytest.raises(ExplorerError, match="mean and log-variance"):
        AdoptedModel(single, own.decoder, (1, 8, 8), own.likelihood)


# What run.json keeps.


def test_the_block_is_one_that_run_json_reads(adopted):
    own, fits, question = adopted
    block = model_block(own, fits, question, beta=1.0, implied={"beta": 0.97}, report={"x": 1})
    values = {
        "schema": 2, "created": 0.0, "seed": None, "planned_steps": None, "timing": {},
        "results": {}, "versions": {}, "config": None, "images": None, "model": block,
        "status": {"state": "finished", "step": 0, "message": "", "pid": 0, "host": "",
                   "heartbeat": 0.0, "control": 0, "family_control": 0},
    }  # fmt: skip
    info = read_info(values, "run.json")
    assert (info.model.kind, info.latent_dim, info.model.shape) == ("layers", 2, (1, 8, 8))
    likelihood = present(info.model.likelihood)
    assert likelihood.binarise and likelihood.told
    kept = present(info.model.adopted)
    assert kept["input"] == {"layout": "NCHW", "scale": 1.0, "shift": 0.0, "fit": "none"}
    assert (kept["spread"], kept["output"], kept["output_layout"]) == ("sd", "signed", "NHWC")
    assert kept["heads"].startswith("two outputs: mean, spread")
    assert -1 <= kept["output_range"][0] < kept["output_range"][1] <= 1
    assert kept["beta"] == {"told": 1.0, "implied": {"beta": 0.97}} and kept["report"] == {"x": 1}
    assert len(kept["sha256"]) == 64 and kept["fit"]["beta"] == pytest.approx(1, rel=0.2)


def test_the_digest_is_of_the_weights(adopted):
    own = copy.deepcopy(adopted[0])
    layers = own.decoder.layers
    layers[0].tensors["weight"][0, 0] += 1
    assert digest_networks(own) != digest_networks(adopted[0])


def test_a_callable_that_was_not_drawn_serves_and_is_never_written():
    model, images = shipped("digits-2d")

    def encode(x):
        return model.encode_parameters(x if x.mean() > -1 else -x)

    question = Question(images, "bernoulli", binarise=True)
    with pytest.warns(UserWarning, match="codes and pictures alone"):
        pair = open_pair(encode, model.decoder, (1, 8, 8), keep=True)
    fits = probe(*pair, question)
    own = adopt_fit(fits[0], question)
    x = question.target(images)
    torch.testing.assert_close(own.encode_parameters(x)[0], model.encode_parameters(x)[0])
    assert network_kind(own.encoder, own.decoder) == "none" and digest_networks(own) is None
    with pytest.raises(ExplorerError, match="no file can hold it"):
        pack_networks(own.encoder, own.decoder)


def test_a_subject_of_it_is_a_subject(adopted):
    own, _, question = adopted
    mean, logvar = Subject(own, question.images).codes
    assert mean.shape == logvar.shape == (len(question.images), 2)
