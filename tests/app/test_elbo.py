"""ELBO without a browser: what its sections say is what the library computes."""

import base64
import json
import re

import numpy as np
import pytest
import torch

from explorer.analysis.inference.exact import infer_posterior
from explorer.analysis.inference.ladder import COUNTS, climb, judge_draw
from explorer.analysis.inference.likelihood import draw_log_weights
from explorer.analysis.inference.mcmc import draw_starts, sample_posterior
from explorer.analysis.inference.microscope import balance_images
from explorer.analysis.inference.posterior_grid import build_grid
from explorer.analysis.inference.reveal import Reveal, order_pixels, reveal_grid, uncover
from explorer.analysis.teaching.players import Game
from explorer.app.cached import elbo as cached
from explorer.app.views.elbo import chains, microscope
from explorer.elbo.encoding import draw_targets
from explorer.export.pictures import find_pictures
from explorer.library import Library
from explorer.runs.store import open_run
from explorer.text import number
from tests.app.test_pages import open_page, said
from tests.helpers import present

RUN, IMAGE = "digits-2d", 3


@pytest.fixture(scope="module")
def run():
    return open_run(RUN)


@pytest.fixture(scope="module")
def pictures(run):
    return present(find_pictures(run, Library().images_of(run, at_once=True)))


@pytest.fixture(scope="module")
def x(run, pictures):
    """One image as the model scores it."""
    return draw_targets(run.model, pictures.images[IMAGE : IMAGE + 1])


@pytest.fixture(scope="module")
def exact(run, x):
    return infer_posterior(run.model, x)


def open_section(name, **address):
    return open_page("elbo", run=RUN, image=str(IMAGE), section=name, **address)


def figures(app):
    """Return the page's figures, as they are written, by their names."""
    assert not app.exception
    bodies = [html.proto.body for html in app.get("html")] + [text.value for text in app.markdown]
    return dict(re.findall(r'data-figure="(\w+)"[^>]*>([^<]*)<', " ".join(bodies)))


def shows(app, **values):
    """Assert that figures read what the library says, in two places."""
    written = figures(app)
    assert {name: written[name].removesuffix(" nats") for name in values} == {
        name: number(float(value), ".2f") for name, value in values.items()
    }


def bars(app):
    """Return what the page's two bars are given."""
    (component,) = (
        each.proto for each in app.get("bidi_component") if each.proto.id.endswith("bars")
    )
    return json.loads(component.json)[0]


def test_the_address_is_clamped_and_next_moves_on():
    app = open_page("elbo", run=RUN, image="99999", section="nonsense")
    assert app.number_input[0].value == 299
    app.button(key="elbo_next").click().run()
    assert not app.exception and app.number_input[0].value == 0
    assert app.query_params["image"] == "0" and app.query_params["section"] == "microscope"


def test_many_latents_have_an_estimate_instead_and_it_says_so():
    app = open_page("elbo", run="mnist-20d")
    told = " ".join(said(app))
    assert not app.exception
    assert "has 20 latents: p(z|x) has no grid" in told
    assert "5,000 samples of the encoder's q" in told and "draws in pairs μ ± σε" in told
    given = bars(app)["balance"]
    assert f"{given['log_px']:.2f}".replace("-", "−") in told


def test_the_mean_over_many_images_is_the_librarys(run, pictures, monkeypatch):
    """Here over eight images; over a hundred in tests/browser/test_elbo.py."""
    count = 8
    for module in (cached, microscope):
        monkeypatch.setattr(module, "MANY", count)
    x = torch.cat([draw_targets(run.model, pictures.images[i : i + 1]) for i in range(count)])
    grid = build_grid(run.model, present(run.codes()).mean)
    found = balance_images(run.model, x, grid)
    app = open_section("microscope")
    app.button(key="elbo_many").click().run()
    told = " ".join(said(app))
    assert not app.exception
    assert f"Medians: gap {found.medians()['gap']:.2f} nats" in told
    assert f"certified for {found.trusted.sum()} of {count} images" in told
    given = bars(app)["balance"]
    gap = given["log_px"] + given["reconstruction"] + given["kl"]
    assert gap == pytest.approx(found.gap.mean(), abs=1e-4)


def test_uncovering_a_picture_moves_knowledge_from_the_prior_to_the_posterior(run, x, exact):
    reveal = Reveal(run.model, x, reveal_grid(run.model, present(run.codes()).mean))
    rows = order_pixels(x.shape, "rows")
    app = open_section("reveal")
    shows(app, information=reveal.know(uncover(x.shape, rows, 3 * 8)).information)
    app = open_section("reveal", seen="rows.64")
    shows(app, information=exact.information[0], log_px=exact.log_px[0])
    shows(open_section("reveal", seen="rows.0"), information=0.0)


def test_samples_say_what_the_library_says(run, x, exact):
    log_weights = draw_log_weights(run.model, x, 50_000)[0]
    rungs = climb(log_weights)
    place = COUNTS.index(100)
    shows(
        open_section("samples"),
        elbo=rungs[place].elbo_mean[0],
        log_px=judge_draw(log_weights[:100]).log_px,
        exact=exact.log_px[0],
    )


def test_the_encoder_moves_the_gap_and_the_decoder_log_px(run, x):
    game = Game(run.model, x, codes=present(run.codes()).mean)
    app = open_section("players")
    start = game.positions[0]
    shows(app, log_px=start.log_px, elbo=start.elbo)
    app.button(key="elbo_players_encoder_10").click().run()
    game.play("encoder", 10)
    shows(app, gap=game.positions[-1].gap, log_px=start.log_px)
    assert float(figures(app)["log_px_change"].replace("−", "-")) == 0
    app.button(key="elbo_players_decoder_10").click().run()
    before = game.positions[-1]
    game.play("decoder", 10)
    shows(app, log_px=game.positions[-1].log_px)
    assert figures(app)["elbo_change"] == number(game.positions[-1].elbo - before.elbo, "+.2f")
    assert not np.isclose(game.positions[-1].log_px, start.log_px, atol=0.01)
    app.button(key="elbo_players_reset").click().run()
    shows(app, elbo=start.elbo)


def find_walk(app):
    """Return the chart in which the chains walk, and where their heads stand."""
    charts = {chart.key: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}
    chart = charts["elbo_chains_walk"]
    heads = chart["data"][-1]["x"]
    return chart, np.frombuffer(base64.b64decode(heads["bdata"]), heads["dtype"])


def test_chains_walk_when_asked_and_are_judged(run, x, exact, monkeypatch):
    """After a short warm-up; after that of the page in tests/browser/test_elbo_sections.py."""
    monkeypatch.setattr(chains, "WARMUP", 40)
    app = open_section("chains", chains="4")
    assert any("The chains stand at their starts" in each.value for each in app.info)
    starts = draw_starts(run.model, x, 4)[:, 0, 0].round(3)
    assert find_walk(app)[1] == pytest.approx(starts, abs=2e-3)
    app.segmented_control(key="elbo_chains_draws").set_value(100).run()
    app.button(key="elbo_chains_start").click().run()
    sample = sample_posterior(run.model, x, chains=4, draws=100, warmup=40)
    written = figures(app)
    assert written["rhat"] == number(sample.rhat[0].max(), ".3f")
    assert written["bulk"] == number(sample.ess_bulk[0].min(), ",.0f")
    # The lattice's sum, certified to 1e-3 nats, ends in other digits on other threads.
    other = float(written["other_mean"].replace("−", "-"))
    assert other == pytest.approx(exact.mean[0, -1], abs=1e-3)
    passed = (
        sample.rhat[0].max() < 1.01,
        sample.ess_bulk[0].min() >= 400,
        sample.ess_tail[0].min() >= 400,
    )
    bodies = " ".join(html.proto.body for html in app.get("html"))
    gates = re.findall(r'class="explorer-gate" data-passed="(\w+)"', bodies)
    assert gates == [str(bool(gate)).lower() for gate in passed]
    # The walk can be played: two buttons and a slider over its frames.
    chart, _ = find_walk(app)
    assert len(chart["frames"]) > 1 and len(chart["layout"]["sliders"]) == 1
    (menu,) = chart["layout"]["updatemenus"]
    assert [button["label"] for button in menu["buttons"]][0].endswith("Play")
