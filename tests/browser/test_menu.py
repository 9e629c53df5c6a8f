"""The app's menu on a phone: it has a name, it closes once a page is chosen, and stays closed."""

import pytest

pytestmark = pytest.mark.browser
SLOW = 60_000


def test_the_menu_has_a_name_and_closes_once_a_page_is_chosen(chromium, server):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(f"{server.url}/runs")
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
    page.wait_for_timeout(500)
    box = choice.bounding_box()
    assert opener.is_visible() and (box is None or box["x"] + box["width"] <= 0)
    context.close()
