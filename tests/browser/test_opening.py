"""What a visitor sees first, in which order, and what a second visit does not fetch again."""

import pytest

from tests.browser.explore_page import MAP, ExplorePage, ensure_run
from tests.waiting import POLL_MILLISECONDS, wait_for_script

pytestmark = pytest.mark.browser

EARLY = "document.querySelector('#first-frame .early')?.shadowRoot.querySelector('.lx')?.explorer"
BOX = (
    "(() => { const { x, y, width, height } = window.opened.map.element.getBoundingClientRect();"
    " return [x, y, width, height]; })()"
)
STANDS = "document.documentElement.classList.contains('explorer-map-stands')"


def hold(page, pattern):
    """Keep requests waiting; a script may be asked for twice."""
    held = []
    page.route(pattern, lambda route: held.append(route))
    return held


def release(held):
    for route in held:
        route.continue_()


@pytest.fixture
def address(server):
    ensure_run(server.runs, "two")
    return f"{server.url}/?model=two"


@pytest.fixture(scope="module")
def again(visitor, server):
    """A page that a visitor opens who was there before, for many to read, and what it asked for."""
    for name in ("two", "two-high"):  # The latter makes a sweep of them.
        ensure_run(server.runs, name)
    page = visitor.new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    yield ExplorePage(page, f"{server.url}/?model=two")
    page.close()


@pytest.fixture
def known(again):
    """The same address, of which the server knows what it opens with: somebody has opened it."""
    return again.address


def test_the_title_the_sentence_and_the_skeleton_stand_before_streamlit_and_before_the_map(
    page, address
):
    streamlit = hold(page, "**/static/js/index.*.js")
    module = hold(page, "**/map/main.js")
    page.goto(address, wait_until="commit")
    frame = page.locator("#first-frame")
    frame.get_by_text("Every image has a place").wait_for()
    assert frame.locator("svg text").first.text_content() == "Latent Explorer"
    skeleton = page.locator(".explorer-skeleton:visible")
    assert skeleton.count() == 1 and page.locator(".stApp").count() == 0
    before = page.locator(".explorer-lede").bounding_box(), skeleton.bounding_box()

    release(streamlit)
    page.locator("#root .explorer-skeleton").first.wait_for()
    frame.wait_for(state="detached")
    wait_for_script(page)  # A server's first visitor sees it twice: before the libraries and after.
    assert not page.evaluate(STANDS)
    after = page.locator(".explorer-lede").bounding_box(), skeleton.bounding_box()
    for was, now in zip(before, after, strict=True):
        assert (now["x"], now["y"]) == pytest.approx((was["x"], was["y"]), abs=1.5)

    release(module)
    page.wait_for_function(STANDS, polling=POLL_MILLISECONDS)
    assert skeleton.count() == 0
    assert page.evaluate(f"{MAP}.getBoundingClientRect().top") == pytest.approx(
        after[1]["y"], abs=1.5
    )


def test_the_map_can_be_used_before_streamlit_and_moves_to_its_page_as_it_is(page, known):
    streamlit = hold(page, "**/static/js/index.*.js")
    page.goto(known, wait_until="commit")
    page.wait_for_function(f"{EARLY}?.painted > 0", polling=POLL_MILLISECONDS)
    assert (
        page.locator(".stApp").count() == 0
        and page.locator(".explorer-skeleton:visible").count() == 0
    )
    page.evaluate(f"window.opened = {EARLY}")
    page.locator(".map canvas.overlay").hover(position={"x": 90, "y": 70})
    page.wait_for_function("window.opened.store.state.hover")
    page.locator(".early input[type=range]").first.focus()
    page.keyboard.press("Home")
    page.wait_for_function("window.opened.store.state.z[0] !== 0")
    z, before = page.evaluate(f"[window.opened.store.state.z[0], {BOX}]")

    release(streamlit)
    page.wait_for_function(STANDS, polling=POLL_MILLISECONDS)
    assert page.evaluate(f"{MAP}.shadowRoot.querySelector('.lx').explorer === window.opened")
    assert page.locator("#first-frame").count() == 0
    assert page.evaluate(f"[window.opened.store.state.z[0], {BOX}]") == [z, before]
    assert page.evaluate(f"{MAP}.shadowRoot.activeElement?.type") == "range"
    wait_for_script(page)
    assert page.evaluate("window.opened.store.state.models?.length") > 1, "it hears the server now"
    page.locator(".toolbar select.model").select_option("digits-2d")
    page.wait_for_function(
        f"{MAP}?.shadowRoot.querySelector('.lx')?.explorer.header.id === 'digits-2d'"
    )


def test_the_map_of_the_first_frame_goes_with_it_where_the_page_is_in_trouble(page, known):
    module = hold(page, "**/BidiComponent.*.js")
    page.goto(known, wait_until="commit")
    page.wait_for_function(f"{EARLY}?.painted > 0", polling=POLL_MILLISECONDS)
    page.evaluate(f"window.opened = {EARLY}")
    page.locator("#first-frame.handed").wait_for()
    page.evaluate(
        "document.querySelector('.stMainBlockContainer').insertAdjacentHTML('beforeend',"
        " '<div class=stAlert></div>')"
    )
    page.locator("#first-frame").wait_for(state="detached")
    release(module)
    page.wait_for_function(STANDS, polling=POLL_MILLISECONDS)
    assert page.evaluate(f"{MAP}.shadowRoot.querySelector('.lx').explorer !== window.opened")


def test_the_skeleton_is_of_the_map_alone(page, server):
    page.goto(f"{server.url}/runs", wait_until="commit")
    page.locator("#root .explorer-lede").wait_for()
    page.locator("#first-frame").wait_for(state="detached")
    assert page.locator(".explorer-skeleton").count() == 0


def test_a_second_visit_fetches_no_script_and_no_payload_again(again):
    fetched = again.page.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter((r) => r.name.endsWith('.js') || r.name.includes('/payload/'))"
        ".map((r) => [r.name, r.transferSize])"
    )
    for part in ("/map/main.js", "/payload/"):
        assert any(part in name for name, _ in fetched)
    assert [name for name, size in fetched if size > 0] == []


def test_the_browsers_tab_shows_the_apps_mark_and_asks_nobody_for_it(again):
    shown = again.page.locator("link[rel='shortcut icon']").get_attribute("href")
    assert shown.startswith("data:image/svg+xml;base64,")
    assert [url for url in again.page.asked if url.startswith("http") and "%" in url] == []


def test_the_models_of_a_sweep_come_after_the_map(again):
    again.until("s.members.length === 2")
    assert again.errors == []


@pytest.fixture(scope="module")
def hindered(visitor, server):
    """A page whose payload cannot be fetched, and which the font of its axes has not reached."""
    ensure_run(server.runs, "two")
    page = visitor.new_page()
    page.route("**/payload/*", lambda route: route.fulfill(status=404))
    page.held_fonts = hold(page, "**/SourceSansVF-Italic*.woff2")
    yield ExplorePage(page, f"{server.url}/?model=two")
    page.close()


def test_a_payload_that_cannot_be_fetched_is_sent(hindered):
    assert hindered.ask("s.z.length") == 2 and hindered.errors == []


def test_the_axes_are_drawn_anew_when_their_font_has_come(hindered):
    hindered.rest()
    drawn = "app.map.base.toDataURL()"
    before = hindered.ask(drawn)
    assert len(hindered.page.held_fonts) == 1, "the canvas asked for it"
    release(hindered.page.held_fonts)
    hindered.until(f"{drawn} !== arg", before)
