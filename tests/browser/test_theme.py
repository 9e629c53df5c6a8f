"""A page that stands open when the reader's system turns dark or light turns with it."""

import pytest

from tests.browser.test_access import WEARS
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser
CLOSE = "[role=dialog] button[aria-label=Close]"


@pytest.fixture
def turn(tour):
    """Let the system turn to a theme; afterwards it is light again."""
    yield lambda theme: tour.page.emulate_media(color_scheme=theme)
    tour.page.emulate_media(color_scheme="light")
    tour.page.wait_for_function(WEARS, arg="light")
    wait_for_script(tour.page)


def test_a_page_that_stands_open_turns_with_the_system(tour, turn):
    page = tour.go("learn?chapter=kl")
    for theme in ("dark", "light"):
        turn(theme)
        page.wait_for_function(WEARS, arg=theme)


def test_a_dialog_is_not_closed_by_it(tour, turn):
    page = tour.go("train")
    page.get_by_role("button", name="Your own images").click()
    page.get_by_role("dialog").wait_for()
    wait_for_script(page)
    # In a browser whose clock runs as it is told, the room looks as often as it ever would.
    page.clock.install()
    turn("dark")
    page.clock.run_for(10_000)
    assert page.get_by_role("dialog").is_visible() and not page.evaluate(f"({WEARS})('dark')")
    page.clock.resume()
    page.locator(CLOSE).click()
    page.wait_for_function(WEARS, arg="dark")
