"""A page that is left says something still, on its way out, and is left all the same."""

import pytest
from playwright.sync_api import expect

from tests.browser.explore_page import COUNT_SENT, STOP_COUNTING, ensure_run
from tests.browser.hindrances import standing_still
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser
SLOW = 60_000


def test_a_page_that_is_left_right_after_a_move_is_left(tour, server):
    """On a server that is slow the place was told after the press, and the next page was empty."""
    ensure_run(server.runs, "two")
    page = tour.go("?model=two")
    overlay = page.locator(".map canvas.overlay")
    overlay.wait_for(timeout=SLOW)
    lede = page.locator("#root .explorer-lede")
    before = lede.inner_text()
    page.evaluate(COUNT_SENT)
    with standing_still(server, ""):
        overlay.press("ArrowRight")
        page.get_by_role("link", name="Runs", exact=True).first.click()
        # The press, and what the map's keys told 0.3 s after it.
        page.wait_for_function("sent === 2")
    page.wait_for_url("**/runs*")
    wait_for_script(page)
    expect(lede).to_have_count(1)
    assert lede.inner_text() != before
    page.locator(".st-key-runs_table").wait_for(timeout=SLOW)
    page.evaluate(STOP_COUNTING)
