"""The lens holds what the library holds, and its ELBO in the browser is the library's."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.analysis.inference.microscope import examine_image, kl_to_prior
from explorer.analysis.inference.posterior_grid import grid_for_images
from explorer.analysis.inference.refinement import elbo_by_quadrature
from explorer.analysis.inference.refinement_path import trace_refinement
from explorer.browser import ASSETS
from explorer.errors import ExplorerError
from explorer.export.container import unpack
from explorer.export.lens import build_lens, describe_refinement
from explorer.text import sentences
from tests.export.test_payload import NETWORKS, make_run

JS_TEST = Path(__file__).parents[1] / "js" / "lens.test.mjs"
MODULES = sorted([*(ASSETS / "lens").glob("*.js"), ASSETS / "shared" / "bars.js"])


def make_lens(name, monkeypatch):
    """A run with random weights and two latents, its lens on one image and what went into it."""
    fields, shape = NETWORKS[name]
    monkeypatch.setitem(NETWORKS, name, ({**fields, "latent_dim": 2}, shape))
    run = make_run(name)
    model = run.model
    x = torch.rand(1, *model.shape, generator=torch.Generator().manual_seed(1))
    if model.likelihood.binarises:
        x = (x > 0.5).float()
    found = examine_image(model, x, grid_for_images(model, x))
    words = {"map": "The map"}
    return model, x, found, build_lens(run, x[0].numpy(), found, words)


@pytest.mark.parametrize("name", ["mlp", "gaussian", "mixture"])
def test_elbo_in_the_browser_is_the_librarys(name, monkeypatch, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; the browser tests check the numbers as well.")
    model, x, found, payload = make_lens(name, monkeypatch)
    rows = []
    for mean, factor in (
        (found.mean, np.diag(found.sd)),
        (found.posterior_mean, np.linalg.cholesky(found.posterior_covariance)),
        (found.mode, 0.6 * np.linalg.cholesky(found.posterior_covariance)),
    ):
        q = torch.from_numpy(mean)[None], torch.from_numpy(factor)[None]
        elbo = float(elbo_by_quadrature(model, x, *q)[0])
        kl = float(kl_to_prior(model, *q)[0])
        row = {"mean": mean.tolist(), "factor": factor.tolist(), "elbo": elbo, "kl": kl}
        rows.append({**row, "log_px": found.log_px})
    (tmp_path / f"{name}.bin").write_bytes(payload)
    (tmp_path / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    done = subprocess.run(
        [node, "--test", str(JS_TEST)],
        env=os.environ | {"LENS_FIXTURES": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_payload_carries_the_image_the_posterior_and_the_sentences(monkeypatch):
    model, x, found, payload = make_lens("mlp", monkeypatch)
    header = unpack(payload)
    assert header["x"] == pytest.approx(x.numpy().ravel())
    assert header["encoder"]["mean"] == pytest.approx(found.mean)
    assert np.diag(header["encoder"]["factor"]) == pytest.approx(found.sd)
    assert header["exact"]["log_px"] == found.log_px
    assert header["raster"]["values"] == pytest.approx(found.raster.values.astype(np.float32))
    assert header["text"] == {"map": "The map"} and len(header["fingerprint"]) == 16
    assert header["networks"]["encoder"] == []


def test_refinement_is_plain_values(monkeypatch):
    model, x, found, _ = make_lens("mlp", monkeypatch)
    path = trace_refinement(model, x, [found.mode])
    message = json.loads(json.dumps(describe_refinement(path)))
    assert message["best_full"]["elbo"] >= message["best_diagonal"]["elbo"]
    assert message["diagonal"][0]["mean"] == pytest.approx(found.mean, abs=1e-6)


def test_a_decoder_too_large_for_the_browser_is_refused(monkeypatch):
    monkeypatch.setattr("explorer.export.lens.MAX_LENS_MULTIPLY_ADDS", 10)
    with pytest.raises(ExplorerError, match="too large"):
        make_lens("mlp", monkeypatch)


def test_every_sentence_of_the_lens_is_there_and_used():
    known = set(sentences("en", "elbo.lens."))
    source = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    asked = set(re.findall(r'\btext\("(\w+)"', source))
    asked |= set(re.findall(r'\btext\([^"()]*\? "(\w+)" : "\w+"', source))
    asked |= set(re.findall(r'\btext\([^"()]*\? "\w+" : "(\w+)"', source))
    assert asked - known == set()
    stems = tuple(re.findall(r"`(\w+_)\$\{", source))
    for key in known:
        assert f'"{key}"' in source or key.startswith(stems), key
