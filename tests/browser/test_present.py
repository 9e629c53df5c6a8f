"""Presenting: every page half as large again, led through by two keys, and left by Escape."""

import re

import pytest

from tests.browser.conftest import Tour
from tests.waiting import POLL_MILLISECONDS, wait_for_rest, wait_for_script

pytestmark = pytest.mark.browser
SLOW = 60_000
PROJECTOR = {"width": 1280, "height": 720}
PRESENTING = "() => document.body.classList.contains('explorer-presenting')"
SEEN_WHOLE = """() => {
  const around = ['.stColumn', '.stElementContainer'].map((name) => `${name}:has(.stPlotlyChart)`);
  const [chart, column, room] = ['.stPlotlyChart .main-svg', ...around]
    .map((selector) => document.querySelector(selector)?.getBoundingClientRect());
  return chart && column && chart.width > 0.8 * column.width && chart.right < column.right + 2
    && Math.abs(chart.bottom - room.bottom) < 3;
}"""


PLACE = "[location.href, document.querySelector('.stMain')?.scrollTop]"


def step_until(page, address, key):
    """Press `key`, each time until its step is done, until the address is another's."""
    for _ in range(12):
        before = page.evaluate(PLACE)
        page.keyboard.press(key)
        page.wait_for_function(f"before => String({PLACE}) !== String(before)", arg=before)
        wait_for_script(page)
        wait_for_rest(page, PLACE)
        if re.search(address, page.url):
            return
    raise AssertionError(f"{address} was not reached from {page.url}")


def switch(page):
    """Press the switch of the app's bar."""
    page.locator(".explorer-present-switch").click()


def height(page):
    heading = page.locator(".st-key-learn_body h3").first
    heading.wait_for(timeout=SLOW)
    return heading.evaluate("e => e.getBoundingClientRect().height")


def test_a_link_opens_the_presentation_and_keys_lead_through_it(tour, page, server):
    for each in (tour.page, page):
        each.set_viewport_size(PROJECTOR)
    small = height(tour.go("learn?chapter=collapse"))
    assert not tour.page.evaluate(PRESENTING) and "present" not in tour.page.url
    sent = Tour(page, server.url)
    sent.go("learn?chapter=collapse&present=1")
    page.wait_for_function(PRESENTING, timeout=SLOW, polling=POLL_MILLISECONDS)
    assert height(page) > 1.4 * small
    page.wait_for_function(SEEN_WHOLE, timeout=SLOW, polling=POLL_MILLISECONDS)
    page.keyboard.press("PageDown")
    # The chapter's rest comes first, and a step is no nudge.
    page.wait_for_function("() => document.querySelector('.stMain').scrollTop > 144")
    step_until(page, "chapter=notation", "PageDown")
    step_until(page, "/train", "PageDown")
    page.wait_for_url("**present=1*")
    assert page.evaluate(PRESENTING)
    page.get_by_role("link", name="Learn", exact=True).first.wait_for(timeout=SLOW)
    assert page.get_by_text("3 / 8").is_visible()
    assert sent.said == [], "loaded below the root too the console stays clean"


@pytest.mark.slow
def test_a_presentation_outlives_a_reload_and_no_link_that_does_not_ask_for_it(page, server):
    page.goto(f"{server.url}/learn?chapter=collapse&present=1")
    for _ in range(2):
        page.wait_for_function(PRESENTING, timeout=SLOW, polling=POLL_MILLISECONDS)
        page.reload()
    page.goto(f"{server.url}/learn?chapter=kl")
    page.locator(".explorer-present-switch").wait_for(timeout=SLOW)
    assert not page.evaluate(PRESENTING) and "present" not in page.url


def test_an_arrow_key_belongs_to_the_control_that_has_the_focus_and_escape_ends_it(tour):
    tour.page.set_viewport_size(PROJECTOR)
    page = tour.go("learn?chapter=latents")
    switch(page)
    page.wait_for_function(PRESENTING, polling=POLL_MILLISECONDS)
    slider = page.get_by_role("slider").first
    slider.wait_for(timeout=SLOW)
    before = slider.get_attribute("value")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([e, before]) => e.value !== before", arg=[slider.element_handle(), before], timeout=SLOW
    )
    assert "chapter=latents" in page.url
    step_until(page, "chapter=mixture", "PageDown")
    step_until(page, "chapter=latents", "PageUp")
    page.wait_for_url("**present=1*")
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "present" not in url)
    assert not page.evaluate(PRESENTING)


def test_the_map_and_its_sliders_fit_a_small_projector(view):
    view.page.set_viewport_size(PROJECTOR)
    switch(view.page)
    view.until("s.presentation")
    view.rest()
    for part in (".map", ".part-sliders .slider-row"):
        box = view.page.locator(part).first.bounding_box()
        assert box["y"] > 0 and box["y"] + box["height"] < 720, part
    assert view.page.locator(".map").first.bounding_box()["height"] > 0.5 * 720
    # A step forward goes to the next page, and not through what is only handed to the map.
    assert view.page.evaluate("() => document.querySelector('.stMain').scrollHeight") < 1.15 * 720
    # Whoever is sent the scene looks at it by themselves.
    view.press("share")
    view.press("copy-link")
    copied = view.page.evaluate("navigator.clipboard.readText()")
    assert "present=1" in view.page.url and "z=" in copied and "present" not in copied
    switch(view.page)
    view.until("!s.presentation")
    view.page.set_viewport_size({"width": 1280, "height": 800})
    view.rest()


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        (
            "beta?sweep=mnist-beta-sweep",
            (".st-key-beta_stage .film input", ".st-key-beta_bar .stSelectbox"),
        ),
        pytest.param(
            "elbo?section=players",
            (".st-key-elbo_players_bound", ".explorer-score"),
            marks=pytest.mark.slow,
        ),
        ("runs", (".desk tbody tr .acts",)),
    ],
)
def test_what_a_page_is_about_fits_a_small_projector(tour, address, parts):
    tour.page.set_viewport_size(PROJECTOR)
    page = tour.go(address)
    switch(page)
    page.wait_for_function(PRESENTING, timeout=SLOW, polling=POLL_MILLISECONDS)
    page.locator(parts[0]).first.wait_for(timeout=SLOW)
    wait_for_script(page)
    for part in parts:
        page.wait_for_function(
            """(e) => {
              const box = e.getBoundingClientRect();
              return box.width > 0 && box.right <= 1280 && box.bottom <= 720;
            }""",
            arg=page.locator(part).first.element_handle(),
            timeout=SLOW,
        )
    switch(page)
    page.wait_for_function(f"() => !({PRESENTING})()")
