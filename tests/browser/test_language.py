"""The language switch: the words change, the page, the scene and the settings stay."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tour
from tests.browser.explore_page import MAP, ExplorePage
from tests.waiting import POLL_MILLISECONDS

pytestmark = pytest.mark.browser

KEPT = "[Array.from(s.z), s.pins.map(pin => Array.from(pin.z)), s.tab, s.hidden.size, s.seed]"


def switch(page, language, switched):
    """Press the language in the bar until `switched` tells that the page follows."""
    page.locator(".st-key-language").get_by_role("radio", name=language).click()
    page.wait_for_function(switched, polling=POLL_MILLISECONDS)


def declares(language):
    return f"document.documentElement.lang === '{language}'"


def speaks(word):
    return f"{MAP}?.shadowRoot?.querySelector('.lx')?.textContent.includes('{word}')"


@pytest.fixture(scope="module")
def travelled(visitor, server):
    """Explore, opened for two tests: each leaves another language behind it."""
    yield ExplorePage(visitor.new_page(), f"{server.url}/?model=digits-2d")


def test_the_map_changes_its_words_and_keeps_its_scene(travelled):
    view, page = travelled, travelled.page
    view.ask("(app.samplePrior(), app.addPin(), app.samplePrior())")
    page.locator("[data-tab=traversal]").click()
    view.settle()
    before = view.ask(KEPT)
    switch(page, "简", speaks("先验采样"))
    assert view.ask(KEPT) == before
    switch(page, "繁", speaks("先驗抽樣"))
    page.wait_for_function(declares("zh-Hant"), polling=POLL_MILLISECONDS)
    assert view.ask(KEPT) == before and view.errors == []
    page.wait_for_function("/lang=zh-Hant/.test(location.search) && /z=/.test(location.search)")


def test_settings_stay_when_the_words_change(travelled, server):
    page = Tour(travelled.page, server.url).stay("train?lang=en")
    page.get_by_role("button", name="Settings").click(timeout=60_000)
    field = page.locator(".st-key-train_latent_dim input")
    field.fill("5")
    field.press("Enter")
    page.get_by_text("· 5 latents ·").wait_for()
    page.keyboard.press("Escape")
    switch(page, "简", declares("zh-Hans"))
    page.get_by_text("· 5 个隐维度 ·").wait_for()
    page.get_by_role("button", name="设置").click()
    expect(field).to_have_value("5")
    page.keyboard.press("Escape")
    assert "lang=zh-Hans" in page.url
    page.get_by_role("link", name="训练记录").click()
    page.get_by_text("只有图像相同、似然相同的记录").wait_for(timeout=60_000)
    page.wait_for_function("/lang=zh-Hans/.test(location.search)")


@pytest.mark.slow
def test_a_link_opens_its_scene_in_its_language(explore, page, visitor):
    view = explore("two")
    view.ask("app.samplePrior()")
    switch(page, "繁", speaks("先驗抽樣"))
    page.wait_for_function("/lang=zh-Hant/.test(location.search) && /z=/.test(location.search)")
    other = visitor.new_page()
    other.goto(page.url)
    other.wait_for_function(speaks("先驗抽樣"), timeout=60_000, polling=POLL_MILLISECONDS)
    z = other.evaluate(f"Array.from({MAP}.shadowRoot.querySelector('.lx').explorer.store.state.z)")
    assert z == pytest.approx(view.z(), abs=1e-3)


def test_a_browser_is_answered_in_its_own_language(page, server):
    browser = page.context.new_cdp_session(page)
    agent = page.evaluate("navigator.userAgent")
    browser.send("Emulation.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": "zh-TW"})
    page.goto(f"{server.url}/runs")
    page.get_by_text("只有影像相同、概似相同的紀錄").wait_for(timeout=60_000)
    page.wait_for_function(declares("zh-Hant"), polling=POLL_MILLISECONDS)
    assert page.evaluate("navigator.language") == "zh-TW" and "lang" not in page.url
