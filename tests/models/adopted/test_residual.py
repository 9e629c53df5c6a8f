"""A residual VAE of 64×64 colour pictures in three states: healthy, three alive, all dead."""

import numpy as np
import pytest
import torch

from explorer.analysis.collapse.beta_of_weights import implied_beta
from explorer.analysis.collapse.self_test import self_test
from explorer.analysis.subject import Subject
from explorer.codes import kl_of_codes
from explorer.models.adopted.model import adopt_fit
from explorer.models.adopted.opening import open_pair
from explorer.models.adopted.probe import probe
from explorer.models.adopted.question import Question
from tests.models.adopted.residual import LATENTS, ResidualVAE, draw_discs, train

SIGMA2 = 0.05


def adopt(model, images):
    question = Question(images, "gaussian", sigma2=SIGMA2)
    fits = probe(*open_pair(model.encode, model.decode, (3, 64, 64)), question)
    return adopt_fit(fits[0], question), fits[0]


def awake(subject):
    kl = kl_of_codes(*subject.codes).mean(0)
    return int((kl > 0.01).sum()), kl


def test_an_untrained_one_becomes_layers_whatever_it_means():
    torch.manual_seed(0)
    model, images = ResidualVAE().eval(), draw_discs(60)
    adopted, fit = adopt(model, images)
    assert (fit.reading.heads, fit.reading.spread, fit.shape) == ("distribution", "sd", (3, 64, 64))
    x = torch.from_numpy(images).float() / 255
    scale, shift = fit.reading.scale, fit.reading.shift
    if isinstance(scale, tuple):
        scale, shift = (torch.tensor(v).view(3, 1, 1) for v in (scale, shift))
    expected = model.encode(x * scale + shift).base_dist
    mean, logvar = adopted.encode_parameters(x)
    torch.testing.assert_close(mean, expected.loc, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.exp(logvar / 2), expected.scale, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("alive, beta", [(LATENTS, 30.0), (3, 30.0), (0, 30.0)])
def test_a_trained_one_is_read_and_told_by_its_state(alive, beta):
    model, images = train(beta, steps=300, alive=alive, sigma2=SIGMA2), draw_discs(300, seed=1)
    adopted, fit = adopt(model, images)
    subject = Subject(adopted, images)
    x = torch.from_numpy(images).float() / 127.5 - 1
    expected = model.encode(x).base_dist
    if alive:
        assert (fit.reading.scale, fit.reading.shift, fit.reading.output) == (2.0, -1.0, "signed")
        torch.testing.assert_close(subject.posterior[0], expected.loc, rtol=1e-4, atol=1e-4)
    count, kl = awake(subject)
    own = kl_of_codes(expected.loc.detach().numpy(), 2 * expected.scale.log().detach().numpy())
    np.testing.assert_allclose(kl, own.mean(0), atol=1e-3)
    assert count == alive
    found = implied_beta(subject)
    if alive:
        assert found.beta == pytest.approx(beta, rel=0.2)
        assert self_test(subject, beta=beta).passed
    else:
        assert found.beta is None and found.reason == "asleep"
        assert self_test(subject).quiet
