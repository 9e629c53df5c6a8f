"""WCAG 2.1 A and AA by axe, page by page and theme by theme: what we render has no violation."""

import importlib
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

import explorer
from explorer.browser import read_styles
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser
SLOW = 60_000
APP = Path(explorer.__file__).parent / "app"
STANDARD = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
GROUNDS = {"light": "rgb(251, 251, 250)", "dark": "rgb(15, 18, 24)"}
"""What the page itself is painted in, by theme."""
PAGES = ("", "learn", "train", "beta", "collapse", "elbo", "models", "runs")
SHORT = {("", "light"), ("elbo", "dark")}
"""What `make test` looks at: the two pages with components of their own, one in each theme."""
STREAMLITS: dict[str, tuple[str, ...]] = {}
"""Violations that lie in Streamlit's own elements: axe's rule, and selectors of theirs."""
MATRIX = [
    pytest.param(
        name,
        theme,
        id=f"{name or 'explore'}-{theme}",
        marks=() if (name, theme) in SHORT else pytest.mark.slow,
    )
    for name in PAGES
    for theme in GROUNDS
]
READY = """() => document.querySelector('.explorer-lede')
  && !document.querySelector('[data-testid=stStatusWidget], .stSpinner')"""

WEARS = """theme => {
  const isDark = (where, what) => getComputedStyle(document.querySelector(where))[what]
    .match(/[0-9]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) < 384;
  return isDark('.stApp', 'backgroundColor') === (theme === 'dark')
    && isDark('.explorer-lede', 'color') === (theme === 'light')
    && !document.getAnimations().some((each) => each instanceof CSSTransition);
}"""
"""Whether grounds and texts have arrived in a theme; between the two there is no contrast."""


def find_violations(page):
    """Return what axe finds, as (rule, selector), without what is Streamlit's own."""
    found = []
    for violation in Axe().run(page, options=STANDARD).response["violations"]:
        theirs = STREAMLITS.get(violation["id"], ())
        for node in violation["nodes"]:
            selector = str(node["target"][-1])
            if not any(part in selector for part in theirs):
                found.append((violation["id"], selector, node["html"][:160]))
    return found


def test_axe_finds_what_is_wrong(chromium):
    """A page with a picture without words and grey text on white has two violations."""
    page = chromium.new_page()
    page.set_content(
        '<html lang="en"><title>t</title><main><h1>t</h1><img src="data:,">'
        '<p style="color: #999; background: #fff">pale</p></main></html>'
    )
    assert {rule for rule, _, _ in find_violations(page)} == {"image-alt", "color-contrast"}
    page.close()


@pytest.mark.parametrize(("module", "room"), [("sliders", "slider"), ("pixels", "brush")])
def test_a_part_without_its_words_yet_is_not_shown(chromium, module, room):
    """The markup comes first, the words with the script: a slow one leaves nothing unnamed."""
    markup = importlib.import_module(f"explorer.app.parts.{module}")._MARKUP
    page = chromium.new_page()
    page.set_content(
        f'<html lang="en"><title>t</title><style>{read_styles(room)}</style>'
        f"<main><h1>t</h1>{markup}</main></html>"
    )
    assert find_violations(page) == []
    page.close()


def test_no_chart_and_no_picture_goes_without_words():
    """Charts get theirs in one place; what stands beside a picture is its text in every case."""
    sources = {path: path.read_text(encoding="utf-8") for path in APP.rglob("*.py")}
    makers = {path.name for path, source in sources.items() if "plotly_chart(" in source}
    assert makers == {"charts.py"}
    silent = re.compile(r'alt=""|<img(?![^>]*alt=)')
    assert not [path for path, source in sources.items() if silent.search(source)]


def test_a_chart_is_named_by_its_figures(tour):
    """In another language without a browser, in tests/app/test_learn.py."""
    page = tour.go("learn?chapter=collapse")
    chart = page.locator(".st-key-learn_collapse_kl .stPlotlyChart[role=img]")
    chart.wait_for(timeout=SLOW)
    name = chart.get_attribute("aria-label") or ""
    assert "over β" in name and re.search(r"from [\d.]+ at 0.1 to [\d.]+ at 40", name)


@pytest.fixture
def themed(tour):
    """Go to a page in one of the two themes; afterwards it is light again."""

    def wear(theme):
        tour.page.emulate_media(color_scheme=theme)
        # A page that is left in this very moment would be written in the theme before.
        if not tour.is_spoilt:
            tour.page.wait_for_function(WEARS, arg=theme)
            wait_for_script(tour.page)

    def go(name, theme):
        wear(theme)
        return tour.go(name)

    yield go
    wear("light")


@pytest.mark.parametrize(("name", "theme"), MATRIX)
def test_a_page_has_no_violation(themed, name, theme):
    page = themed(name, theme)
    page.wait_for_function(READY, timeout=SLOW)
    wait_for_script(page)
    page.wait_for_function(READY, timeout=SLOW)
    page.wait_for_function(WEARS, arg=theme)
    ground = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert ground == GROUNDS[theme]
    assert find_violations(page) == []
