"""A learned mixture prior, against torch.distributions and the standard prior that it contains."""

import pytest
import torch
from torch.distributions import MixtureSameFamily

from explorer.config import Config, ModelConfig, ObjectiveConfig
from explorer.elbo.evaluation import evaluate_elbo
from explorer.elbo.terms import elbo_terms, iwae_terms
from explorer.errors import ExplorerError
from explorer.models import VAE
from explorer.models.priors import MixturePrior, gaussian_kl
from explorer.models.stacked import StackedModels
from explorer.runs.run import Run
from explorer.training.loop import train
from tests.helpers import present
from tests.small_run import make_config


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def a_model(components=3, **settings):
    torch.manual_seed(0)
    fields = {"hidden": (8,), "latent_dim": 2, "precision": "float64", "prior": "mixture"}
    config = ModelConfig(**{**fields, "prior_components": components, **settings})
    return VAE(config, (1, 4, 4))


def make_standard(model):
    """Turn the mixture of one component into N(0, I)."""
    with torch.no_grad():
        for parameter in model.prior.parameters():
            parameter.zero_()
    return model


def without_mixture(model):
    plain = VAE(ModelConfig(**{**vars(model.config), "prior": "standard"}), model.shape)
    plain.load_state_dict(
        {k: v for k, v in model.state_dict().items() if not k.startswith("prior.")}
    )
    return plain


def some_x(batch=6):
    return torch.rand((batch, 1, 4, 4), generator=seeded(1), dtype=torch.float64).round()


def test_its_density_and_draws_are_those_of_torch_distributions():
    model = a_model()
    with torch.no_grad():
        model.prior.logits.copy_(torch.tensor([0.0, 1.0, -1.0]))
        model.prior.raw_logvar.normal_(generator=seeded(2))
    prior = model.prior.distribution()
    assert isinstance(prior, MixtureSameFamily)
    assert prior.event_shape == (2,)
    z = 3 * torch.randn((50, 2), generator=seeded(), dtype=torch.float64)
    torch.testing.assert_close(model.prior.log_prob(z), prior.log_prob(z), rtol=1e-12, atol=1e-12)
    draws = model.prior.sample(40_000, seeded(3)).detach()
    torch.testing.assert_close(draws.mean(0), prior.mean.detach(), rtol=0, atol=0.05)
    torch.testing.assert_close(draws.var(0), prior.variance.detach(), rtol=0.05, atol=0)


def test_kl_to_one_standard_component_is_the_closed_form_within_its_error():
    model = make_standard(a_model(1))
    mean = torch.randn((4, 2), generator=seeded(), dtype=torch.float64)
    logvar = torch.randn((4, 2), generator=seeded(1), dtype=torch.float64)
    noise = torch.randn((1500, 4, 2), generator=seeded(2), dtype=torch.float64)
    z = mean + (logvar / 2).exp() * noise
    draws = torch.stack([model.prior.kl(mean, logvar, part).total for part in z])
    error = draws.std(0) / len(z) ** 0.5
    assert ((draws.mean(0) - gaussian_kl(mean, logvar).sum(1)).abs() < 4 * error).all()


def test_kl_is_log_q_less_log_p_of_the_same_draw():
    model = a_model()
    q = model.encode(some_x())
    z = q.rsample()
    mean, logvar = model.encode_parameters(some_x())
    expected = q.log_prob(z) - model.prior.distribution().log_prob(z)
    torch.testing.assert_close(model.prior.kl(mean, logvar, z).total, expected)


@pytest.mark.parametrize(
    ("terms", "objective"),
    [
        (elbo_terms, ObjectiveConfig(samples=3)),
        (iwae_terms, ObjectiveConfig(importance_samples=4)),
    ],
)
def test_its_bound_with_one_standard_component_is_that_of_the_standard_prior(terms, objective):
    model = make_standard(a_model(1))
    mixed = terms(model, some_x(), 1.0, objective, seeded())
    plain = terms(without_mixture(model), some_x(), 1.0, objective, seeded())
    assert mixed.kl_per_dim is None and mixed.kl.shape == (6,)
    torch.testing.assert_close(mixed.reconstruction, plain.reconstruction)
    if terms is iwae_terms:  # The same draws; the ELBO's KL is drawn here and closed there.
        torch.testing.assert_close(mixed.bound, plain.bound)


def test_beta_and_a_total_floor_price_its_kl():
    model, x = a_model(), some_x()
    terms = elbo_terms(model, x, 2.0, ObjectiveConfig(), seeded())
    expected = (terms.reconstruction + 2 * present(terms.kl)).mean()
    torch.testing.assert_close(terms.objective, expected)
    floored = elbo_terms(model, x, 2.0, ObjectiveConfig(free_bits_total=500.0), seeded())
    assert floored.objective.item() == pytest.approx(floored.reconstruction.mean().item() + 1000)


def test_the_gradient_reaches_the_prior():
    model = a_model()
    elbo_terms(model, some_x(), 1.0, ObjectiveConfig(), seeded()).objective.backward()
    assert all(p.grad.abs().sum() > 0 for p in model.prior.parameters())


def test_kl_between_components_far_apart_costs_the_choice_of_one():
    """q on one of two far components of weight ½ each: KL = ln 2."""
    prior = MixturePrior(2, 1).double()
    with torch.no_grad():
        prior.mean.copy_(torch.tensor([[-50.0], [50.0]]))
        prior.raw_logvar.zero_()
    z = 50 + torch.randn((1000, 1), generator=seeded(), dtype=torch.float64)
    q = torch.distributions.Normal(50.0, 1.0)
    assert (q.log_prob(z[:, 0]) - prior.log_prob(z)).mean().item() == pytest.approx(0.693147, 1e-6)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = make_config(60, prior="mixture", prior_components=4)
    return train(config, tmp_path_factory.mktemp("mixture") / "run")


def test_a_run_knows_its_kl_in_total_and_not_per_dimension(run):
    info = run.info
    assert (info.latent_kind, info.prior) == ("gaussian", "mixture")
    result = info.results["test"]
    assert result["kl"] > 0 and "kl_per_dim" not in result
    assert result["elbo"] == pytest.approx(-(result["reconstruction"] + result["kl"]))
    for point in run.metrics():
        assert "kl_per_dim" not in point
        assert point["elbo"] == pytest.approx(-(point["reconstruction"] + point["kl"]))


def test_a_stored_prior_is_loaded_with_the_model(run):
    again = Run(run.path).model
    torch.testing.assert_close(again.prior.mean, run.model.prior.mean)
    assert again.prior.distribution().mean.shape == (2,)
    images = (255 * torch.rand((5, 1, 8, 8), generator=seeded())).byte().numpy()
    assert evaluate_elbo(again, images).kl == pytest.approx(evaluate_elbo(again, images).kl)


def test_an_evaluation_agrees_with_torch_distributions(run):
    model = run.model
    images = (255 * torch.rand((40, 1, 8, 8), generator=seeded()).round()).byte().numpy()
    found = evaluate_elbo(model, images, draws=200)
    q = model.encode(torch.from_numpy(images).float() / 255)
    z = q.sample((200,))
    drawn = (q.log_prob(z) - model.prior.distribution().log_prob(z)).mean(0)
    assert found.kl == pytest.approx(drawn.mean().item(), abs=0.1)


def test_what_a_mixture_does_not_go_with_is_told_in_one_sentence(tmp_path, run):
    with pytest.raises(ExplorerError, match="Gaussian"):
        ModelConfig(latent="point", prior="mixture")
    with pytest.raises(ExplorerError, match="free_bits_total"):
        Config(model=ModelConfig(prior="mixture"), objective=ObjectiveConfig(free_bits=0.1))
    with pytest.raises(ExplorerError, match="alone"):
        StackedModels([a_model(), a_model()])
    from explorer.analysis.collapse.diagnose import diagnose_run

    with pytest.raises(ExplorerError, match="no share per dimension"):
        diagnose_run(run)


def test_runs_that_were_made_before_have_the_standard_prior():
    from explorer.runs.store import open_run

    run = open_run("digits-2d")
    assert "prior" not in (run.path / "run.json").read_text("utf-8")
    assert run.info.prior == "standard" and run.model.prior.has_shares
    torch.testing.assert_close(run.model.prior.log_prob(torch.zeros(2)), -torch.tensor(1.8378771))
