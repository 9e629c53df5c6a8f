"""The report in a bare browser with the network off: from disk, in light and dark, on a phone."""

import pytest

from explorer.datasets import load_dataset
from explorer.export.report.gather import gather_run
from explorer.export.report.page import build_report
from explorer.runs.store import open_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    found = gather_run(open_run("digits-collapsed"), load_dataset("digits"))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(build_report(found))
    return path


@pytest.fixture
def bare(chromium):
    """A browser of nobody, without network, that remembers what was asked of it."""
    context = chromium.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


def test_it_opens_from_disk_and_asks_for_nothing_else(bare, path):
    bare.goto(path.as_uri())
    assert "β\u00a0=\u00a01 exceeds" in bare.locator("h1").inner_text()
    bare.get_by_text("optimal σ²").wait_for()
    assert all(url == path.as_uri() or url.startswith("data:") for url in bare.asked)


@pytest.mark.parametrize("scheme, ground", [("light", 251), ("dark", 15)])
def test_it_follows_the_readers_scheme_and_prints_light(bare, path, scheme, ground):
    bare.emulate_media(color_scheme=scheme)
    bare.goto(path.as_uri())
    colour = "() => getComputedStyle(document.body).backgroundColor"
    assert bare.evaluate(colour).startswith(f"rgb({ground},")
    bare.emulate_media(media="print", color_scheme=scheme)
    assert bare.evaluate(colour).startswith("rgb(251,")


def test_on_a_phone_nothing_runs_over_the_edge(bare, path):
    bare.set_viewport_size({"width": 390, "height": 844})
    bare.goto(path.as_uri())
    assert bare.evaluate("document.documentElement.scrollWidth") <= 390
