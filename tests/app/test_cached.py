"""What the server keeps is never older than the run it is of."""

import json
import shutil
import tracemalloc

import numpy as np
import pytest

from explorer.app.cached import diagnose_stored, get_codes, measure_codes
from explorer.app.cached.codebook import list_codebooks
from explorer.app.cached.collapse import judge_codes
from explorer.app.cached.compare import find_figures, list_comparable
from explorer.errors import ExplorerError
from explorer.library import Library
from explorer.runs.run import Run
from explorer.runs.store import find_run
from explorer.runs.writer import RunWriter
from tests.helpers import begin_run, present


def codes_with(active, latents=4, count=400):
    """Return codes of which so many dimensions are in use, and the others at the prior."""
    rng = np.random.default_rng(active)
    used = np.arange(latents) < active
    mean = rng.normal(size=(count, latents)) * np.where(used, 0.95, 0.0)
    return mean, np.log(np.where(used, 0.1, 1.0)) + np.zeros((count, latents))


@pytest.mark.parametrize("overwrite", [True, False], ids=["a new run", "new codes"])
def test_a_verdict_is_that_of_the_codes_that_lie_there(tmp_path, overwrite):
    writer = begin_run(tmp_path / "run", latent_dim=4)
    for active in (0, 4, 2, 0, 2):
        if overwrite:
            writer.set_state("finished")
            writer = RunWriter(tmp_path / "run", latent_dim=4, overwrite=True)
        writer.save_codes(*codes_with(active))
        run = Run(tmp_path / "run")
        assert diagnose_stored(str(run.path), run.fingerprint)["active_units"] == active
        assert measure_codes(run, None)["active_units"] == active
        assert present(get_codes(run)).mean.any(0).sum() == active


def test_without_codes_the_verdict_is_that_of_the_latest_frame(tmp_path):
    writer = begin_run(tmp_path / "run", latent_dim=4)
    run = Run(tmp_path / "run")
    with pytest.raises(ExplorerError, match="no codes with log-variances"):
        measure_codes(run, None)
    for step, active in ((1, 0), (2, 4), (2, 1)):
        writer.snapshot(step, *codes_with(active))
        assert measure_codes(run, None)["active_units"] == active
    assert measure_codes(run, 1)["active_units"] == 0
    writer.save_codes(*codes_with(3))
    assert measure_codes(run, None)["active_units"] == 3
    writer.save_codes(codes_with(3)[0])
    with pytest.raises(ExplorerError, match="no codes with log-variances"):
        measure_codes(run, None)


def test_a_shipped_runs_verdict_comes_with_it_where_its_images_are_long_to_have():
    asked = [run for run in Library().runs({"shares", "codes"}) if "/" not in run.id]
    names = {run.id for run in asked if present(run.info.dataset).name != "digits"}
    assert "strokes-vae-2d" in names
    assert names == {run.id for run in asked if Library().stored(run, "diagnosis") is not None}


def test_figures_beside_a_run_are_believed_of_shipped_ones_alone(tmp_path):
    """In a run of the visitor's they may be of other weights, or of anyone's making."""
    shipped = find_run("mnist-2d")
    known = diagnose_stored(str(shipped.path), shipped.fingerprint)
    assert known == json.loads((shipped.path / "diagnosis.json").read_text(encoding="utf-8"))
    shutil.copytree(shipped.path, tmp_path / "copy")
    for name in ("diagnosis.json", "holes.json"):
        (tmp_path / "copy" / name).write_text('{"prior": []}', encoding="utf-8")
    copy = Run(tmp_path / "copy")
    found = diagnose_stored(str(copy.path), copy.fingerprint)
    assert found["active_units"] == known["active_units"] and "dimensions" in found
    assert find_figures(copy, "prior") is None


def test_codes_that_are_not_finite_are_told(tmp_path):
    writer = RunWriter(tmp_path / "run", latent_dim=1)
    writer.save_codes([[np.nan], [1.0]])
    with pytest.raises(ExplorerError, match="codes of run run hold NaN"):
        get_codes(Run(tmp_path / "run"))


def test_a_bomb_that_a_visitor_uploads_is_told(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", mean=np.zeros(25_000_001))
    content = (tmp_path / "bomb.npz").read_bytes()
    tracemalloc.start()
    with pytest.raises(ExplorerError, match=r"mean in mine.npz is \(25,000,001,\)"):
        judge_codes(content, "mine.npz", None, "channel", None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


def test_a_list_has_one_run_per_id_the_visitors_own(tmp_path, monkeypatch, tiny_run):
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    for name in ("digits-2d", "mnist-vq"):
        shutil.copytree(tiny_run.path, tmp_path / name)
    listed = {run.id: run.path for run in list_comparable()["digits"]}
    assert {name: listed[name] for name in ("digits-2d", "mnist-vq")} == {
        name: tmp_path / name for name in ("digits-2d", "mnist-vq")
    }
    # What that name opens is no VQ-VAE here.
    assert "mnist-vq" not in list_codebooks()
