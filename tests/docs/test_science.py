"""docs/science.md: its closed forms computed anew, by NumPy alone, and its sections as cited."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.special import xlogy
from sklearn.datasets import load_digits

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "science.md").read_text(encoding="utf-8")
FLAT = " ".join(TEXT.split())
LATENTS, SIGMA2, PIXELS = 16, 0.05, 64


@pytest.fixture(scope="module")
def digits():
    return load_digits().data / 16


@pytest.fixture(scope="module")
def eigenvalues(digits):
    return np.linalg.eigvalsh(np.cov(digits.T, bias=True))[::-1]


def table() -> list[list[float]]:
    """Return the rows of the linear model's table: β, active, R, D."""
    _, rest = TEXT.split("<!-- linear -->")
    rows = re.findall(r"^\| ([\d.]+) \| (.*) \|$", rest.split("<!--")[0], re.MULTILINE)
    return [[float(beta), *map(float, cells.split(" | "))] for beta, cells in rows]


def citations() -> Iterator[tuple[Path, str]]:
    """Yield each file that names a section of docs/science.md, with the section's number."""
    for folder in ("explorer", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for section in re.findall(r"science\.md §(\d+)", path.read_text(encoding="utf-8")):
                yield path, section


def test_the_eigenvalues_are_those_of_the_digits(eigenvalues):
    ((listed, total),) = re.findall(r"Eigenvalues ((?:\.\d{6}, )+)…; their sum is ([\d.]+)\.", FLAT)
    values = [float(value) for value in listed.rstrip(", ").split(", ")]
    assert len(values) == 10
    np.testing.assert_allclose(eigenvalues[:10], values, atol=6e-7)
    assert eigenvalues.sum() == pytest.approx(float(total), abs=6e-7)


@pytest.mark.parametrize(("beta", "active", "rate", "distortion"), table())
def test_each_row_of_the_linear_model_is_its_closed_form(
    beta, active, rate, distortion, eigenvalues
):
    s = beta * SIGMA2
    alive = eigenvalues[:LATENTS][eigenvalues[:LATENTS] > s]
    squares = np.minimum(eigenvalues[:LATENTS], s).sum() + eigenvalues[LATENTS:].sum()
    assert len(alive) == active
    assert 0.5 * np.log(alive / s).sum() == pytest.approx(rate, abs=6e-6)
    constant = PIXELS / 2 * math.log(2 * math.pi * SIGMA2)
    assert constant + squares / (2 * SIGMA2) == pytest.approx(distortion, abs=6e-6)


def test_the_table_has_all_its_rows():
    assert [row[0] for row in table()] == [0.5, 1, 2, 4, 8, 15]


def test_learned_variances_are_the_mean_of_what_is_left(eigenvalues):
    pairs = re.findall(r"(\.\d{6}) for K = (\d+)", FLAT)
    assert [int(latents) for _, latents in pairs] == [2, 8, 16]
    for sigma2, latents in pairs:
        # All K are active: the smallest of their eigenvalues is above the mean of the rest.
        assert eigenvalues[int(latents) :].mean() < eigenvalues[int(latents) - 1]
        left = eigenvalues[int(latents) :].sum() / (PIXELS - int(latents))
        assert left == pytest.approx(float(sigma2), abs=6e-7)


def test_the_wake_up_rule_of_the_digits(digits):
    mean = digits.mean(0)
    variance = mean * (1 - mean)
    covariance = np.cov(digits.T, bias=True)
    np.fill_diagonal(covariance, variance)  # Of binary draws, whose mean is the grey value.
    kept = variance > 0
    scale = np.sqrt(variance[kept])
    leading = np.linalg.eigvalsh(covariance[np.ix_(kept, kept)] / scale / scale[:, None])[-1]
    assert f"λ_1 = {leading:.3f}" in FLAT


def test_the_constants(digits):
    floor = -(xlogy(digits, digits) + xlogy(1 - digits, 1 - digits)).sum(1).mean()
    assert f"{floor:.3f} on the digits" in FLAT
    assert f"ln 2π = {math.log(2 * math.pi):.7f}" in FLAT
    assert f"1 − ln 2/ln 10 = {1 - math.log(2) / math.log(10):.5f}".replace("0.", ".") in FLAT
    assert f"exp overflows at {math.log(np.finfo(np.float32).max):.2f} in float32" in FLAT
    assert f"at {math.log(np.finfo(np.float16).max):.2f} in float16" in FLAT
    # ½ mean-squared-error weights: a = 1/(3 · 64²), b = .00025, σ²_eff = b/(2a).
    assert f"σ²_eff = {0.00025 * 3 * 64 * 64 / 2:.3f}" in FLAT
    # At the linear optimum Var(μ) = 1 − s/λ, KL = ½ ln(λ/s).
    assert f"KL_i > {-0.5 * math.log(1 - 0.01):.4f}" in FLAT


def test_what_the_sleeping_patient_costs_is_its_whole_variance(eigenvalues):
    assert f"| none; linear warm-up | {eigenvalues.sum():.4f} | 0 |" in TEXT
    assert eigenvalues[0] < 0.75


def test_cited_sections_exist():
    sections = set(re.findall(r"^## (\d+)\. ", TEXT, re.MULTILINE))
    cited = list(citations())
    assert len(cited) >= 7
    for path, section in cited:
        assert section in sections, f"{path} cites §{section}"
