"""A site in a bare browser: from the disk without a network, and below a path of a web server."""

import functools
import http.server
import re
import threading

import pytest

from explorer.export.exercises.figures import Answers
from explorer.export.exercises.grade import grade_lines
from explorer.export.exercises.sheet import read_sheet
from explorer.export.site.build import build_site
from explorer.library import Library
from explorer.runs.store import open_run
from tests.waiting import wait_until

pytestmark = pytest.mark.browser
Z = "() => Array.from(document.getElementById('explorer').explorer.store.state.z)"
BOX = """() => {
  const { top } = document.getElementById('explorer').explorer.map;
  const { left, top: above, width, height } = top.getBoundingClientRect();
  return [left, above, width, height];
}"""
LENS_OBJECT = "document.getElementById('lens').lens"
SHEET = """
sheet = "one"
[[questions]]
id = "gap"
run = "digits-2d"
images = [1]
figure = "gap"
tolerance = 0.01
ask = "How large is the gap of image {image}?"
"""
MAP, LENS = "models/digits-2d/index.html", "models/digits-2d/lens-1.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("web") / "some" / "path"
    languages = ("en", "zh-Hans")
    asked = place.parents[1] / "sheet.toml"
    asked.write_text(SHEET, encoding="utf-8")
    site = build_site(
        [open_run("digits-2d")],
        Library(),
        languages=languages,
        lenses=1,
        learn=("sigma", "collapse"),
        exercises=read_sheet(asked),
    )
    site.write(place)
    return place


@pytest.fixture(scope="module")
def offline(chromium):
    """A browser without a network; a still page keeps its process alive."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    context.new_page().goto("about:blank")
    yield context
    context.close()


@pytest.fixture
def bare(offline):
    """A page of it, and what went wrong there."""
    page = offline.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda m: m.type == "error" and page.errors.append(m.text))
    yield page
    page.close()
    assert page.errors == []


def test_from_the_disk_the_map_decodes_under_the_hand(bare, folder):
    bare.goto((folder / "index.html").as_uri())
    bare.get_by_role("link", name="Explore").click()
    bare.wait_for_selector("#explorer[data-ready]", state="attached")
    before = bare.evaluate(Z)
    left, top, width, height = bare.evaluate(BOX)
    bare.mouse.click(left + width / 3, top + height / 3)
    wait_until(lambda: bare.evaluate(Z) != before)
    wait_until(lambda: "z=" in bare.evaluate("() => location.hash"))


def test_a_scene_in_the_address_opens_and_embedded_pages_have_no_frame(bare, folder):
    address = (folder / MAP).as_uri()
    bare.goto(f"{address}?embed=1&only=map#z=1,-1")
    bare.wait_for_selector("#explorer[data-ready]", state="attached")
    assert bare.evaluate(Z) == [1, -1]
    assert bare.locator("header.site").is_hidden()
    assert bare.locator(".part-sliders").first.is_hidden()
    assert bare.locator("#explorer .map").is_visible()


def test_the_lines_of_an_iframe_are_handed_out(bare, folder):
    bare.goto((folder / MAP).as_uri())
    bare.wait_for_selector("#explorer[data-ready]", state="attached")
    button = bare.locator("[data-action=copy-iframe]")
    button.click()
    shown = bare.locator("[data-role=iframe]")
    wait_until(lambda: shown.count() or button.text_content() == "Copied")
    if shown.count():
        assert "embed=1" in shown.input_value() and shown.input_value().startswith("<iframe ")


def test_the_lens_shows_the_best_normals_without_a_server(bare, folder):
    bare.goto((folder / LENS).as_uri())
    bare.wait_for_selector("#lens[data-ready]", state="attached")
    bare.locator("#lens [data-action=refine]").click()
    wait_until(lambda: bare.evaluate(f"() => {LENS_OBJECT}.refined !== null"))
    best = bare.evaluate(f"() => {LENS_OBJECT}.refined.full.elbo")
    assert best <= bare.evaluate(f"() => {LENS_OBJECT}.exact.log_px") + 1e-2


def test_a_figure_read_beside_its_question_is_handed_in_and_right(bare, folder):
    bare.goto((folder / "exercises.html").as_uri())
    bare.locator("[data-key=name]").fill("=Ada")
    bare.get_by_text("How large is the gap of image 1?").wait_for()
    bare.get_by_role("link", name="Show the page").click()
    lens = bare.frame_locator("iframe[name=beside]").locator("#lens[data-ready]")
    given = wait_until(lambda: re.findall(r"gap\s+(\d+\.\d+)", lens.inner_text()))
    bare.locator("[data-key='=gap']").fill(given[0])
    line = bare.locator("[data-role=line]").input_value()
    marks = grade_lines(read_sheet(folder.parents[1] / "sheet.toml"), line, Answers(Library()))
    assert marks.count("Ada") == 1


def test_a_chapter_follows_its_sliders_and_its_address(bare, folder):
    bare.goto((folder / "learn" / "sigma.html").as_uri())
    bare.wait_for_selector("#learn[data-ready]", state="attached")
    assert bare.locator("#learn .open").count() == 1
    bare.locator("[data-key=trade_sigma2]").fill("1")
    bare.locator("[data-key=trade_beta]").fill("5")
    bare.locator("#learn .right").wait_for()
    wait_until(lambda: bare.url.endswith("#trade_sigma2=0.0125&trade_beta=4"))
    address = (folder / "zh-Hans" / "learn" / "collapse.html").as_uri()
    bare.goto(f"{address}?embed=1&only=figures,question#sweep_beta=28")
    bare.locator("#learn .right").wait_for()
    assert bare.locator("output").inner_text() == "28"
    assert bare.locator("#learn .prose").is_hidden()
    assert bare.locator("#learn svg").first.is_visible()


@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.slow), 390])
def test_below_a_path_of_a_web_server_in_another_language(chromium, folder, width):
    handler = functools.partial(Quiet, directory=str(folder.parents[1]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = chromium.new_context(viewport={"width": width, "height": 800})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/some/path/index.html")
        page.get_by_role("link", name="简").click()
        page.get_by_role("link", name="探索").click()
        page.wait_for_selector("#explorer[data-ready]", state="attached")
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""
