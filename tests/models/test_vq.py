"""The VQ-VAE: its codebook, its gradient and its run, on known answers."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import kl_divergence

from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.config.model import code_grid
from explorer.elbo.terms import choose_objective, vq_terms
from explorer.errors import ExplorerError
from explorer.models import VQVAE, build_model
from explorer.models.vq import Quantiser, pass_straight_through
from explorer.recipes import categorical_config
from explorer.runs.run import Run
from explorer.training.loop import train
from tests.helpers import of_kind, present

FIELDS = {
    "network": "conv",
    "hidden": (4,),
    "latent": "categorical",
    "latent_dim": 16,
    "codebook": 8,
    "code_size": 3,
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def a_model(**settings):
    torch.manual_seed(0)
    return build_model(ModelConfig(**{**FIELDS, **settings}), (1, 8, 8))


def some_x(batch=5):
    return torch.rand((batch, 1, 8, 8), generator=seeded(1)).round()


def test_a_vector_becomes_its_nearest_entry():
    quantiser = Quantiser(6, 3)
    vectors = torch.randn((4, 5, 3), generator=seeded())
    expected = torch.cdist(vectors, quantiser.codebook[None]).argmin(2)
    indices, chosen = quantiser(vectors)
    assert torch.equal(indices, expected)
    assert torch.equal(chosen, quantiser.codebook[indices])


def test_the_gradient_passes_straight_through_the_choice():
    vectors = torch.randn((2, 4, 3), generator=seeded(), requires_grad=True)
    chosen = torch.randn((2, 4, 3), generator=seeded(1))
    out = pass_straight_through(vectors, chosen)
    torch.testing.assert_close(out, chosen)
    weight = torch.randn((2, 4, 3), generator=seeded(2))
    (out * weight).sum().backward()
    assert torch.equal(present(vectors.grad), weight)


def test_the_objective_is_reconstruction_and_commitment():
    """van den Oord et al. 2017, Eq. 3, without the term that the running means replace."""
    model, x = a_model(commitment=0.5).eval(), some_x()
    terms = vq_terms(model, x, 1.0, ObjectiveConfig(), None)
    vectors = model.encode_vectors(x)
    indices, _ = model.encode_parameters(x)
    nll = -model.decode(indices).log_prob(x)
    distance = (vectors - model.quantiser.codebook[indices]).square().sum((1, 2))
    torch.testing.assert_close(terms.objective, (nll + 0.5 * distance).mean())
    torch.testing.assert_close(terms.reconstruction, nll)
    assert terms.kl_per_dim is None and terms.kl_parts is None
    assert choose_objective(ObjectiveConfig(), "categorical") is vq_terms


def test_both_networks_learn():
    model = a_model()
    vq_terms(model, some_x(), 1.0, ObjectiveConfig(), None).objective.backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_entries_become_the_mean_of_what_chose_them():
    quantiser = Quantiser(2, 1)
    quantiser.codebook = torch.tensor([[-1.0], [1.0]])
    quantiser.counts = torch.tensor([2.0, 2.0])
    quantiser.updates += 1
    vectors = torch.tensor([[[-3.0], [-2.0], [2.0], [4.0]]], requires_grad=True)
    for _ in range(1500):
        quantiser(vectors)
    torch.testing.assert_close(quantiser.codebook, torch.tensor([[-2.5], [3.0]]))
    torch.testing.assert_close(quantiser.counts, torch.tensor([2.0, 2.0]))


def test_an_entry_that_nothing_chooses_starts_anew_at_a_vector():
    quantiser = Quantiser(3, 1)
    quantiser.codebook = torch.tensor([[-1.0], [1.0], [1000.0]])
    quantiser.counts = torch.tensor([2.0, 2.0, 2.0])
    quantiser.updates += 1
    vectors = torch.tensor([[[-1.2], [-0.8], [0.9], [1.1]]], requires_grad=True)
    for _ in range(600):
        quantiser(vectors)
    assert quantiser.codebook.abs().max() < 1.3


def test_looking_does_not_move_the_codebook():
    model, x = a_model(), some_x()
    before = model.quantiser.codebook.clone()
    with torch.no_grad():
        model.encode(x)
        model.quantiser(model.encode_vectors(x))
    model.eval()
    model.quantiser(model.encode_vectors(x))
    assert torch.equal(model.quantiser.codebook, before)


def test_encode_and_decode_are_distributions():
    model, x = a_model(precision="float64"), some_x().double()
    q, prior = model.encode(x), model.prior.distribution()
    indices, logvar = model.encode_parameters(x)
    assert logvar is None and q.batch_shape == (5,) and q.event_shape == (16,)
    assert torch.equal(q.sample(), indices)
    assert torch.equal(q.base_dist.probs.argmax(-1), indices)
    assert model.decode(indices).event_shape == (1, 8, 8)
    torch.testing.assert_close(model.nll(indices, x), -model.decode(indices).log_prob(x))
    # Sure of one entry among 8 at each of 16 positions, whatever the image.
    kl = kl_divergence(q.base_dist, prior.base_dist).sum(-1)
    torch.testing.assert_close(kl, torch.full_like(kl, 16 * math.log(8)), rtol=1e-6, atol=0)
    constant = model.prior.log_prob(indices).to(kl)
    torch.testing.assert_close(prior.log_prob(indices), constant, rtol=1e-6, atol=0)
    draws = model.prior.sample(500, seeded())
    assert draws.shape == (500, 16) and set(draws.unique().tolist()) == set(range(8))


def test_a_swapped_code_decodes_as_the_swapped_vectors_do():
    model, x = a_model(), some_x(1)
    indices, _ = model.encode_parameters(x)
    swapped = indices.clone()
    swapped[0, 5] = (indices[0, 5] + 1) % 8
    vectors = model.quantiser.codebook[indices].clone()
    vectors[0, 5] = model.quantiser.codebook[swapped[0, 5]]
    torch.testing.assert_close(model.decode(swapped).mean, model.decode(vectors).mean)
    assert not torch.equal(model.decode(swapped).mean, model.decode(indices).mean)


@pytest.mark.parametrize(
    ("shape", "hidden", "grid"),
    [
        ((1, 28, 28), (32, 64), (7, 7)), ((1, 8, 8), (32, 64), (4, 4)),
        ((3, 32, 64), (8, 8, 8), (4, 8)), ((1, 28, 28), (8,), (14, 14)),
    ],
)  # fmt: skip
def test_the_grid_follows_from_image_and_stages(shape, hidden, grid):
    assert code_grid(shape, hidden) == grid
    model = build_model(
        ModelConfig(**{**FIELDS, "hidden": hidden, "latent_dim": grid[0] * grid[1]}), shape
    )
    assert isinstance(model, VQVAE)
    x = torch.rand((2, *shape), generator=seeded()).round()
    indices, _ = model.encode_parameters(x)
    assert indices.shape == (2, grid[0] * grid[1])
    assert model.decode(indices).mean.shape == x.shape


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"model": {"latent": "categorical", "network": "mlp"}}, "conv"),
        ({"model": {**FIELDS, "codebook": 1}}, "codebook"),
        ({"model": {**FIELDS, "prior": "mixture"}}, "Gaussian"),
        ({"model": FIELDS, "objective": {"importance_samples": 2}}, "importance-weighted"),
        ({"model": FIELDS, "optimiser": {"inner_steps": 5}}, "Encoder-only"),
    ],
)
def test_what_does_not_go_together_is_told_in_one_sentence(values, part):
    with pytest.raises(ExplorerError, match=part):
        Config.from_dict(values)


def test_a_grid_that_does_not_fit_says_what_would():
    with pytest.raises(ExplorerError, match="latent_dim must be 16"):
        a_model(latent_dim=9)
    with pytest.raises(ExplorerError, match="even sides"):
        code_grid((1, 7, 7), (8,))


def short_config(steps=250):
    config = categorical_config("digits", (1, 8, 8), codebook=16)
    return Config(
        model=config.model,
        optimiser=OptimiserConfig(batch_size=64),
        budget=BudgetConfig(steps=steps),
        device="cpu",
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(short_config(), tmp_path_factory.mktemp("vq") / "run")


def test_its_run_has_indices_and_no_kl(run):
    info = run.info
    assert (info.latent_kind, info.latent_dim) == ("categorical", 16)
    assert not any("kl" in point or "kl_per_dim" in point for point in run.metrics())
    assert "kl" not in info.results["test"]
    codes = run.codes()
    assert codes.indices.shape == (300, 16) and codes.indices.dtype == np.uint8
    assert codes.mean.shape == (300, 0) and codes.logvar is None
    with np.load(run.path / "codes.npz") as archive:
        assert set(archive.files) == {"indices", "ids", "labels"}
    frame = run.snapshot(run.snapshot_steps()[-1])
    assert frame.indices.max() < 16 and frame.samples.shape == frame.reconstructions.shape


def test_most_of_the_codebook_is_used_on_the_digits(run):
    assert len(np.unique(run.codes().indices)) > 0.8 * 16


def test_its_stored_model_gives_the_stored_codes(run):
    from explorer.datasets import load_dataset
    from explorer.elbo.encoding import encode_images

    images = load_dataset("digits").split("test").images
    indices, logvar = encode_images(Run(run.path).model, images)
    assert logvar is None and np.array_equal(indices, run.codes().indices)


def test_a_resumed_training_is_as_if_uninterrupted(tmp_path, run):
    path = tmp_path / "again"

    def interrupt(point):
        if point["step"] >= 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(short_config(), path, progress=interrupt)
    again = train(short_config(), path)
    model = of_kind(VQVAE, again.model)
    assert np.array_equal(present(present(again.codes()).indices), run.codes().indices)
    torch.testing.assert_close(model.quantiser.codebook, run.model.quantiser.codebook)


def test_what_needs_a_density_says_so_in_one_sentence(run):
    from explorer.analysis.collapse.diagnose import diagnose_run
    from explorer.analysis.inference.likelihood import estimate_log_px

    with pytest.raises(ExplorerError, match="VQ-VAE"):
        diagnose_run(run, np.zeros((2, 1, 8, 8), np.uint8))
    with pytest.raises(ExplorerError, match="VQ-VAE"):
        estimate_log_px(run.model, some_x())


def test_a_loop_of_ones_own_stores_indices(tmp_path):
    from explorer.runs.writer import RunWriter

    indices = np.array([[3, 300], [0, 7]])
    with RunWriter(tmp_path / "own", latent_dim=2, latent_kind="categorical") as writer:
        writer.log(1, reconstruction=5.0)
        writer.snapshot(1, indices)
        writer.save_codes(indices)
        with pytest.raises(ExplorerError, match="whole numbers"):
            writer.save_codes(np.array([[0.5, 1.0]]))
    run = Run(tmp_path / "own")
    assert present(present(run.codes()).indices).tolist() == indices.tolist()
    assert present(present(run.codes()).indices).dtype == np.uint16
    assert present(run.snapshot(1).indices).tolist() == indices.tolist()
