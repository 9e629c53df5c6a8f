"""What is known of the images colours the map, and the lasso tells it."""

import pytest

pytestmark = pytest.mark.browser


def test_a_number_and_words_colour_the_points_and_the_selection_tells_them(view):
    view.ask(
        """(() => {
        const n = app.count;
        const x = Float32Array.from({length: n}, (_, i) => i);
        const w = Uint8Array.from({length: n}, (_, i) => i % 2);
        app.factors = [
          {name: "age", words: null, values: x, low: 0, high: n - 1},
          {name: "side", words: ["left", "right"], values: w, low: 0, high: 0},
        ];
        app.store.set({member: app.store.state.member, colour: "age"});
        })()"""
    )
    bar = view.page.locator("[data-role=scale]")
    bar.wait_for()
    assert bar.inner_text().startswith("0")
    assert view.ask("new Set(app.map.points.shades).size") > 10
    view.page.select_option("[data-role=colour]", "side")
    bar.wait_for(state="hidden")
    chips = view.page.locator(".chip.class")
    assert chips.all_inner_texts() == ["left", "right"]
    chips.nth(0).click()
    view.page.wait_for_selector(".chip.class[aria-pressed=false]")
    view.ask("app.selectOutline([[-99, -99], [99, -99], [99, 99], [-99, 99]])")
    count = view.ask("app.count")
    assert view.ask("s.selection.indices.length") == count // 2, "hidden words are not selected"
    view.page.locator(".statistics tr", has_text="side").wait_for()
    assert f"right: {count // 2}" in view.page.locator(".statistics").inner_text()
    view.page.wait_for_function("location.search.includes('colour=side')")
    view.page.select_option("[data-role=colour]", "")
    view.ask("(() => { app.readCodes(); app.clearSelection(); })()")
    view.ask("app.store.set({colour: 'none'})")
    view.ask("app.store.set({colour: ''})")
    view.page.locator(".colouring").wait_for(state="hidden")
