"""The examples of README.md and docs/analysis.md run as they stand, and say what is known."""

import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer.runs.run import Run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ANALYSIS = (ROOT / "docs" / "analysis.md").read_text(encoding="utf-8")


def indented_after(text: str, mark: str) -> str:
    """Return the first indented block of `text` after `mark`, as code."""
    rest = text[text.index(mark) + len(mark) :]
    return textwrap.dedent(re.findall(r"(?:^ {4,}.*\n|^\n)*^ {4,}.*$", rest, re.MULTILINE)[0])


@pytest.fixture(scope="module")
def guide():
    """What the names of the tour's example stand for once it has run."""
    (code,) = re.findall(r"```python\n(.*?)```", ANALYSIS, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def test_the_exact_posterior_and_importance_weighting_agree(guide):
    posterior, estimate = guide["posterior"], guide["estimate"]
    believed = posterior.certified & ~estimate.flagged
    assert believed.sum() >= 8
    assert posterior.log_px[believed] == pytest.approx(estimate.log_px[believed], abs=0.1)


def test_the_tour_names_what_a_posterior_has(guide):
    (named,) = re.findall(r"infer_posterior\(.*\)  # (.*)", ANALYSIS)
    for name in named.split(", "):
        assert len(getattr(guide["posterior"], name)) == 16


def test_the_tours_model_uses_both_of_its_dimensions(guide):
    diagnosis = guide["diagnosis"].to_dict()
    assert (diagnosis["latent_dim"], diagnosis["in_use"], diagnosis["state"]) == (2, 2, "healthy")


def test_the_readmes_lines_of_python_run():
    names: dict[str, Any] = {}
    exec(indented_after(README, "## Python\n"), names)
    run, x, q, p = (names[name] for name in ("run", "x", "q", "p"))
    assert x.shape[1:] == run.model.shape and set(x.unique().tolist()) == {0.0, 1.0}
    assert q.mean.shape == (len(x), run.model.latent_dim)
    kl = torch.distributions.kl_divergence(q, run.model.prior.distribution())
    assert names["report"].information.rate == pytest.approx(kl.mean().item(), rel=1e-4)
    assert p.log_prob(x).shape == (len(x),)


def test_the_readmes_loop_writes_a_run(own_folders):
    rng = np.random.default_rng(0)

    def my_training_step(x):
        return rng.normal(size=(32, 16)), rng.normal(size=(32, 16)), rng.uniform(size=32)

    import explorer

    code = indented_after(README, "Runs page beside ours:\n")
    exec(code, {"explorer": explorer, "batches": range(3), "my_training_step": my_training_step})
    run = Run(explorer.runs_folder() / "my-run")
    assert [point["step"] for point in run.metrics("train")] == [0, 1, 2]
    codes = run.codes()
    assert codes is not None and codes.mean.shape == (32, 16)
