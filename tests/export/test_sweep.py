"""Members of a sweep: which there are, and each matched to the first."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from explorer.export.container import unpack
from explorer.export.sweep import build_member, find_siblings, reorder_model
from tests.export.test_payload import make_run


@pytest.mark.parametrize("name", ["mlp", "conv", "linear"])
def test_reordered_model_is_the_same_model(name: str) -> None:
    model = make_run(name).model
    order, sign = np.array([2, 0, 1]), np.array([-1, 1, -1], np.float32)
    encoder, decoder = reorder_model(model, order, sign)
    x = torch.rand(4, *model.shape)
    with torch.no_grad():
        mean, raw = model.encoder(x).chunk(2, dim=1)
        moved_mean, moved_raw = encoder(x).chunk(2, dim=1)
        assert torch.allclose(moved_mean, mean[:, order] * torch.from_numpy(sign), atol=1e-6)
        assert torch.allclose(moved_raw, raw[:, order], atol=1e-6)
        assert torch.allclose(decoder(moved_mean), model.decoder(mean), atol=1e-5)


def as_member(name: str, beta: float, latent_kind: str = "gaussian"):
    run = make_run("mlp")
    network = SimpleNamespace(
        latent_dim=3, latent=latent_kind, likelihood="bernoulli", binarise=True, prior="standard",
        skip=False, mean_norm=0.0, posterior_cap=1.0,
    )  # fmt: skip
    network.hidden = (16,)
    config = SimpleNamespace(model=network, objective=SimpleNamespace(beta=beta))
    run.id, run.fingerprint = name, name
    model = dataclasses.replace(run.info.model, latent_kind=latent_kind)
    run.info = dataclasses.replace(run.info, config=config, model=model)
    run.path = SimpleNamespace(__class__=Path)
    return run


def test_siblings_differ_in_beta_alone(tmp_path: Path) -> None:
    runs = [as_member(f"s/{beta}", beta) for beta in (1.0, 4.0, 0.5)]
    twin, other = as_member("t/4", 4.0), as_member("u", 2.0)
    other.info.config.model.latent_dim = 4
    for name in ("codes.npz", "checkpoint.safetensors"):
        (tmp_path / name).touch()
    for run in (*runs, twin, other):
        run.path = tmp_path
    found = find_siblings(runs[0], [twin, other, *runs])
    assert [run.id for run in found] == ["s/0.5", "s/1.0", "s/4.0"]
    assert find_siblings(runs[0], [other]) == []


def test_a_sweep_of_another_network_stands_in(tmp_path: Path) -> None:
    single = as_member("single", 1.0)
    sweep = [as_member(f"s/{beta}", beta) for beta in (1.0, 4.0)]
    lone = as_member("lone", 9.0)
    for name in ("codes.npz", "checkpoint.safetensors"):
        (tmp_path / name).touch()
    for run in (*sweep, lone, single):
        run.path = tmp_path
    for run in (*sweep, lone):
        run.info.config.model.hidden = (8,)
    assert [run.id for run in find_siblings(single, [*sweep, lone])] == ["single", "s/4.0"]


def test_member_is_matched_to_its_reference() -> None:
    import dataclasses

    from explorer.codes import Codes

    reference, member = as_member("a", 1.0), as_member("b", 2.0)
    plain = reference.codes()
    kept = Codes(plain.mean, plain.logvar, plain.labels, plain.ids)
    reference.codes = lambda: kept
    flipped = dataclasses.replace(
        kept, mean=kept.mean[:, [1, 0, 2]] * np.array([-1, 1, 1], np.float32)
    )
    member.codes = lambda: flipped
    known = {"side": np.arange(200) / 2}
    header = unpack(build_member(member, reference, known))
    (side,) = header["codes"]["factors"]
    assert side["name"] == "side" and side["values"].tolist() == (kept.ids / 2).tolist()
    assert unpack(build_member(member, reference))["codes"]["factors"] == []
    assert header["moved"] and header["of"] == "a" and header["figures"]["beta"] == 2.0
    assert np.allclose(header["codes"]["mean"], kept.mean, atol=1e-6)
