"""The payload holds what PyTorch holds, and the browser's interpreter reads it like PyTorch."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from explorer.browser import ASSETS
from explorer.codes import kl_of_codes
from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.export.container import pack, shorten, unpack
from explorer.export.networks import describe_network
from explorer.export.payload import build_payload, is_handwriting, pick_pictures
from explorer.models import VAE
from explorer.models.likelihoods import LIKELIHOODS
from explorer.models.priors import gaussian_kl
from explorer.runs.info import DatasetInfo, RunInfo, Status, describe_config
from explorer.runs.run import Run
from explorer.runs.store import list_pretrained
from tests.helpers import present

JS_TESTS = Path(__file__).parents[1] / "js"
NETWORKS: dict[str, tuple[dict[str, Any], tuple[int, int, int]]] = {
    "mlp": ({"network": "mlp", "hidden": (48, 24)}, (1, 8, 8)),
    "mlp-tanh": ({"network": "mlp", "hidden": (33,), "activation": "tanh"}, (1, 8, 8)),
    "conv": ({"network": "conv", "hidden": (6, 5), "activation": "silu"}, (3, 16, 16)),
    "conv-28": ({"network": "conv", "hidden": (16, 32)}, (1, 28, 28)),
    "linear": ({"network": "linear", "hidden": ()}, (1, 8, 8)),
    "continuous-bernoulli": ({"likelihood": "continuous-bernoulli"}, (1, 8, 8)),
    "gaussian": ({"likelihood": "gaussian", "sigma2": 0.02}, (1, 8, 8)),
    "gaussian-learned": ({"likelihood": "gaussian-learned"}, (1, 8, 8)),
    "gaussian-optimal": ({"likelihood": "gaussian-optimal"}, (1, 8, 8)),
    "gaussian-diagonal": ({"likelihood": "gaussian-diagonal"}, (1, 8, 8)),
    "gaussian-pixel": ({"likelihood": "gaussian-pixel"}, (1, 8, 8)),
    "laplace": ({"likelihood": "laplace", "sigma2": 0.02}, (1, 8, 8)),
    "discretized-logistic": ({"likelihood": "discretized-logistic", "sigma2": 0.01}, (1, 8, 8)),
    "discretized-logistic-narrow": (
        {"likelihood": "discretized-logistic", "sigma2": 1e-5},
        (1, 8, 8),
    ),
    "point": ({"latent": "point"}, (1, 8, 8)),
    "mixture": ({"prior": "mixture", "prior_components": 4}, (1, 8, 8)),
}


def make_run(name: str, seed: int = 0) -> Any:
    """A run with random weights, as far as the payload asks for one."""
    fields, shape = NETWORKS[name]
    fields = {"hidden": (16,), "latent_dim": 3, **fields}
    torch.manual_seed(seed)
    model = VAE(ModelConfig(**fields), shape).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
        x = torch.rand(20, *shape)
        mean, logvar = model.encode_parameters(x)
    codes = SimpleNamespace(
        mean=mean.numpy(),
        logvar=None if logvar is None else logvar.numpy(),
        labels=np.arange(20) % 10,
        ids=np.arange(100, 120),
    )
    info = RunInfo(
        config=None,
        model=describe_config(model.config, "config", shape),
        dataset=DatasetInfo("digits", shape, tuple("0123456789")),
        planned_steps=None,
        status=Status(),
        created=0.0,
        results={"test": {"elbo": -1.5, "kl": float("nan")}},
    )
    return SimpleNamespace(id=name, name=name, info=info, model=model, codes=lambda: codes)


def expected_rows(model: VAE, seed: int = 1) -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(seed)
    # A closed form is kept in double precision.
    dtype = next(model.parameters()).dtype
    rows = []
    with torch.no_grad():
        for _ in range(3):
            x = torch.rand(1, *model.shape, generator=generator).to(dtype)
            if model.likelihood.binarises:
                x = (x > 0.5).to(dtype)
            z = torch.randn(1, model.latent_dim, generator=generator).to(dtype)
            mean, logvar = model.encode_parameters(x)
            # In double precision: torch's continuous Bernoulli cancels near p = ½ in single.
            p = model.likelihood.distribution(model.decoder(z).double())
            row = {
                "x": x.flatten().tolist(),
                "z": z.flatten().tolist(),
                "mean": mean.flatten().tolist(),
                "picture": p.mean.flatten().tolist(),
                "deviation": p.variance.sqrt().flatten().tolist(),
                "nll": model.nll(z, x).item(),
                "log_prior": model.prior.log_prob(z).item(),
            }
            if logvar is not None:
                row["logvar"] = logvar.flatten().tolist()
                row["kl"] = gaussian_kl(mean, logvar).flatten().tolist()
            rows.append(row)
    return rows


def shipped_of_each_kind() -> dict[str, Run]:
    """Return one shipped model of each latent, shape and likelihood that Explore has a map of."""
    kinds = {
        (
            run.info.latent_kind,
            present(run.info.model).shape,
            present(run.info.model).likelihood,
        ): run
        for run in list_pretrained()
        if run.info.latent_kind != "categorical"
    }
    return {f"shipped-{run.id.replace('/', '-')}": run for run in kinds.values()}


def test_interpreter_equals_pytorch_under_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; the browser tests check the interpreter as well.")
    runs = {name: make_run(name) for name in NETWORKS} | shipped_of_each_kind()
    for name, run in runs.items():
        (tmp_path / f"{name}.bin").write_bytes(build_payload(run))
        (tmp_path / f"{name}.json").write_text(json.dumps(expected_rows(run.model)), "utf-8")
    files = sorted(str(path) for path in JS_TESTS.glob("*.test.mjs"))
    done = subprocess.run(
        [node, "--test", *files],
        env=os.environ | {"LATENT_FIXTURES": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_browser_knows_every_likelihood_of_the_library() -> None:
    source = (ASSETS / "model" / "likelihood.js").read_text(encoding="utf-8")
    (registry,) = re.findall(r"export const LIKELIHOODS = \{(.*?)\};", source, re.S)
    names = re.findall(r'^\s*"?([\w-]+)"?[:,]', registry, re.M)
    assert sorted(names) == sorted(LIKELIHOODS)


def test_the_interpreter_is_compared_for_every_likelihood() -> None:
    compared = {ModelConfig(**fields).likelihood for fields, _ in NETWORKS.values()}
    assert compared == set(LIKELIHOODS)


def test_a_learned_prior_travels_and_takes_kl_per_latent_away() -> None:
    header = unpack(build_payload(make_run("mixture")))
    assert sum(header["prior"]["weights"]) == pytest.approx(1)
    assert np.shape(header["prior"]["mean"]) == np.shape(header["prior"]["scale"]) == (4, 3)
    assert header["codes"]["kl"] is None
    plain = unpack(build_payload(make_run("mlp")))
    assert plain["prior"] is None and len(plain["codes"]["kl"]) == 3


def test_pack_keeps_structure_values_and_alignment() -> None:
    half = np.array([[0.5, -2.0]], np.float16)
    value = {"a": [np.arange(5, dtype=np.uint8), None], "b": {"c": half, "d": "é"}, "e": 1.5}
    packed = pack(value)
    back = unpack(packed)
    assert back["a"][0].tolist() == [0, 1, 2, 3, 4] and back["a"][1] is None
    assert back["b"]["c"].tolist() == half.tolist() and back["b"]["d"] == "é" and back["e"] == 1.5
    start = 8 + int.from_bytes(packed[4:8], "little")
    assert start % 16 == 0 and json.loads(packed[8:start])["b"]["c"]["array"] % 16 == 0


def test_pack_refuses_other_types_and_unpack_other_bytes() -> None:
    with pytest.raises(TypeError):
        pack({"a": np.zeros(2, np.int64)})
    with pytest.raises(ValueError, match="payload"):
        unpack(b"GIF89a..........")


def test_half_precision_only_where_it_loses_nothing() -> None:
    assert shorten(np.array([0.5, 65504.0])).dtype == np.float16
    assert shorten(np.array([0.1])).dtype == np.float32
    assert shorten(np.array([1e6])).dtype == np.float32


def test_payload_carries_codes_figures_and_pictures() -> None:
    run = make_run("mlp")
    images = np.zeros((4, 1, 8, 8), np.uint8)
    pictures = pick_pictures(images, np.arange(4), np.arange(4), "test")
    header = unpack(build_payload(run, pictures, {"key": "A sentence."}))
    codes = run.codes()
    assert np.array_equal(header["codes"]["mean"], codes.mean)
    assert header["codes"]["ids"] == 100, "straight ids are stored as their first"
    assert np.allclose(header["codes"]["kl"], kl_of_codes(codes.mean, codes.logvar).mean(0))
    assert header["figures"]["elbo"] == -1.5 and header["figures"]["kl"] is None
    assert header["text"] == {"key": "A sentence."}
    assert header["pictures"]["pixels"].shape == (4, 1, 8, 8)
    assert header["pictures"]["source"] == "test"


def test_only_grey_handwriting_is_centred_as_it_is_drawn() -> None:
    assert unpack(build_payload(make_run("mlp")))["preprocessing"] == "handwriting"
    assert is_handwriting(DatasetInfo("kmnist", (1, 28, 28)))
    assert not is_handwriting(DatasetInfo("kmnist", (3, 28, 28)))
    assert not is_handwriting(DatasetInfo("shapes", (1, 28, 28)))
    assert not is_handwriting(DatasetInfo("somebody's", (1, 28, 28)))
    assert not is_handwriting(None)


def test_broken_codes_are_left_out() -> None:
    run = make_run("mlp")
    run.codes().mean[3] = np.nan
    header = unpack(build_payload(run))
    assert len(header["codes"]["mean"]) == 19
    assert header["codes"]["ids"].tolist() == [*range(100, 103), *range(104, 120)]


def test_point_codes_have_no_kl() -> None:
    header = unpack(build_payload(make_run("point")))
    assert header["codes"]["kl"] is None and header["latent"]["kind"] == "point"


def test_same_run_same_bytes_and_fingerprint_follows_the_weights() -> None:
    first, again = build_payload(make_run("mlp")), build_payload(make_run("mlp"))
    assert first == again
    other = unpack(build_payload(make_run("mlp", seed=5)))
    assert unpack(first)["fingerprint"] != other["fingerprint"]


def test_large_networks_stay_on_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.export.payload.MAX_BROWSER_WEIGHTS", 100)
    assert unpack(build_payload(make_run("mlp")))["networks"] is None


def test_unknown_layer_is_one_clear_sentence() -> None:
    with pytest.raises(ExplorerError, match="RReLU"):
        describe_network(torch.nn.Sequential(torch.nn.RReLU()), (3,))


def test_more_than_256_classes_keep_their_numbers() -> None:
    run = make_run("mlp")
    run.codes().labels[:] = np.arange(20) + 250
    assert unpack(build_payload(run))["codes"]["labels"].tolist() == list(range(250, 270))
