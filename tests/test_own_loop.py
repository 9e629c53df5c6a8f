"""The examples of docs/own-loop.md run as they stand."""

import re
from pathlib import Path
from typing import Any

import pytest

from explorer.analysis.collapse.diagnose import diagnose_run
from explorer.datasets.torchvision_mend import import_datasets
from explorer.runs.run import Run

TEXT = (Path(__file__).parents[1] / "docs" / "own-loop.md").read_text(encoding="utf-8")
PLAIN, LIGHTNING = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_a_plain_loop_writes_a_run_that_can_be_diagnosed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(PLAIN, {})
    run = Run(tmp_path / "my-run")
    assert run.info.status.state == "finished" and run.info.model.kind == "none"
    assert len(run.metrics("train")) == 20
    assert len(diagnose_run(run).dimensions) == 3


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")  # Its own.
def test_a_lightning_module_writes_one_too(tmp_path, monkeypatch):
    import_datasets()  # Lightning imports torchvision too, as it stands.
    import lightning
    import torch
    from torch.utils.data import DataLoader

    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    exec(LIGHTNING, namespace)
    rows: Any = torch.rand(64, 64)  # A tensor is a data set too, of its rows.
    data: DataLoader[Any] = DataLoader(rows, batch_size=32)
    trainer = lightning.Trainer(max_epochs=2, logger=False, enable_checkpointing=False)
    trainer.fit(namespace["Logged"](), data)
    run = Run(tmp_path / "my-lightning-run")
    assert run.info.status.state == "finished" and len(run.metrics()) == 4
