"""Checkpoints that a training left behind become the log and the film that it would have had."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

import explorer
from explorer.analysis.collapse.timeline import find_events
from explorer.cli import main
from explorer.codes import kl_of_codes
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.runs.run import Run, mean_kl
from explorer.runs.writer import RunWriter

STEPS = (100, 200, 300, 400)


class Stranger(nn.Module):
    """A VAE of four latents that returns a dictionary, with β rising far above what they bear."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.GELU())
        self.heads = nn.Linear(48, 8)
        self.picture = nn.Sequential(nn.Linear(4, 48), nn.GELU(), nn.Linear(48, 64), nn.Sigmoid())

    def encode(self, x):
        mean, logvar = self.heads(self.body(x)).chunk(2, 1)
        return {"mu": mean, "logvar": logvar}

    def decode(self, z):
        return self.picture(z).view(-1, 1, 8, 8)


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """Checkpoints of a training whose KL dies, and the run that it wrote by itself."""
    torch.manual_seed(0)
    model, folder = Stranger(), tmp_path_factory.mktemp("training")
    images = np.asarray(load_dataset("digits").split("train").images)
    x = torch.from_numpy(images.copy()).float() / 255
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    with RunWriter(folder / "log", latent_dim=4) as log:
        for step in range(1, STEPS[-1] + 1):
            batch = x[torch.randint(len(x), (128,))]
            q = model.encode(batch)
            z = q["mu"] + torch.exp(q["logvar"] / 2) * torch.randn_like(q["mu"])
            error = (model.decode(z) - batch).square().sum((1, 2, 3)) / (2 * 0.05)
            kl = 0.5 * (q["mu"] ** 2 + q["logvar"].exp() - 1 - q["logvar"]).sum(1)
            optimiser.zero_grad()
            (error + (1 if step <= 200 else 100) * kl).mean().backward()
            optimiser.step()
            if step in STEPS:
                torch.save(model.state_dict(), folder / f"{step}.pt")
                with torch.no_grad():
                    q = model.encode(x)
                    error = (model.decode(q["mu"]) - x).square().sum((1, 2, 3)) / (2 * 0.05)
                log.log(step, mean=q["mu"], logvar=q["logvar"], reconstruction=error)
    return folder, images[:]


@pytest.fixture(scope="module")
def run(training, tmp_path_factory):
    folder, images = training
    root = tmp_path_factory.mktemp("replayed")
    return explorer.replay(
        root / "film",
        [(step, folder / f"{step}.pt") for step in reversed(STEPS)],
        load=load,
        images=images[:1000],
        likelihood="gaussian",
        sigma2=0.05,
        reading=READ,
        data_root=root,
    )


READ = {"spread": "log-variance", "heads": "two outputs: mean", "scale": 1.0, "output": "unit"}


def load(path):
    model = Stranger()
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.encode, model.decode


def test_kl_per_dimension_is_what_the_training_logged(run, training):
    own = Run(training[0] / "log").metrics("train")
    found = run.metrics("train")
    assert [point["step"] for point in found] == list(STEPS)
    # 1,000 of the 1,439 images stand for all.
    np.testing.assert_allclose(mean_kl(found), mean_kl(own), rtol=0.1, atol=0.02)


def test_deaths_are_dated_to_the_checkpoints_between_which_they_fell(run, training):
    own = Run(training[0] / "log").metrics("train")
    dated = [find_events(STEPS, mean_kl(points)) for points in (run.metrics("train"), own)]
    assert dated[0] == dated[1] and {event.kind for event in dated[0]} == {"died"}


def test_the_film_has_the_same_images_in_every_frame(run, training):
    assert run.snapshot_steps() == list(STEPS)
    frames = [run.snapshot(step) for step in STEPS]
    for frame in frames[1:]:
        np.testing.assert_array_equal(frame.inputs, frames[0].inputs)
    with torch.no_grad():
        q = load(training[0] / "200.pt")[0](torch.from_numpy(training[1][:1000].copy()) / 255)
    np.testing.assert_allclose(frames[1].mean, q["mu"], atol=0.01)
    kl = kl_of_codes(frames[1].mean, frames[1].logvar).mean(0)
    np.testing.assert_allclose(kl, run.metrics("train")[1]["kl_per_dim"], atol=0.02)


def test_its_model_is_the_last_checkpoints(run, training):
    info = run.info
    assert (info.status.state, info.status.step, info.planned_steps) == ("finished", 400, 400)
    x = torch.from_numpy(training[1][:20].copy()).float() / 255
    expected = load(training[0] / "400.pt")[0](x)["mu"]
    torch.testing.assert_close(run.model.encode_parameters(x)[0], expected, rtol=1e-4, atol=1e-5)


def test_checkpoints_of_another_model_and_none_are_told(training, tmp_path):
    folder, images = training
    given = {"images": images, "likelihood": "gaussian", "sigma2": 0.05, "data_root": tmp_path}
    with pytest.raises(ExplorerError, match="pairs"):
        explorer.replay(tmp_path / "run", [], load=load, **given)

    def mixed(path):
        encode, decode = load(path)
        if path.name == "100.pt":
            return (lambda x: tuple(encode(x).values())), decode
        return encode, decode

    pairs = [(step, folder / f"{step}.pt") for step in (100, 200)]
    with pytest.raises(ExplorerError, match="one model"):
        explorer.replay(tmp_path / "run", pairs, load=mixed, reading=READ, **given)
    assert not (tmp_path / "run").exists()


def test_a_schedule_of_beta_stands_at_its_checkpoints_whatever_their_order(training, tmp_path):
    folder, images = training
    run = explorer.replay(
        tmp_path / "film",
        [(400, folder / "400.pt"), (200, folder / "200.pt")],
        load=load,
        betas=[100, 1],
        images=images[:200],
        likelihood="gaussian",
        sigma2=0.05,
        reading=READ,
        data_root=tmp_path,
    )
    assert [(point["step"], point["beta"]) for point in run.metrics("train")] == [
        (200, 1),
        (400, 100),
    ]
    assert run.info.beta == 100  # Its model is the last checkpoint.


@pytest.mark.parametrize(
    "told, word",
    [({"betas": [1]}, "1 numbers for 2"), ({"betas": [1, 2], "beta": 1}, "either"),
     ({"betas": [1, -2]}, "from 0")],
)  # fmt: skip
def test_betas_that_fit_no_checkpoints_are_told_before_anything_is_loaded(told, word, tmp_path):
    pairs = [(1, "a.pt"), (2, "b.pt")]
    with pytest.raises(ExplorerError, match=word):
        explorer.replay(
            tmp_path / "run", pairs, load=load, images="digits", likelihood="bernoulli", **told
        )


# From files alone, by command.


LAYERS = {
    "schema": 1,
    "encoder": {
        "shape": [1, 8, 8],
        "layers": [
            {"kind": "reshape", "shape": [64]},
            {"kind": "linear", "weight": "body.1.weight", "bias": "body.1.bias"},
            {"kind": "gelu"},
            {"kind": "linear", "weight": "heads.weight", "bias": "heads.bias"},
        ],
    },
    "decoder": {
        "shape": [4],
        "layers": [
            {"kind": "linear", "weight": "picture.0.weight", "bias": "picture.0.bias"},
            {"kind": "gelu"},
            {"kind": "linear", "weight": "picture.2.weight", "bias": "picture.2.bias"},
            {"kind": "sigmoid"},
        ],
    },
}


def test_weights_beside_one_layer_list_need_no_code(training, tmp_path, capsys):
    folder, _ = training
    (tmp_path / "layers.json").write_text(json.dumps(LAYERS), encoding="utf-8")
    steps = (100, 400)
    arguments = ["replay", "--checkpoints", *(f"{s}={folder / f'{s}.pt'}" for s in reversed(steps))]
    arguments += ["--layers", str(tmp_path / "layers.json"), "--images", "digits", "--json"]
    arguments += ["--likelihood", "gaussian", "--sigma2", ".05", "--out", str(tmp_path / "film")]
    arguments += ["--reading", "spread=log-variance", "heads=halves: mean", "scale=1"]
    arguments += ["--betas", "100", "1"]
    assert main([*arguments, "--data-root", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["run"] == str(tmp_path / "film")
    run = Run(tmp_path / "film")
    assert run.snapshot_steps() == list(steps) and run.info.status.step == 400
    x = torch.from_numpy(np.array(load_dataset("digits").split("test").images)).float() / 255
    assert [point["beta"] for point in run.metrics("train")] == [1, 100]
    for step, point in zip(steps, run.metrics("train"), strict=True):
        with torch.no_grad():
            q = load(folder / f"{step}.pt")[0](x)
        kl = kl_of_codes(q["mu"].numpy(), q["logvar"].numpy()).mean(0)
        np.testing.assert_allclose(point["kl_per_dim"], kl, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("adopted_here")
def test_weights_named_otherwise_are_matched_by_order_and_that_is_said(training, tmp_path, capsys):
    folder, _ = training
    named = json.loads(re.sub(r'"(body|heads|picture)\.', r'"ours.\1.', json.dumps(LAYERS)))
    (tmp_path / "layers.json").write_text(json.dumps(named), encoding="utf-8")
    arguments = ["replay", "--checkpoints", f"400={folder / '400.pt'}", "--images", "digits"]
    arguments += ["--layers", str(tmp_path / "layers.json"), "--likelihood", "gaussian"]
    arguments += ["--sigma2", ".05", "--out", str(tmp_path / "film"), "--json"]
    arguments += ["--reading", "spread=log-variance", "heads=halves: mean", "scale=1"]
    assert main([*arguments, "--data-root", str(tmp_path)]) == 0
    (note,) = json.loads(capsys.readouterr().out.splitlines()[-1])["notes"]
    assert "400.pt" in note and "matched by their order" in note
    x = torch.from_numpy(np.array(load_dataset("digits").split("test").images)).float() / 255
    with torch.no_grad():
        q = load(folder / "400.pt")[0](x)
    (point,) = Run(tmp_path / "film").metrics("train")
    kl = kl_of_codes(q["mu"].numpy(), q["logvar"].numpy()).mean(0)
    np.testing.assert_allclose(point["kl_per_dim"], kl, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("written", ["a.pt", "one=a.pt", "1=", "-1=a.pt"])
def test_a_checkpoint_without_its_step_is_one_sentence(written, tmp_path, capsys):
    arguments = ["replay", f"--checkpoints={written}", "--layers", "layers.json", "--images"]
    arguments += ["digits", "--likelihood", "bernoulli", "--out", str(tmp_path / "run")]
    assert main(arguments) == 2
    assert "STEP=FILE" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
