"""The report as a file: it holds everything, asks nobody, and says what the verdicts say."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from explorer.analysis.collapse.judged import judge_file
from explorer.datasets import load_dataset
from explorer.export.report.gather import gather_codes, gather_run
from explorer.export.report.page import MAX_REPORT_BYTES, build_report
from explorer.export.report.words import say_headline
from explorer.runs.store import open_run
from explorer.text import LANGUAGES, say


@pytest.fixture(scope="module")
def report():
    return gather_run(open_run("digits-collapsed"), load_dataset("digits"))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    rng = np.random.default_rng(0)
    mean = np.stack([0.99 * rng.standard_normal(500), np.zeros(500)], 1)
    logvar = np.log(np.stack([np.full(500, 0.02), np.ones(500)], 1))
    path = tmp_path_factory.mktemp("own") / "<b>mine&.npz"
    np.savez(path, mean=mean, logvar=logvar)
    return gather_codes(judge_file(path))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_stands_alone_in_every_language(report, language):
    page = build_report(report, language)
    assert len(page) < MAX_REPORT_BYTES
    text = page.decode()
    assert f'<html lang="{language}">' in text
    headline = say_headline(report.found, language).replace(" = ", "\u00a0=\u00a0")
    assert f"<h1>{headline}</h1>" in text
    assert "<script" not in text and "http" not in text.replace("http-equiv", "")
    assert "{" not in text.split("</style>")[1]
    assert "@media print" in text and "prefers-color-scheme: dark" in text


def test_its_drawings_are_well_formed_and_hold_every_threshold_and_dimension(report):
    text = build_report(report).decode()
    drawn = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.S)]
    assert len(drawn) == 3
    bars, timeline, plane = drawn
    assert len(bars.findall(".//rect")) == 6 and bars.findall(".//rect[@class='bar short']")
    names = {node.text for node in timeline.findall(".//text")}
    assert {"z₁", "z₂", "z₃", "z₄", "z₅", "z₆", "✕"} <= names
    assert len(plane.findall("circle")) == 6


def test_bars_above_beta_are_told_from_those_below(report):
    """A threshold is drawn as far as its value goes: the axis is the logarithm."""
    svg = re.findall(r"<svg.*?</svg>", build_report(report).decode(), re.S)[0]
    root = ElementTree.fromstring(svg)
    widths = [float(bar.attrib["width"]) for bar in root.findall(".//rect")]
    values = np.log(report.found.thresholds.values)
    line = float(next(iter(root.findall(".//line[@class='beta']"))).attrib["x1"])
    ratio = (widths[0] - widths[-1]) / (values[0] - values[-1])
    left = float(root.findall(".//rect")[0].attrib["x"])
    assert line - left == pytest.approx(widths[0] + ratio * (0 - values[0]), abs=0.5)


def test_it_says_with_what_it_was_made_and_on_which_images(report):
    text = build_report(report).decode()
    assert "torch" in text and "58868eaca83a0db8" in text and "3,000 steps" in text
    assert "arXiv:1911.02469" in text
    values = report.to_dict()
    assert values["pictures"]["symptoms"] == ["alike", "wide_sigma"]
    assert values["sampling"]["verdict"] == "poor"


def test_own_codes_are_reported_without_model_and_their_names_are_no_markup(own):
    text = build_report(own).decode()
    assert "<b>mine" not in text and "&lt;b&gt;mine" in text
    assert "1 of 2 latents are asleep" in text
    assert say("en", "why.converged") not in text
    assert "500 items, 2 dimensions" in text


def test_information_at_its_ceiling_is_a_lower_bound(tmp_path):
    """200 codes as narrow as can be, in six dimensions: each image has its own place, ln 200."""
    mean = np.random.default_rng(0).standard_normal((200, 6))
    np.savez(tmp_path / "codes.npz", mean=mean, logvar=np.full((200, 6), -9.0))
    text = build_report(gather_codes(judge_file(tmp_path / "codes.npz"))).decode()
    assert re.search(r"<dd>≥ 5\.30?</dd>", text) and "ln 200 = 5.30 nats" in text


def test_information_below_its_ceiling_has_an_error(own):
    text = build_report(own).decode()
    assert "<dd>≥" not in text and "at its ceiling" not in text
