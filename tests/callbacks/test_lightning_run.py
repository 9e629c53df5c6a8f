"""Lightning's trainer writes a run through the callback."""

from typing import Any

import numpy as np
import pytest

from explorer.datasets.torchvision_mend import import_datasets
from explorer.errors import ExplorerError
from explorer.runs.check import check_run
from explorer.runs.run import Run
from tests.helpers import present

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]  # Its own.


def fit(folder, returned, **options):
    """Fit a module whose steps return what `returned` makes of a batch (32, 4) of two epochs."""
    import_datasets()  # Lightning imports torchvision too, as it stands.
    import lightning
    import torch
    from torch.utils.data import DataLoader

    from explorer.callbacks import LightningRun

    class Module(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1))

        def training_step(self, batch, index):
            return {"loss": (self.weight * batch).mean(), **returned(batch)}

        def validation_step(self, batch, index):
            return returned(batch) | {"labels": torch.arange(len(batch)) % 3}

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    rows: Any = torch.linspace(-1, 1, 256).reshape(64, 4)
    data: DataLoader[Any] = DataLoader(rows, batch_size=32)
    trainer = lightning.Trainer(
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        callbacks=[LightningRun(folder, latent_dim=2, **options)],
    )
    trainer.fit(Module(), data, data)
    return rows


def codes(batch):
    mean = batch[:, :2]
    return {"mean": mean, "logvar": 0 * mean, "reconstruction": batch[:, 2] + 5, "beta": 0.5}


def test_steps_validations_frames_and_codes_are_the_modules(tmp_path):
    rows = fit(tmp_path / "run", codes)
    run = Run(tmp_path / "run")
    assert check_run(run.path) == [] and run.info.status.state == "finished"
    assert [point["step"] for point in run.metrics("train")] == [1, 2, 3, 4]
    half = rows[:32].numpy()
    # With σ² = 1 the KL to N(0, 1) is ½ μ².
    assert run.metrics("train")[0]["kl_per_dim"] == pytest.approx(0.5 * (half[:, :2] ** 2).mean(0))
    assert run.metrics("train")[0]["reconstruction"] == pytest.approx(half[:, 2].mean() + 5)
    assert run.metrics("train")[0]["beta"] == 0.5
    assert [point["step"] for point in run.metrics("validation")] == [2, 4]
    assert run.snapshot_steps() == [2, 4]
    found = present(run.codes())
    np.testing.assert_allclose(found.mean, rows[:, :2], rtol=1e-6)
    assert present(found.labels).tolist() == [i % 3 for i in range(32)] * 2


def test_only_each_second_step_may_be_logged(tmp_path):
    fit(tmp_path / "run", codes, every=2)
    assert [point["step"] for point in Run(tmp_path / "run").metrics("train")] == [2, 4]


def test_a_step_that_returns_too_little_is_told_what_it_lacks(tmp_path):
    with pytest.raises(ExplorerError, match="training_step must return a dict that has mean, log"):
        fit(tmp_path / "run", lambda batch: {"reconstruction": batch[:, 0]})
    assert Run(tmp_path / "run").info.status.state == "failed"
