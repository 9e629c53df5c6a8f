"""The examples of docs/own-loop.md run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest

from explorer.analysis.collapse.diagnose import diagnose_run
from explorer.datasets.torchvision_mend import import_datasets
from explorer.runs.run import Run

TEXT = (Path(__file__).parents[1] / "docs" / "own-loop.md").read_text(encoding="utf-8")
PLAIN, LIGHTNING, SCVI, PYTHAE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_a_plain_loop_writes_a_run_that_can_be_diagnosed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(PLAIN, {})
    run = Run(tmp_path / "my-run")
    assert run.info.status.state == "finished" and run.info.model.kind == "none"
    assert len(run.metrics("train")) == 20
    assert len(diagnose_run(run).dimensions) == 3


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of one's own, with a torchvision that others can import too."""
    import_datasets()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")  # Its own.
def test_a_lightning_trainer_writes_one_too(here):
    import torch

    exec(LIGHTNING, {"x": torch.rand(64, 64)})
    run = Run(here / "my-lightning-run")
    assert run.info.status.state == "finished" and len(run.metrics("train")) == 4
    assert len(diagnose_run(run).dimensions) == 3


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")  # Its own.
def test_scvi_writes_one_too(here):
    import anndata
    import scvi

    counts = np.random.default_rng(0).poisson(2.0, (60, 20)).astype(np.float32)
    adata = anndata.AnnData(counts)
    adata.obs["cell_type"] = ["T", "B", "NK"] * 20
    scvi.model.SCVI.setup_anndata(adata)
    exec(SCVI, {"scvi": scvi, "adata": adata})
    told = Run(here / "my-cells").info.status.message
    assert told == "The weight of the KL ended at 0.02: 8 of 400 warm-up epochs."
    assert told.rstrip(".") in " ".join(TEXT.split())


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")  # Its own.
def test_pythae_writes_one_too(here):
    import torch

    exec(PYTHAE, {"x": torch.rand(200, 1, 8, 8)})
    run = Run(here / "my-pythae-run")
    assert run.info.status.state == "finished" and len(run.metrics("train")) >= 8
    assert len(diagnose_run(run).dimensions) == 3
