"""ELBO, first section: the lens in a real browser, its numbers against the library's.

What is slow here is read without a browser in tests/app/test_elbo.py and test_scenes.py.
"""

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from explorer.analysis.inference.microscope import balance_images, examine_image
from explorer.analysis.inference.posterior_grid import build_grid
from explorer.analysis.inference.refinement import elbo_by_quadrature
from explorer.analysis.inference.refinement_path import trace_refinement
from explorer.elbo.encoding import draw_targets
from explorer.export.pictures import find_pictures
from explorer.library import Library
from explorer.runs.store import pretrained_store
from tests.helpers import present

pytestmark = pytest.mark.browser

FIND = """() => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
  .map(host => host.shadowRoot?.querySelector('.lens')).find(root => root?.lens)"""
IMAGE = 80


class LensPage:
    """The lens of one image, by what a visitor does and what stands on the page."""

    def __init__(self, page, address):
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(address)
        page.wait_for_function(f"() => ({FIND})()?.lens.settled", timeout=90_000)

    def ask(self, expression, argument=None):
        """Evaluate `expression` with `lens` and `arg` at hand."""
        call = "Function('lens', 'arg', `return (${source})`)"
        code = f"([source, arg]) => {call}(({FIND})().lens, arg)"
        return self.page.evaluate(code, [expression, argument])

    def number(self, role):
        text = self.page.locator(f"[data-role={role}]").inner_text()
        return float(text.replace("−", "-").removeprefix("≈ "))

    def press(self, action):
        self.page.locator(f"[data-action={action}]").click()

    def rest(self):
        self.page.wait_for_function(
            f"() => {{ const lens = ({FIND})()?.lens;"
            " return lens.settled && !lens.playing && !lens.pending; }"
        )

    def centre(self):
        box = self.page.locator(".part-stage canvas").bounding_box()
        view = "lens.stage.view"
        x, y = self.ask(f"[{view}.toScreenX(lens.q.x), {view}.toScreenY(lens.q.y)]")
        return box["x"] + x, box["y"] + y

    def handle(self, place):
        box = self.page.locator(".part-stage canvas").bounding_box()
        found = self.ask("lens.handles()[arg]", place)
        return box["x"] + found["x"], box["y"] + found["y"]

    def drag(self, start, to, steps=10):
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*to, steps=steps)
        self.page.mouse.up()


@pytest.fixture(scope="module")
def subject():
    """What the page shows, by the library: model, target and grid."""
    run = pretrained_store().open("digits-2d")
    pictures = present(find_pictures(run, Library().images_of(run, at_once=True)))
    x = draw_targets(run.model, pictures.images[IMAGE : IMAGE + 1])
    return run.model, x, build_grid(run.model, present(run.codes()).mean), pictures


@pytest.fixture(scope="module")
def opened(visitor, server):
    page = visitor.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    yield LensPage(page, f"{server.url}/elbo?run=digits-2d&image={IMAGE}")
    page.close()


@pytest.fixture
def lens(opened):
    # A test that failed in the middle of a drag has left the button down.
    opened.page.mouse.up()
    opened.press("encoder")
    opened.rest()
    yield opened
    assert opened.errors == []


def library_elbo(model, x, q):
    cos, sin = np.cos(q["angle"]), np.sin(q["angle"])
    axes = np.array([[cos, -sin], [sin, cos]]) @ np.diag([q["a"], q["b"]])
    factor = np.linalg.cholesky(axes @ axes.T)
    mean = torch.tensor([[q["x"], q["y"]]], dtype=torch.float64)
    return float(elbo_by_quadrature(model, x, mean, torch.from_numpy(factor)[None], 64)[0])


def test_numbers_on_the_page_are_the_librarys(lens, subject):
    model, x, grid, _ = subject
    found = examine_image(model, x, grid)
    terms = {
        "reconstruction": found.reconstruction,
        "kl": found.kl,
        "negative_elbo": -found.elbo,
        "gap": found.gap,
    }
    for name, value in terms.items():
        assert lens.number(f"encoder-{name}") == pytest.approx(value, abs=0.006)
        assert lens.number(f"yours-{name}") == pytest.approx(value, abs=0.05)
    exact = lens.page.locator("[data-role=exact]").inner_text()
    assert f"log p(x) = {found.log_px:.2f} nats".replace("-", "−") in exact
    assert "certified to" in exact and "Residual" in exact


def test_the_bars_keep_the_identity_at_scale(lens):
    """Both bars end at the same place, and KL and gap are drawn on one scale."""
    widths = lens.ask(
        "Object.fromEntries([['kl', lens.bars.kl], ['gap', lens.bars.gaps.lastChild]]"
        ".map(([n, node]) => [n, node.getBoundingClientRect().toJSON()]))"
    )
    assert widths["kl"]["right"] == pytest.approx(widths["gap"]["right"], abs=0.5)
    ratio = lens.number("yours-gap") / lens.number("yours-kl")
    assert widths["gap"]["width"] / widths["kl"]["width"] == pytest.approx(ratio, rel=0.03)


def test_both_bars_are_in_sight_of_a_small_window_and_their_axis_waits_for_the_hand(lens):
    page = lens.page
    page.set_viewport_size({"width": 1280, "height": 720})
    lens.rest()
    before, start, (x, y) = lens.ask("lens.bars.axis"), lens.ask("lens.q"), lens.centre()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=4)
    box = present(page.locator(".bars").bounding_box())
    assert box["y"] >= 0 and box["y"] + box["height"] <= 720
    # The moves arrive with the next frame.
    page.wait_for_function(f"span => ({FIND})().lens.bars.axis.span > span", arg=before["span"])
    lens.rest()
    wide = lens.ask("lens.bars.axis.span")
    page.mouse.move(x, y, steps=4)
    page.wait_for_function(f"x => Math.abs(({FIND})().lens.q.x - x) < 1e-2", arg=start["x"])
    lens.rest()
    assert lens.ask("lens.bars.axis.span") == wide, "the axis stands still"
    page.mouse.up()
    page.wait_for_function(f"span => ({FIND})().lens.bars.axis.span === span", arg=before["span"])
    page.set_viewport_size({"width": 1280, "height": 900})


def test_dragging_moves_the_numbers_under_the_hand(lens, subject):
    model, x, *_ = subject
    before, start = lens.ask("lens.q"), lens.centre()
    lens.page.mouse.move(*start)
    lens.page.mouse.down()
    count = lens.ask("lens.updates")
    for step in range(60):
        lens.page.mouse.move(start[0] + step, start[1] - step / 2)
    assert lens.ask("lens.updates") - count >= 6, "a tenth of the moves, before the hand lets go"
    lens.page.mouse.up()
    lens.rest()
    q = lens.ask("lens.q")
    scale = lens.ask("lens.stage.view.scale")
    assert q["x"] - before["x"] == pytest.approx(59 / scale, abs=2 / scale)
    assert lens.number("yours-negative_elbo") == pytest.approx(-library_elbo(model, x, q), abs=0.05)
    assert "worse than the encoder" in lens.page.locator("[data-role=score]").inner_text()


def test_handles_stretch_and_turn_and_keys_do_too(lens, subject):
    model, x, *_ = subject
    before = lens.ask("lens.q")
    (x0, y0), (cx, cy) = lens.handle(0), lens.centre()
    lens.drag((x0, y0), (cx + 1.5 * (x0 - cx), cy + 1.5 * (y0 - cy)))
    assert lens.ask("lens.q.a") == pytest.approx(1.5 * before["a"], rel=0.05)
    x0, y0 = lens.handle(4)
    radius = np.hypot(x0 - cx, y0 - cy)
    lens.drag((x0, y0), (cx + radius * np.cos(0.5), cy - radius * np.sin(0.5)))
    assert lens.ask("lens.q.angle") == pytest.approx(0.5, abs=0.05)
    lens.page.locator(".part-stage canvas").press("ArrowRight")
    lens.page.locator(".part-stage canvas").press("]")
    slider = lens.page.get_by_label("width 2")
    slider.focus()
    slider.press("ArrowRight")
    lens.rest()
    q = lens.ask("lens.q")
    assert q["x"] > before["x"] and q["b"] > before["b"]
    assert lens.number("yours-negative_elbo") == pytest.approx(-library_elbo(model, x, q), abs=0.05)


def test_the_prior_has_no_kl(lens):
    lens.press("prior")
    lens.rest()
    assert lens.number("yours-kl") == 0


def test_refine_climbs_to_the_librarys_best(lens, subject):
    model, x, grid, _ = subject
    found = examine_image(model, x, grid)
    path = trace_refinement(model, x, [found.mode, found.posterior_mean])
    lens.press("refine")
    lens.page.wait_for_function(f"() => ({FIND})().lens.refined && ({FIND})().lens.who === 'full'")
    lens.rest()
    assert lens.number("diagonal-negative_elbo") == pytest.approx(-path.diagonal_elbo, abs=0.02)
    assert lens.number("full-negative_elbo") == pytest.approx(-path.full_elbo, abs=0.02)
    assert lens.number("yours-negative_elbo") == pytest.approx(-path.full_elbo, abs=0.05)
    lens.press("encoder")
    lens.rest()
    line = lens.page.locator("[data-role=lower]").inner_text()
    approximation = path.approximation_gap(found.log_px)
    assert f"approximation gap {approximation:.2f}" in line and "amortisation gap" in line
    lens.press("full")
    share = 100 * (path.full_elbo - path.encoder_elbo) / found.gap
    shown = f"{share:.1f}" if share > 98.5 else f"{share:.0f}"
    lens.page.get_by_text(f"The best normal closes {shown} %").wait_for()


@pytest.mark.slow
def test_the_mean_over_many_images_is_the_librarys(lens, subject):
    model, _, grid, pictures = subject
    x = torch.cat([draw_targets(model, pictures.images[i : i + 1]) for i in range(100)])
    found = balance_images(model, x, grid)
    lens.page.get_by_role("button", name="Compute over 100 images").click()
    median = found.medians()["gap"]
    lens.page.get_by_text(f"Medians: gap {median:.2f} nats").wait_for(timeout=60_000)
    lens.page.get_by_text(f"certified for {found.trusted.sum()} of 100 images").wait_for()
    lens.page.get_by_text(f"gap {found.gap.mean():.2f}", exact=True).wait_for()


@pytest.mark.slow
def test_the_address_is_clamped_and_next_moves_on(tour):
    page = tour.go("elbo?run=digits-2d&image=99999&section=nonsense")
    number = page.get_by_role("spinbutton")
    number.wait_for(timeout=60_000)
    expect(number).to_have_value("299")
    page.get_by_role("button", name="Next image").click()
    page.wait_for_url("**image=0*")
    assert "section=microscope" in page.url


@pytest.mark.slow
def test_many_latents_have_an_estimate_instead_and_it_says_so(tour):
    page = tour.go("elbo?run=mnist-20d")
    page.get_by_text("has 20 latents: p(z|x) has no grid").wait_for(timeout=90_000)
    page.get_by_text("5,000 samples of the encoder's q").wait_for(timeout=60_000)
    page.get_by_text("draws in pairs μ ± σε").wait_for()
    page.get_by_text("−log p(x)").first.wait_for()


def test_a_link_has_the_visitors_q_until_another_image_comes(lens):
    page = lens.page
    lens.press("prior")
    lens.rest()
    page.wait_for_url("**q=0,0,1,1,0*")
    page.goto(page.url.replace("q=0,0,1,1,0", "q=0.5,-1.25,0.8,0.2,30"))
    page.wait_for_function(f"() => ({FIND})()?.lens.settled", timeout=90_000)
    q = lens.ask("lens.q")
    assert [q[name] for name in "xyab"] == [0.5, -1.25, 0.8, 0.2]
    assert np.degrees(q["angle"]) == pytest.approx(30)
    assert lens.ask("lens.who") == "yours"
    assert "q=0.5,-1.25,0.8,0.2,30" in page.url
    page.get_by_role("button", name="Next image").click()
    page.wait_for_url(lambda url: f"image={IMAGE + 1}" in url and "q=" not in url)


@pytest.mark.slow
def test_a_q_that_is_none_is_told_and_is_the_encoders(lens, server):
    page = lens.page
    page.goto(f"{server.url}/elbo?run=digits-2d&image={IMAGE}&q=1,2,three")
    page.get_by_text("Not understood in this address, and left out: q.").wait_for()
    page.wait_for_function(f"() => ({FIND})()?.lens.settled", timeout=90_000)
    assert lens.ask("lens.who") == "encoder"
