"""The report of codes with columns says which dimension follows which."""

import re

import numpy as np

from explorer.analysis.collapse.judged import judge_file
from explorer.export.report.gather import gather_codes
from explorer.export.report.page import build_report


def report(path, language="en", **columns):
    mean = np.random.default_rng(0).normal(0, 0.9, (600, 3))
    given = {name: make(mean) for name, make in columns.items()}
    np.savez(path, mean=mean, logvar=np.full((600, 3), np.log(0.19)), **given)
    return build_report(gather_codes(judge_file(path)), language).decode()


def test_a_planted_column_is_named_with_its_dimension_and_noise_is_not(tmp_path):
    noise = np.random.default_rng(1).normal(size=600)
    text = report(
        tmp_path / "codes.npz",
        n_genes=lambda mean: mean[:, 2] ** 3,
        batch=lambda mean: np.where(mean[:, 0] < 0, "<a>", "b"),
        noise=lambda mean: noise,
    )
    rows = re.findall(r"<tr><td>([^<]+)</td><td>z([₀-₉]) \((ρ|η²) = ([\d.]+)\)", text)
    # A monotone column has ρ = 1; two halves of a normal have η² = 2/π.
    assert [row[:3] for row in rows] == [("n_genes", "₃", "ρ"), ("batch", "₁", "η²")]
    assert float(rows[0][3]) == 1 and abs(float(rows[1][3]) - 2 / np.pi) < 0.03
    assert "Columns that a dimension follows: 2 of 3." in text and "<td>noise" not in text


def test_a_name_from_a_file_is_text_and_nothing_else(tmp_path):
    text = report(tmp_path / "codes.npz", **{"<img src=x>": lambda mean: mean[:, 1]})
    assert "&lt;img src=x&gt;" in text and "<img src=x>" not in text


def test_codes_without_columns_have_no_such_section_in_any_language(tmp_path):
    assert "Dimensions and columns" not in report(tmp_path / "codes.npz")
    assert "维度与列" not in report(tmp_path / "codes.npz", "zh-Hans")
