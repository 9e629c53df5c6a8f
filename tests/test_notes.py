"""docs/notes.md tells the truth: its views and tests exist, and it has every slip of the app."""

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from explorer.export.learn.signs import HERE, IDENTITIES, NOTES, SLIPS, SYMBOLS

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "notes.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (00\d) \| (.*) \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?!tests/)[\w/]+\.py)`", TEXT))))
def test_views_exist(name):
    assert (ROOT / "explorer" / "app" / "views" / name).is_file()


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`([\w/]+\.py::\w+)`", TEXT))))
def test_tests_exist(named):
    path, _, function = named.partition("::")
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_names_a_view_and_a_test():
    assert len(ROWS) >= 40
    for note, cells in ROWS:
        assert re.search(r"`[\w/]+\.py`", cells) and re.search(r"`[\w/]+\.py::\w+`", cells), (
            f"{note}: {cells}"
        )


def test_the_table_has_the_slips_that_the_app_shows():
    _, slips = TEXT.split("## Slips")
    listed = re.findall(r"^\| (00\d) \| (\w+) \|", slips, re.MULTILINE)
    shown = [(note, slip.name) for note, found in SLIPS.items() for slip in found]
    assert listed == shown
    assert len(set(shown)) == 17


def test_each_note_has_its_letters():
    assert set(IDENTITIES) == {*NOTES, HERE}
    assert {len(cells) for cells in SYMBOLS.values()} == {len(NOTES) + 1}


@pytest.mark.parametrize(
    "slip", [slip for found in SLIPS.values() for slip in found], ids=lambda slip: slip.name
)
def test_slips_lead_to_pages_and_chapters_that_exist(slip):
    page, _, query = slip.link.partition("?")
    views = ROOT / "explorer" / "app" / "views"
    assert (views / f"{page}.py").is_file() or (views / page / "page.py").is_file()
    if query:
        name, value = query.split("=")
        assert name in ("chapter", "section")
        assert (views / page / f"{value}.py").is_file()


def test_a_sum_of_probabilities_is_not_a_sum_of_logs():
    """The example of the table: equal sums, logs of −2.41 and −1.39."""
    uneven, even = np.array([0.9, 0.1]), np.array([0.5, 0.5])
    assert uneven.sum() == even.sum()
    assert round(np.log(uneven).sum(), 2) == -2.41
    assert round(np.log(even).sum(), 2) == -1.39


def test_the_entropy_of_q_stands_once_in_the_bound():
    """Both lines by quadrature, the bound as log p(x) − KL: note 000's is off by the entropy of f.

    The model is z ~ N(0, 1), x ~ N(z, 1), so that p(x) = N(0, 2) and p(z|x) = N(x/2, 1/2).
    """
    x, q, z = 1.0, Normal(0.6, 0.7), torch.linspace(-8, 8, 4001, dtype=torch.float64)
    f, step = q.log_prob(z).exp(), float(z[1] - z[0])
    log_prior, log_decoder = Normal(0, 1).log_prob(z), Normal(z, 1).log_prob(torch.tensor(x))
    rate = f * (log_prior - q.log_prob(z))
    right = float((f * log_decoder + rate).sum()) * step
    written = float((-f * (q.log_prob(z) - log_decoder) + rate).sum()) * step
    log_px = float(Normal(0, math.sqrt(2)).log_prob(torch.tensor(x)))
    gap = float(kl_divergence(q, Normal(x / 2, math.sqrt(0.5))))
    assert right == pytest.approx(log_px - gap, abs=1e-5)
    assert written - right == pytest.approx(float(q.entropy()), abs=1e-5)
