"""What the steps of an analysis share is checked once, encoded once, and put back as it was."""

import numpy as np
import pytest
import torch

from explorer.analysis.collapse.diagnose import diagnose
from explorer.analysis.subject import Subject
from explorer.config import ModelConfig
from explorer.elbo.encoding import draw_targets
from explorer.errors import ExplorerError
from explorer.models import VAE


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(ModelConfig(hidden=(16,), latent_dim=3), (1, 8, 8))


def some_images(count=30):
    return np.random.default_rng(0).integers(0, 256, (count, 1, 8, 8), dtype=np.uint8)


def test_bytes_become_what_the_model_scores(model):
    found = Subject(model, some_images(), seed=3).x
    assert torch.equal(found, draw_targets(model, some_images(), seed=3))
    assert set(found.unique().tolist()) == {0.0, 1.0}


def test_codes_are_the_encoders_and_a_parts_codes_are_the_wholes(model):
    subject = Subject(model, some_images())
    with torch.no_grad():
        mean, logvar = model.encode_parameters(subject.x)
    torch.testing.assert_close(subject.posterior, (mean, logvar))
    few = subject.first(4)
    assert len(few) == 4 and torch.equal(few.posterior[0], subject.posterior[0][:4])
    assert few.codes[1].dtype == np.float64


def test_it_is_encoded_once_however_many_steps_ask(model, monkeypatch):
    seen = []
    encode = VAE.encode_parameters

    def count(self, x):
        seen.append(len(x))
        return encode(self, x)

    monkeypatch.setattr(VAE, "encode_parameters", count)
    diagnose(model, some_images())
    assert seen == [30]


def test_the_model_is_given_back_as_it_came(model):
    model.train()
    subject = Subject(model, some_images())
    with subject.hold():
        assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert model.training and all(p.requires_grad for p in model.parameters())


def test_what_does_not_fit_is_one_sentence(model):
    with pytest.raises(ExplorerError, match="shape"):
        Subject(model, torch.zeros(2, 1, 9, 9))
    with pytest.raises(ExplorerError, match="plain autoencoder"):
        Subject(VAE(ModelConfig(hidden=(8,), latent="point"), (1, 8, 8)), some_images())
