"""Learn without a browser: the numbers of a chapter are the library's, and so are its verdicts."""

import re

import pytest

from explorer.analysis.collapse.linear import covariance_eigenvalues, linear_optimum
from explorer.analysis.inference.microscope import examine_image
from explorer.analysis.inference.posterior_grid import build_grid
from explorer.analysis.teaching.gaussians import kl_terms
from explorer.analysis.teaching.gradients import ESTIMATORS, estimate_gradient, log_likelihood
from explorer.app.observation import Observation, find_telling
from explorer.datasets import load_dataset
from explorer.export.pictures import find_pictures
from explorer.library import Library
from explorer.runs.store import open_run
from tests.app.test_pages import open_page, said
from tests.helpers import present


def read_chapter(chapter, **address):
    """Return a chapter's page and all that it says, with its sliders as the address puts them."""
    app = open_page("learn", chapter=chapter, **address)
    return app, read(app)


def read(app):
    assert list(app.exception) == []
    return " ".join(said(app)).replace("*", "")


@pytest.mark.parametrize(
    "written, verdict", [("0", "Right."), ("1", "Not yet.")], ids=["with the half", "without it"]
)
def test_sigma_squared_is_a_beta_unless_the_half_is_lost(written, verdict):
    """σ² = 0.0125 with β = 4 gives what 0.05 gives with 1, and the page says that this is right."""
    _, told = read_chapter("sigma", trade_sigma2="1", trade_beta="5", written=written)
    eigenvalues = covariance_eigenvalues(load_dataset("digits").split("all").images)
    optimum = linear_optimum(eigenvalues, 16, beta=4, sigma2=0.0125 / (1 + int(written)))
    assert f"{optimum.active} of 16 dimensions live · KL {optimum.rate:.2f} nats" in told
    assert f"squared error {optimum.squared_error:.2f}" in told
    assert verdict in told


def test_a_chart_is_told_by_its_figures_in_the_language_of_the_page():
    app = open_page("learn", chapter="collapse", lang="zh-Hans")
    words = [html.proto.body for html in app.get("html") if "explorer-told" in html.proto.body]
    assert any(
        "横轴：β" in told and re.search(r"从 0.1 处的 [\d.]+ 到 40 处的", told) for told in words
    )


def test_the_score_function_needs_more_draws():
    app, told = read_chapter("reparameterise", draws="5")
    plain, score = (
        estimate_gradient(log_likelihood(2.0, 0.25), 1.0, 0.5, name, "mean") for name in ESTIMATORS
    )
    assert f"reparameterised ±{plain.spread(32):.2f}" in told
    assert f"score function ±{score.spread(32):.2f}" in told
    assert 16 < score.variance / plain.variance <= 32 and "Right." in told
    # Of z² at μ = 1 and σ = ½ the mean is μ² + σ²: by μ it grows with 2, by σ with 1.
    for control, choice, gradient in (("f", 1, "2.00"), ("by", 1, "1.00")):
        control = app.segmented_control(key=f"learn_{control}")
        told = read(control.set_value(control.options[choice]).run())
        assert f"Exact gradient {gradient}" in told


def test_the_notes_notations_and_all_their_slips():
    app, told = read_chapter("notation")
    assert "Not yet." in told and "The 17 slips" in app.expander[0].label
    (slips,) = (table.value for table in app.expander[0].markdown)
    rows = re.findall(r"^\| (00\d) \|.*\]\(.*\|$", slips, re.MULTILINE)
    assert [rows.count(f"00{note}") for note in range(5)] == [5, 2, 1, 5, 4]
    told = read(app.segmented_control(key="learn_note").set_value("001").run())
    assert "Right." in told


@pytest.mark.parametrize(
    "mean, sd, verdict",
    [
        (0.0, 0.5, "q is not sure enough yet"),
        (0.0, 1.8, "is vaguer than the prior"),
        (0.0, 0.4, "To be sure costs information"),
    ],
)
def test_the_price_of_being_too_sure(mean, sd, verdict):
    _, told = read_chapter("kl", q_mean=str(mean), q_sd=str(sd))
    assert verdict in told
    assert f"{kl_terms(mean, sd).total:.2f}" in told


def test_a_link_to_a_sample_means_the_same_in_every_language():
    def draw(draw="1", lang="en"):
        address = {"shared": "5", "shown": "sample", "draw": draw, "lang": lang}
        app, told = read_chapter("latents", **address)
        pictures = [re.findall(r"data:image[^\"]+", shown.proto.body) for shown in app.get("html")]
        return told, sum(pictures, [])

    told, drawn = draw(lang="zh-Hant")
    assert "答對了" in told
    assert drawn and drawn == draw()[1] != draw("2")[1]


def test_twelve_gaussians_are_nearly_the_integral_when_evenly_spread():
    app, told = read_chapter("mixture", gaussians="2")
    assert "Area under the mixture: 1.00." in told and "Not yet." in told
    app, told = read_chapter("mixture", gaussians="5")
    assert "12 Gaussians misplace 0.89" in told
    codes = app.segmented_control(key="learn_codes")
    told = read(codes.set_value("p(z) left out").run())
    assert "its area is 6.00" in told and "now stand equally far apart" in told
    told = read(codes.set_value("drawn from p(z)").run())
    assert "These codes are drawn" in told
    _, told = read_chapter("mixture", gaussians="11")
    assert "fewer Gaussians do as well" in told


def test_the_same_lines_hold_on_a_real_model():
    run = open_run("mnist-2d")
    pictures = present(find_pictures(run, Library().images_of(run, at_once=True)))
    place = next(iter([*find_telling(run.id, pictures), 0]))
    found = examine_image(
        run.model,
        Observation(run, pictures, place).target(),
        build_grid(run.model, present(run.codes()).mean),
    )
    _, told = read_chapter("elbo", on="real")
    (gap,) = re.findall(r"The encoder leaves ([\d.]+) nats", told)
    assert float(gap) == pytest.approx(found.gap, abs=0.006)
