"""The app's menu on a phone: it has a name, it closes once a page is chosen, and stays closed."""

import pytest

from tests.browser.conftest import Tour
from tests.waiting import wait_for_rest

pytestmark = pytest.mark.browser
SLOW = 60_000


@pytest.fixture(scope="module")
def phone(chromium, server):
    """A phone with one page, which goes from address to address."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    yield Tour(context.new_page(), server.url)
    context.close()


def test_the_menu_has_a_name_and_closes_once_a_page_is_chosen(phone):
    page = phone.go("runs")
    opener = page.get_by_role("button", name="Menu", exact=True)
    opener.wait_for(timeout=SLOW)
    assert "Menu" in opener.evaluate("e => getComputedStyle(e, '::after').content")
    opener.tap()
    choice = page.locator("[data-testid=stSidebarNavLink]", has_text="Learn")
    choice.tap()
    page.wait_for_url("**/learn*", timeout=SLOW)
    opener.wait_for(timeout=SLOW)
    page.reload()
    opener.wait_for(timeout=SLOW)
    page.locator(".explorer-lede").wait_for(timeout=SLOW)
    assert_that_no_switch_is_touched(page)
    box = choice.bounding_box()
    assert opener.is_visible() and (box is None or box["x"] + box["width"] <= 0)


def assert_that_no_switch_is_touched(page):
    """Assert that the menu's opener and the switches of the bar keep their distance, once still."""
    page.locator("[data-testid=stExpandSidebarButton]").wait_for(timeout=SLOW)
    page.locator(".explorer-guide-switch").wait_for(timeout=SLOW)
    names = ("[data-testid=stExpandSidebarButton]", ".explorer-bar", ".st-key-language")
    each = "(name) => document.querySelector(name)?.getBoundingClientRect()"
    wait_for_rest(page, f"{list(names)}.map({each})")
    boxes = [page.locator(name).bounding_box() for name in names]
    for left, right in zip(boxes, boxes[1:], strict=False):
        assert left["x"] + left["width"] + 5 <= right["x"]


def test_the_menus_opener_touches_no_other_switch_of_the_bar(phone):
    """In the traditional script; in English it is seen above."""
    page = phone.go("runs?lang=zh-Hant")
    assert_that_no_switch_is_touched(page)
