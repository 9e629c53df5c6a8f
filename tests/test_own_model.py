"""The example of docs/own-model.md runs as it stands, and brings in what it trained."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer.runs.run import Run
from tests.helpers import present

TEXT = (Path(__file__).parents[1] / "docs" / "own-model.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_is_adopted_and_has_the_kl_of_its_own_training_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path))
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    names: dict[str, Any] = {}
    exec(EXAMPLE, names)
    run = Run(tmp_path / "my-vae")
    with torch.no_grad():
        q = names["vae"].encode(names["x"])
        kl = 0.5 * (q["mu"] ** 2 + torch.exp(2 * q["log_sigma"]) - 1) - q["log_sigma"]
    found = run.info.best_results
    assert found["kl_per_dim"] == pytest.approx(kl.mean(0).tolist(), abs=1e-3)
    adopted = present(run.info.model.adopted)
    assert (adopted["spread"], adopted["output"]) == ("log-sd", "unit")
    assert adopted["report"]["passed"] and run.info.beta == pytest.approx(1, rel=0.2)
