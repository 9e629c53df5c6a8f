"""ELBO: reveal, samples, chains and players; what the page says is what the library computes.

What is slow here is read without a browser in tests/app/test_elbo.py.
"""

from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.analysis.inference.exact import infer_posterior
from explorer.analysis.inference.ladder import COUNTS, climb, judge_draw
from explorer.analysis.inference.likelihood import draw_log_weights
from explorer.analysis.inference.mcmc import draw_starts, sample_posterior
from explorer.analysis.inference.reveal import Reveal, order_pixels, reveal_grid, uncover
from explorer.analysis.teaching.players import Game, slow_motion
from explorer.app.views.elbo.shared import parse_mask
from explorer.elbo.encoding import draw_targets
from explorer.export.pictures import find_pictures
from explorer.library import Library
from explorer.runs.store import open_run
from explorer.text import number, say
from tests.helpers import present

pytestmark = pytest.mark.browser
IMAGE = 3
PATIENCE = 90_000
HEADS_STAND_AT = """places => {
  const traces = document.querySelector('.st-key-elbo_chains_walk .js-plotly-plot')?._fullData;
  const heads = Array.from(traces?.at(-1).x ?? []);
  return heads.length === places.length && heads.every((x, i) => Math.abs(x - places[i]) < 2e-3);
}"""


@pytest.fixture(scope="module")
def subject():
    """A small model of two latents, and one image as it scores it."""
    run = open_run("digits-2d")
    images = present(find_pictures(run, Library().images_of(run, at_once=True))).images
    return run, draw_targets(run.model, images[IMAGE : IMAGE + 1])


@pytest.fixture
def section(tour, subject):
    """Turn to a section of the page of that image."""

    def turn_to(name):
        page = tour.stay(f"elbo?run=digits-2d&image={IMAGE}")
        page.get_by_role("radio", name=say("en", f"elbo.section.{name}"), exact=True).click()
        return page

    return turn_to


def shows(page, name, value, spec=".2f"):
    """Wait until the page's figure `name` reads `value`."""
    page.locator(f'[data-figure="{name}"]', has_text=number(value, spec)).first.wait_for(
        timeout=PATIENCE
    )


@pytest.mark.slow
def test_uncovering_a_picture_moves_knowledge_from_the_prior_to_the_posterior(section, subject):
    run, x = subject
    page = section("reveal")
    reveal = Reveal(run.model, x, reveal_grid(run.model, run.codes().mean))
    rows = order_pixels(x.shape, "rows")
    shows(page, "information", reveal.know(uncover(x.shape, rows, 3 * 8)).information)
    page.get_by_role("button", name="Show all").click()
    exact = infer_posterior(run.model, x)
    shows(page, "information", exact.information[0])
    shows(page, "log_px", exact.log_px[0])
    page.get_by_role("slider", name="Visible part").press("Home")
    page.get_by_text("0 of 64 pixels visible").wait_for()
    shows(page, "information", 0.0)


def draw_line(page):
    """Draw across the picture with the brush, and return what it tells."""
    box = page.locator(".pixel-brush canvas").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"], steps=6)
    page.mouse.up()
    return page.locator(".pixel-brush output").inner_text()


def test_the_brush_uncovers_what_it_passes_over(section, subject):
    page = section("reveal")
    page.get_by_role("radio", name="Brush").click(timeout=PATIENCE)
    page.get_by_role("button", name="Cover all").click()
    shows(page, "information", 0.0)
    told = draw_line(page)
    assert 5 < int(told.split()[0]) < 40
    page.wait_for_function(
        "Number(document.querySelector('[data-figure=information]').textContent) > 0.1"
    )


@pytest.mark.slow
def test_samples_say_what_the_library_says(section, subject):
    run, x = subject
    page = section("samples")
    log_weights = draw_log_weights(run.model, x, 50_000)[0]
    exact = infer_posterior(run.model, x)
    rungs = climb(log_weights)
    place = COUNTS.index(100)
    shows(page, "elbo", rungs[place].elbo_mean[0])
    shows(page, "log_px", judge_draw(log_weights[:100]).log_px)
    shows(page, "exact", exact.log_px[0])
    page.get_by_role("slider").first.press("End")
    shows(page, "spread", rungs[-1].spread)
    shows(page, "log_px", judge_draw(log_weights[:5000]).log_px)


@pytest.mark.slow
def test_chains_walk_when_asked_and_are_judged(section, subject):
    run, x = subject
    page = section("chains")
    page.get_by_text("The chains stand at their starts").wait_for(timeout=PATIENCE)
    page.get_by_role("radio", name="4", exact=True).click()
    starts = draw_starts(run.model, x, 4)[:, 0, 0]
    page.wait_for_function(HEADS_STAND_AT, arg=starts.round(3).tolist())
    page.get_by_role("radio", name="100", exact=True).click()
    page.get_by_role("button", name="Let them walk").click()
    sample = sample_posterior(run.model, x, chains=4, draws=100, warmup=300)
    exact = infer_posterior(run.model, x)
    shows(page, "rhat", sample.rhat[0].max(), ".3f")
    shows(page, "bulk", sample.ess_bulk[0].min(), ",.0f")
    # The lattice's sum, certified to 1e-3 nats, ends in other digits on other threads.
    other = page.locator('[data-figure="other_mean"]').first.inner_text()
    assert float(other.replace("−", "-")) == pytest.approx(exact.mean[0, 0], abs=1e-3)
    passed = (
        sample.rhat[0].max() < 1.01,
        sample.ess_bulk[0].min() >= 400,
        sample.ess_tail[0].min() >= 400,
    )
    gates = page.locator(".explorer-gate").all()
    assert [gate.get_attribute("data-passed") == "true" for gate in gates] == list(passed)
    # The walk can be played: two buttons and a slider over its frames.
    page.locator(".updatemenu-button", has_text="Play").wait_for()
    assert page.locator(".slider-container").count() == 1


@pytest.mark.slow
def test_the_encoder_moves_the_gap_and_the_decoder_log_px(section, subject):
    run, x = subject
    page = section("players")
    game = Game(run.model, x, codes=run.codes().mean)
    shows(page, "log_px", game.positions[0].log_px)
    shows(page, "elbo", game.positions[0].elbo)
    page.locator(".st-key-elbo_players_encoder_10 button").click()
    game.play("encoder", 10)
    shows(page, "gap", game.positions[-1].gap)
    shows(page, "log_px_change", 0.0)
    page.locator(".st-key-elbo_players_decoder_10 button").click()
    before = game.positions[-1]
    game.play("decoder", 10)
    shows(page, "log_px", game.positions[-1].log_px)
    shows(page, "elbo_change", game.positions[-1].elbo - before.elbo, "+.2f")
    page.get_by_role("button", name="Reset").click()
    shows(page, "elbo", game.positions[0].elbo)


def test_slow_motion_lights_one_part_after_the_other(section, subject):
    run, x = subject
    page = section("players")
    page.get_by_role("radio", name="Slow motion").click(timeout=PATIENCE)
    walk = slow_motion(run.model, x)
    shows(page, "reconstruction", walk.reconstruction)
    shows(page, "objective", walk.objective)
    page.locator(".st-key-elbo_slow_next button").click()
    for stage in ("noise", "sample", "decode", "reconstruction", "kl", "update"):
        page.locator(f'.explorer-stage[data-stage="{stage}"][data-state="now"]').wait_for()
        if stage != "update":
            page.keyboard.press("ArrowRight")
    shows(page, "after", walk.after)
    assert np.isclose(walk.objective, walk.reconstruction + walk.kl)


def uncovered(url):
    """Return how many pixels of a drawn mask of 8 × 8 the address has."""
    written = parse_qs(urlparse(url).query)["seen"][0]
    return int(present(parse_mask(written, (1, 8, 8), IMAGE)).sum())


@pytest.mark.parametrize(
    "again", ["within a visit", pytest.param("loaded anew", marks=pytest.mark.slow)]
)
def test_a_link_has_the_pixels_that_are_uncovered_until_another_image_comes(tour, subject, again):
    page = tour.go(f"elbo?run=digits-2d&image={IMAGE}&section=reveal&seen=random.11")
    page.get_by_text("11 of 64 pixels visible").wait_for(timeout=PATIENCE)
    expect(page.get_by_role("radio", name="At random")).to_be_checked()
    page.get_by_role("radio", name="Brush").click()
    told = draw_line(page)
    page.wait_for_url(lambda url: uncovered(url) == int(told.split()[0]))
    if again == "loaded anew":
        page.reload()
    else:
        tour.go(page.url.removeprefix(f"{tour.url}/"))
    page.get_by_text(told).wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Next image").click()
    page.wait_for_url(lambda url: f"image={IMAGE + 1}" in url and "seen" not in url)
