"""The report on a sweep: one page that asks nobody, with the answer, its members and the theory."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from explorer.analysis.consultation.sweep import list_comparable
from explorer.cli import main
from explorer.datasets import load_dataset
from explorer.export.report.sweep_page import build_sweep_report, gather_sweep, say_answer
from explorer.runs.sweeps import Sweep, open_sweep
from explorer.text import LANGUAGES
from explorer.training.loop import train
from tests.small_run import change, make_config


@pytest.fixture(scope="module")
def over_latents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    base = make_config(20, likelihood="gaussian", sigma2=0.05)
    configs = {f"k{k}": change(base, model__latent_dim=k) for k in (1, 3)}
    configs["other"] = change(base, objective__beta=4.0)
    for name, config in configs.items():
        train(config, folder / name)
    return Sweep(folder, "sweep", configs)


def drawings(page):
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.S)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sweep_over_beta_has_a_bracket_for_each_latent_that_falls_asleep(language):
    report = gather_sweep(open_sweep("mnist-beta-sweep"), None)
    page = build_sweep_report(report, language).decode()
    assert f'<html lang="{language}">' in page
    assert say_answer(report, language).replace(" = ", "\u00a0=\u00a0") in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    (members,) = drawings(page)
    assert len(members.findall(".//path")) == len(report.found.falls) == 2
    assert page.count("<tr>") == 1 + len(report.found.members)


def test_a_sweep_over_k_has_the_linear_theory_and_the_floor(over_latents):
    only_k = Sweep(
        over_latents.path,
        "sweep",
        {name: config for name, config in over_latents.configs.items() if name != "other"},
    )
    report = gather_sweep(only_k, load_dataset("digits"))
    assert report.theory is not None and report.theory.latents == (0, 1, 2, 3)
    page = build_sweep_report(report).decode()
    assert "Linear theory: β·σ² = 0.05" in page and "without latents" in page
    members, count = drawings(page)
    assert len(count.findall(".//circle")) == 2 and members.findall(".//rect")
    bare = build_sweep_report(gather_sweep(only_k, None)).decode()
    assert "over the first log point" in bare and "Linear theory" not in bare


def test_runs_of_another_beta_are_not_counted_with_the_first_ones(over_latents):
    names = [run.path.name for run in list_comparable(over_latents)]
    assert names == ["k1", "k3"]


def test_the_command_writes_it_and_prints_the_answer(tmp_path, capsys):
    assert main(["report", "mnist-beta-sweep", "--out", str(tmp_path / "sweep.html")]) == 0
    assert "the last between 31 and 34" in capsys.readouterr().out
    assert "between 31 and 34" in (tmp_path / "sweep.html").read_text(encoding="utf-8")
