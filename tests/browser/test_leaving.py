"""A page that is left says something still, on its way out, and is left all the same."""

import pytest
from playwright.sync_api import expect

from tests.browser.explore_page import COUNT_SENT
from tests.browser.hindrances import held
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser


def test_a_page_that_is_left_right_after_a_move_is_left(view, server):
    """On a server that is slow the place was told after the press, and the next page was empty."""
    page = view.page
    view.is_spoilt = True  # Whoever comes next opens Explore anew.
    lede = page.locator("#root .explorer-lede")
    before = lede.inner_text()
    page.evaluate(COUNT_SENT)
    runs = page.get_by_role("link", name="Runs", exact=True).first
    with held(server.process.pid):
        page.locator(".map canvas.overlay").press("ArrowRight")
        assert runs.evaluate("link => { link.click(); return sent; }") <= 1, "the press goes first"
        # What the map's keys tell comes 0.3 s after it.
        page.wait_for_function("sent >= 2")
    page.wait_for_url("**/runs*")
    wait_for_script(page)
    expect(lede).to_have_count(1)
    assert lede.inner_text() != before
    page.locator(".st-key-runs_table").wait_for()
