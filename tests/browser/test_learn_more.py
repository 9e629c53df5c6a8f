"""Learn, chapters 5 to 8: numbers on the page are the library's; and the guide over the pages."""

import math
import re

import pytest

from explorer.analysis.collapse.linear import covariance_eigenvalues, linear_optimum
from explorer.analysis.teaching.gradients import ESTIMATORS, estimate_gradient, log_likelihood
from explorer.datasets import load_dataset
from explorer.runs.store import open_run
from tests.waiting import wait_for_script, wait_until

pytestmark = pytest.mark.browser
SLOW = 60_000


@pytest.mark.slow
def test_sigma_squared_is_a_beta(tour):
    """σ² = 0.0125 with β = 4 gives what 0.05 gives with 1, and the page says that this is right."""
    page = tour.go("learn?chapter=sigma&trade_sigma2=1&trade_beta=5")
    eigenvalues = covariance_eigenvalues(load_dataset("digits").split("all").images)
    optimum = linear_optimum(eigenvalues, 16, beta=4, sigma2=0.0125)
    page.get_by_text(f"KL {optimum.rate:.2f} nats").wait_for(timeout=SLOW)
    page.get_by_text(f"squared error {optimum.squared_error:.2f}").wait_for()
    page.get_by_text(f"{optimum.active} of 16 dimensions live").wait_for()
    page.get_by_text("Right.").wait_for()
    page.get_by_text("Without the ½, a common slip").click()
    halved = linear_optimum(eigenvalues, 16, beta=4, sigma2=0.0125 / 2)
    page.get_by_text(f"KL {halved.rate:.2f} nats").wait_for()
    page.get_by_text("Not yet.").wait_for()
    page.wait_for_url("**written=1**")


@pytest.mark.slow
def test_the_score_function_needs_more_draws(tour):
    page = tour.go("learn?chapter=reparameterise&draws=5")
    found = [
        estimate_gradient(log_likelihood(2.0, 0.25), 1.0, 0.5, name, "mean") for name in ESTIMATORS
    ]
    page.get_by_text(f"reparameterised ±{found[0].spread(32):.2f}").wait_for(timeout=SLOW)
    page.get_by_text(f"score function ±{found[1].spread(32):.2f}").wait_for()
    ratio = found[1].variance / found[0].variance
    assert 16 < ratio <= 32
    page.get_by_text("Right.").wait_for()
    page.get_by_text("f(z) = z²").click()
    page.get_by_text("Exact gradient 2.00").wait_for()
    page.get_by_text("by σ").click()
    page.get_by_text("Exact gradient 1.00").wait_for()


def test_one_dimension_lives_between_the_eigenvalues(tour):
    page = tour.go("learn?chapter=collapse&sweep_beta=8")
    kl = open_run("mnist-beta-sweep/beta-28").info.results["test"]["kl_per_dim"]
    page.get_by_text(f"KL {max(kl):.3f} + {min(kl):.3f} nats").wait_for(timeout=SLOW)
    page.get_by_text("1 of 2 dimensions live").wait_for()
    page.get_by_text("Right.").wait_for()
    page.get_by_text("Train such a family in the β lab").click()
    page.wait_for_url(re.compile("/beta.*sweep=mnist-beta-sweep"))


@pytest.mark.slow
def test_the_notes_notations_and_all_their_slips(tour):
    page = tour.go("learn?chapter=notation")
    page.get_by_text("Not yet.").wait_for(timeout=SLOW)
    page.get_by_role("radio", name="001").click()
    page.get_by_text("Right.").wait_for()
    page.get_by_text("The 17 slips of the five notes").click()
    rows = page.locator(".st-key-learn_notation_slips tbody tr")
    rows.last.wait_for()
    assert rows.count() == 17
    notes = [row.locator("td").first.inner_text() for row in rows.all()]
    assert [notes.count(f"00{n}") for n in range(5)] == [5, 2, 1, 5, 4]
    assert page.locator(".st-key-learn_notation_slips tbody a").count() == 17
    assert not page.locator(".katex-error").count()


def lies_around(frame, part):
    """Tell whether a frame stands four pixels outside of a part's upper left corner."""
    return math.isclose(frame["x"], max(part["x"] - 4, 2), abs_tol=2) and math.isclose(
        frame["y"], part["y"] - 4, abs_tol=2
    )


def test_the_guide_tells_of_the_page_that_is_open_and_frames_its_parts(page, server):
    page.goto(f"{server.url}/train?guide=2")
    guide, frame = page.locator(".explorer-guide"), page.locator(".explorer-guide-frame")
    guide.get_by_text("The first curve comes").wait_for(timeout=SLOW)
    page.get_by_role("button", name="Start", exact=True).first.wait_for(timeout=SLOW)
    wait_for_script(page)
    before = page.locator(".stMainBlockContainer").bounding_box()
    page.keyboard.press("Escape")
    guide.wait_for(state="hidden")
    assert "guide=" not in page.url
    assert page.locator(".stMainBlockContainer").bounding_box() == before
    page.get_by_role("button", name="Start here").click()
    guide.get_by_text("What is trained").wait_for()
    page.get_by_role("link", name="Explore", exact=True).first.click()
    guide.get_by_text("An image goes in").wait_for(timeout=SLOW)
    for _ in range(3):
        guide.get_by_role("button", name="Next part").click()
    guide.get_by_text("Each latent has a price").wait_for()
    sliders = page.locator(".part-sliders")
    sliders.wait_for(timeout=SLOW)
    page.wait_for_function("() => !document.querySelector('.explorer-guide-frame').hidden")
    page.wait_for_function("() => location.search.includes('guide=4')")
    wait_until(lambda: lies_around(frame.bounding_box(), sliders.bounding_box()))  # It glides.
    assert guide.get_by_role("link").get_attribute("href") == "learn?chapter=kl"
    guide.get_by_role("button", name="Close").first.click()
    frame.wait_for(state="hidden")


def test_the_guide_docks_at_the_bottom_of_a_phone(tour):
    tour.page.set_viewport_size({"width": 390, "height": 844})
    page = tour.go("learn")
    page.locator(".explorer-guide-switch").click()
    guide = page.locator(".explorer-guide")
    guide.get_by_text("Seven chapters").wait_for(timeout=SLOW)
    box = guide.bounding_box()
    assert box["x"] == 0 and box["width"] == 390
    assert math.isclose(box["y"] + box["height"], 844, abs_tol=1)
    guide.get_by_role("button", name="Close").first.click()
    guide.wait_for(state="hidden")


def test_on_a_phone_the_sliders_stay_in_view_from_the_formula_to_the_figure(tour):
    tour.page.set_viewport_size({"width": 390, "height": 844})
    page = tour.go("learn?chapter=reparameterise")
    slider = page.locator(".st-key-learn_sliders input").first
    slider.wait_for(timeout=SLOW)
    wait_for_script(page)
    for part in (".katex-display", ".stPlotlyChart"):
        page.locator(f".st-key-learn_body {part}").first.evaluate(
            "e => e.scrollIntoView({block: 'center'})"
        )
        page.wait_for_function(
            """(e) => {
              const box = e.getBoundingClientRect();
              return box.top > 50 && box.bottom < 844;
            }""",
            arg=slider.element_handle(),
        )
