"""adopt → layers.json → other weights of the same network, from files alone."""

import json

import numpy as np
import pytest
import torch

import explorer
from explorer.adopting.files import ModelFiles, adopt_files
from explorer.adopting.place import order_checkpoints
from explorer.adopting.told import Told
from explorer.datasets import load_dataset
from tests.helpers import present
from tests.models.adopted.test_unfolded import TwoHeads, vae

READING = {
    "layout": "NCHW",
    "scale": 2.0,
    "shift": -1.0,
    "heads": "two outputs: mean",
    "spread": "log-variance",
    "output": "signed",
}


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """The layers.json that adopt writes of a network with batch norms and two heads."""
    folder = tmp_path_factory.mktemp("first")
    first = vae(0)
    run = explorer.adopt(
        folder / "run",
        encode=first.encode,
        decode=first.decode,
        images="digits",
        likelihood="gaussian",
        sigma2=0.5,
        reading=READING,
        data_root=folder,
    )
    return run.path / "layers.json"


def save(folder, seed):
    path = folder / f"{seed}.pt"
    torch.save({"state_dict": vae(seed).state_dict()}, path)
    return path


@pytest.mark.usefixtures("adopted_here")
def test_weights_of_another_training_are_adopted_by_their_names(layers, tmp_path):
    """As they would be from Python: the same codes, the same variance of a pixel, no question."""
    run, question = adopt_files(
        tmp_path / "run",
        ModelFiles(weights=save(tmp_path, 1), layers=layers),
        Told("digits", "gaussian", sigma2=0.5),
        data_root=tmp_path,
    )
    assert question == ""
    assert present(run.info.model.likelihood).sigma2 == pytest.approx(0.5 / 4)
    codes = present(run.codes())
    images = load_dataset("digits").split("test").images
    x = torch.from_numpy(np.array(images)).float() / 255 * 2 - 1
    with torch.no_grad():
        mean, logvar = vae(1).encode(x)
    np.testing.assert_allclose(codes.mean, mean, atol=1e-4)
    np.testing.assert_allclose(present(codes.logvar), logvar, atol=1e-4)


@pytest.mark.usefixtures("adopted_here")
def test_checkpoints_of_a_training_are_replayed_by_their_names(layers, tmp_path):
    steps = [(10, save(tmp_path, 1)), (20, save(tmp_path, 2))]
    run, _ = adopt_files(
        tmp_path / "run",
        ModelFiles(layers=layers, checkpoints=order_checkpoints(steps, 1)),
        Told("digits", "gaussian", sigma2=0.5),
        data_root=tmp_path,
    )
    points = run.metrics("train")
    assert [point["step"] for point in points] == [10, 20]
    x = torch.from_numpy(np.array(load_dataset("digits").split("test").images[:1000])).float()
    for point, seed in zip(points, (1, 2), strict=True):
        with torch.no_grad():
            mean, logvar = vae(seed).encode(x / 255 * 2 - 1)
        kl = (0.5 * (mean**2 + logvar.exp() - 1 - logvar)).sum(1).mean()
        assert point["kl"] == pytest.approx(float(kl), rel=1e-4)


def test_a_module_can_be_loaded_with_what_the_file_names(layers):
    """Every weight of the module is asked for, under the name that load_state_dict knows."""
    text = layers.read_text(encoding="utf-8")
    original = json.dumps(json.loads(text)["original"])
    names = [n for n, tensor in TwoHeads().state_dict().items() if tensor.is_floating_point()]
    assert all(f'"{name}"' in original for name in names)
