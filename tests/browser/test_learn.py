"""Learn, chapters 1 to 4: what the page says is what the library says, and doing answers it."""

import re

import pytest

from explorer.analysis.teaching.gaussians import kl_terms
from explorer.analysis.teaching.toy import LinearEncoder, LinearToy, measure_three_ways
from tests.helpers import present
from tests.waiting import wait_until

pytestmark = pytest.mark.browser
FORMULAS_HOLD = """numbers => {
  const drawn = [...document.querySelectorAll('.katex-mathml')].map(formula => formula.textContent);
  const told = drawn.join('').replaceAll('\u2212', '-').replace(/\\s/g, '');
  return numbers.every(number => told.includes(number));
}"""


def open_chapter(tour, chapter, query=""):
    """Return the page once the chapter stands there, with its sliders as the query puts them."""
    page = tour.go(f"learn?chapter={chapter}{query}")
    page.get_by_text("Check it by doing.").wait_for(timeout=60_000)
    return page


def set_slider(page, name, value):
    page.get_by_role("slider", name=name).fill(str(value))


def test_chapters_follow_one_another_and_stay_in_the_address(tour):
    tour.page.set_viewport_size({"width": 1280, "height": 500})
    page = open_chapter(tour, "mixture")
    page.get_by_role("heading", name="p(x) as an infinite mixture").wait_for()
    page.locator(".st-key-learn_right button").click()
    page.get_by_role("heading", name="The ELBO three ways").wait_for()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    page.wait_for_url("**chapter=elbo**")
    page.locator(".st-key-learn_left button").click()
    page.get_by_role("heading", name="p(x) as an infinite mixture").wait_for()


def test_one_z_for_the_whole_picture_and_a_sample_of_it(tour):
    page = open_chapter(tour, "latents")
    page.get_by_text("Every pixel has a z of its own").wait_for()
    set_slider(page, "Pixels that share one z", 5)
    page.get_by_text("But means are no samples").wait_for()
    page.get_by_text("sample of p(x|z)", exact=True).click()
    page.get_by_text("that is sampling p(x)").wait_for()
    sheet = page.locator(".explorer-prior img").last
    before = sheet.get_attribute("src")
    page.get_by_role("button", name="Draw again").click()
    page.wait_for_function(
        "['shared=5', 'shown=sample', 'draw=1'].every(part => location.search.includes(part))"
    )
    page.wait_for_function(
        "before => [...document.querySelectorAll('.explorer-prior img')].at(-1).src !== before",
        arg=before,
    )


@pytest.mark.slow
def test_a_link_to_a_sample_means_the_same_in_every_language(tour, page):
    asked = "&shared=5&shown=sample&draw=1"
    here = open_chapter(tour, "latents", asked)
    drawn = here.locator(".explorer-prior img").last.get_attribute("src")
    page.goto(f"{here.url}&lang=zh-Hant")
    page.get_by_text("答對了").wait_for(timeout=60_000)
    assert page.locator(".explorer-prior img").last.get_attribute("src") == drawn


@pytest.mark.slow
def test_twelve_gaussians_are_nearly_the_integral(tour):
    page = open_chapter(tour, "mixture", "&gaussians=2")
    page.get_by_text("Area under the mixture: 1.00.").wait_for()
    set_slider(page, "Gaussians", 5)
    page.get_by_text("12 Gaussians misplace 0.89").wait_for()
    page.get_by_text("p(z) left out", exact=True).click()
    page.get_by_text("its area is 6.00").wait_for()
    page.get_by_text("now stand equally far apart").wait_for()
    page.get_by_text("drawn from p(z)", exact=True).click()
    page.get_by_text("These codes are drawn").wait_for()
    set_slider(page, "Gaussians", 11)
    page.get_by_text("fewer Gaussians do as well").wait_for()


def test_the_three_lines_have_the_librarys_numbers_and_q_closes_the_gap(tour):
    page = open_chapter(tour, "elbo")
    set_slider(page, "μ of q", 0.6)
    set_slider(page, "σ of q", 0.8)
    ways = measure_three_ways(LinearToy(), LinearEncoder(0.4, 0.8), 1.5)
    page.get_by_text(f"Gap {ways.gap:.3f} nats").wait_for()
    wanted = (ways.log_px, ways.elbo, ways.kl, ways.joint_kl, ways.loss, -ways.entropy)
    page.wait_for_function(FORMULAS_HOLD, arg=[f"{value:.2f}" for value in wanted])
    agreed = page.get_by_text("each found on its own, agree to").inner_text()
    assert re.search(r"\d·10⁻¹", agreed) or "to 0 nats" in agreed
    set_slider(page, "μ of q", 1.2)
    page.get_by_text("q is too wide").wait_for()
    set_slider(page, "σ of q", 0.45)
    page.get_by_text("q is p(z|x) now").wait_for()


def test_the_two_bars_say_the_sum_and_their_axis_waits_for_the_slider(tour):
    page = open_chapter(tour, "elbo")
    set_slider(page, "μ of q", 1.2)
    set_slider(page, "σ of q", 0.45)
    ways = measure_three_ways(LinearToy(), LinearEncoder(0.8, 0.45), 1.5)
    sums = (
        f"reconstruction {ways.reconstruction:.2f} + KL {ways.kl:.2f} = −ELBO {-ways.elbo:.2f} nats"
        f" −log p(x) {-ways.log_px:.2f} + gap {ways.gap:.2f}"
    )
    page.get_by_role("img", name=sums).wait_for()
    root = page.locator(".lx:has(> .bars)")

    def span():
        return root.evaluate("root => root.bars.axis.span")

    small = span()
    slider = present(page.get_by_role("slider", name="μ of q").bounding_box())
    middle = slider["y"] + slider["height"] / 2
    page.mouse.move(slider["x"] + 0.55 * slider["width"], middle)
    page.mouse.down()
    page.mouse.move(slider["x"] + 2, middle, steps=3)
    wait_until(lambda: span() > small)
    page.mouse.move(slider["x"] + 0.55 * slider["width"], middle, steps=3)
    page.get_by_text("is p(z|x) now").or_(page.get_by_text("Gap 0.0")).first.wait_for()
    assert span() > small, "the axis stands still while the thumb is held"
    page.mouse.up()
    wait_until(lambda: span() == small)


@pytest.mark.slow
def test_the_same_lines_hold_on_a_real_model(tour):
    from explorer.analysis.inference.microscope import examine_image
    from explorer.analysis.inference.posterior_grid import build_grid
    from explorer.app.observation import Observation, find_telling
    from explorer.export.pictures import find_pictures
    from explorer.library import Library
    from explorer.runs.store import open_run

    run = open_run("mnist-2d")
    pictures = present(find_pictures(run, Library().images_of(run, at_once=True)))
    place = next(iter([*find_telling(run.id, pictures), 0]))
    observation = Observation(run, pictures, place)
    found = examine_image(
        run.model, observation.target(), build_grid(run.model, present(run.codes()).mean)
    )
    page = open_chapter(tour, "elbo")
    page.get_by_text("a real model", exact=True).click()
    remark = page.get_by_text("The encoder leaves").filter(visible=True)
    remark.wait_for(timeout=90_000)
    said = float(present(re.search(r"leaves ([\d.]+) nats", remark.inner_text()))[1])
    assert said == pytest.approx(found.gap, abs=0.006)


@pytest.mark.slow
def test_the_price_of_being_too_sure(tour):
    page = open_chapter(tour, "kl")
    page.get_by_text(f"of the {kl_terms(1.2, 0.5).total:.2f} nats, 0.72 are").wait_for()
    set_slider(page, "μ of q", 0)
    page.get_by_text("q is not sure enough yet").wait_for()
    set_slider(page, "σ of q", 1.8)
    page.get_by_text("is vaguer than the prior").wait_for()
    set_slider(page, "σ of q", 0.4)
    page.get_by_text("to be sure costs information").wait_for()
    page.get_by_text(f"KL(q‖p) = {kl_terms(0, 0.4).total:.2f} nats").wait_for()
