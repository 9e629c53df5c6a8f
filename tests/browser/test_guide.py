"""The guide speaks of nothing that is not there: each of its stops has its part on the page."""

import pytest
from playwright.sync_api import expect

from explorer.app.parts.guide import GUIDE

pytestmark = pytest.mark.browser
SLOW = 60_000
SHORT = ("explore", "collapse")
"""The pages whose stops `make test` goes through: the first one, and one of many parts."""
ADDRESSES = {"explore": "", "beta": "beta?sweep=mnist-beta-sweep"}
"""Where a page has all its parts: the newest family may still wait to be trained."""


@pytest.mark.parametrize(
    "name",
    [name if name in SHORT else pytest.param(name, marks=pytest.mark.slow) for name in GUIDE],
)
def test_every_stop_frames_a_part_of_its_page(tour, name):
    stops = GUIDE[name]
    page = tour.go(ADDRESSES.get(name, name))
    page.locator(".explorer-guide-switch").click()
    place, frame = page.locator(".explorer-guide .place"), page.locator(".explorer-guide-frame")
    for number, stop in enumerate(stops, 1):
        place.get_by_text(f"{number} / {len(stops)}").wait_for(timeout=SLOW)
        expect(frame, f"{stop.target} on {name}").to_be_visible(timeout=SLOW)
        if number < len(stops):
            page.locator(".explorer-guide .next").click()
    page.locator(".explorer-guide-switch").click()
    page.locator(".explorer-guide").wait_for(state="hidden")
