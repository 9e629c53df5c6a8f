"""Scale and shift of latents: what they were drawn with comes back."""

import json

import numpy as np
import pytest
import torch

from explorer import cli
from explorer.analysis.codes_in.axes import AxesNeeded
from explorer.analysis.codes_in.latent_scale import read_latent_scale

MEANS, STDS, SIGMAS = (
    np.array([0.0, 1.0, -2.0, 3.0]),
    np.array([1.0, 2, 3, 4]),
    np.array([0.1, 0.2, 0.3, 2.0]),
)


def draw(shape=(200, 4, 8, 8), scale=5.489):
    return np.random.default_rng(0).normal(0, scale, shape)


def save_moments(path, **names):
    """Save moments of four channels with known mean, std of means and σ."""
    column = (1, 4, 1, 1)
    mean = MEANS.reshape(column) + STDS.reshape(column) * draw(scale=1.0)
    sigma = np.broadcast_to(SIGMAS.reshape(column), mean.shape)
    np.savez(path, mean=mean, logvar=2 * np.log(sigma))
    return mean, sigma


def test_latents_of_std_5_489_have_the_well_known_scaling_factor(tmp_path):
    np.save(tmp_path / "latents.npy", draw())
    values = read_latent_scale(tmp_path / "latents.npy").to_dict()
    # 51,200 values: the std is known to 1/√(2·51,200) = .3%.
    assert values["scaling_factor"] == pytest.approx(0.1822, rel=0.01)
    assert values["shift_factor"] == pytest.approx(0, abs=0.08)
    assert values["latents_std"] == pytest.approx([5.489] * 4, rel=0.02)
    assert (values["axes"], values["samples_of"]) == ("NCHW", "values") and values["note"]


def test_moments_give_the_std_of_samples_without_drawing_them(tmp_path):
    mean, sigma = save_moments(tmp_path / "codes.npz")
    found = read_latent_scale(tmp_path / "codes.npz")
    assert found.mean == pytest.approx(mean.mean((0, 2, 3)))
    assert found.std_means == pytest.approx(mean.std((0, 2, 3)))
    assert found.mean_sigma == pytest.approx(SIGMAS)
    assert found.std == pytest.approx(np.sqrt(STDS**2 + SIGMAS**2), rel=0.02)
    torch.manual_seed(0)
    drawn = torch.distributions.Normal(torch.tensor(mean), torch.tensor(sigma)).sample()
    assert found.global_std == pytest.approx(float(drawn.std()), rel=0.01)
    assert found.global_std_means == pytest.approx(mean.std())
    assert found.to_dict()["note"] is None


def test_channels_last_are_known_by_being_few(tmp_path):
    np.save(tmp_path / "latents.npy", np.moveaxis(draw(), 1, 3))
    found = read_latent_scale(tmp_path / "latents.npy")
    assert (found.axes, len(found.mean)) == ("NHWC", 4)


@pytest.mark.parametrize("shape", [(20, 4, 8, 4), (20, 4, 30)])
def test_what_cannot_be_known_is_asked(tmp_path, shape):
    np.save(tmp_path / "latents.npy", draw(shape))
    with pytest.raises(AxesNeeded):
        read_latent_scale(tmp_path / "latents.npy")


def test_equal_latents_have_no_scaling_factor(tmp_path):
    np.save(tmp_path / "latents.npy", np.zeros((20, 4, 8, 8)))
    assert read_latent_scale(tmp_path / "latents.npy").scaling_factor is None


# The command line


def test_one_file_is_told_and_its_json_has_the_names_of_configurations(tmp_path, capsys):
    np.save(tmp_path / "latents.npy", draw())
    path = str(tmp_path / "latents.npy")
    assert cli.main(["diagnose", "--latents", path]) == 0
    out = capsys.readouterr().out
    assert "scaling_factor" in out and "0.18" in out and out.startswith("! latents.npy: Read as")
    assert cli.main(["diagnose", "--latents", path, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert {"latents_mean", "latents_std", "scaling_factor", "shift_factor"} <= set(values)


def test_two_files_are_two_columns(tmp_path, capsys):
    np.save(tmp_path / "a.npy", draw())
    save_moments(tmp_path / "b.npz")
    paths = [str(tmp_path / "a.npy"), str(tmp_path / "b.npz")]
    assert cli.main(["diagnose", "--latents", *paths]) == 0
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if line.startswith("4 ")]
    # Of a: mean and std. Of b: mean, std of means, E σ and std, √(4² + 2²) = 4.47.
    cells = [float(cell) for cell in row.split()[1:]]
    assert cells == pytest.approx([0, 5.489, 3, 4, 2, 4.47], abs=0.2)
    assert cli.main(["diagnose", "--latents", *paths, "--json"]) == 0
    assert [f["name"] for f in json.loads(capsys.readouterr().out)["files"]] == ["a.npy", "b.npz"]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--latents", "a", "b", "c"], "or two to be compared"),
        (["--latents", "a", "--codes", "b"], "either a run or"),
        (["--latents", "a", "--use", "diffusion"], "go with --codes"),
        (["--latents", "nothing.npy"], "cannot be opened"),
    ],
)
def test_what_cannot_be_is_one_sentence(capsys, arguments, sentence):
    assert cli.main(["diagnose", *arguments]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1
