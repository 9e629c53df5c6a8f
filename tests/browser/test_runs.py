"""The Runs page: rename, compare, delete with a question."""

import shutil
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from explorer.app.text import JOINER
from explorer.runs.run import Run
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser


@pytest.fixture
def two_runs(server, tiny_run):
    """Two copies of a small run, as the only runs of the visitor; others come back afterwards."""
    others = server.runs.with_name("others")
    server.runs.rename(others)
    server.runs.mkdir()
    for name in ("first", "second"):
        shutil.copytree(tiny_run.path, server.runs / name)
        Run(server.runs / name).rename(f"the {name}")
    yield Run(server.runs / "first"), Run(server.runs / "second")
    shutil.rmtree(server.runs)
    others.rename(server.runs)


def tick(page, row):
    """Tick a row's box on the table, which is a canvas of 35-pixel rows."""
    table = page.get_by_test_id("stDataFrame")
    # For screen readers the canvas holds a table too; its first row is the heads.
    told = table.locator(f"tr[aria-rowindex='{row + 2}']")
    told.wait_for(state="attached")
    wait_for_script(page)
    box = table.bounding_box()
    page.mouse.click(box["x"] + 16, box["y"] + 35 * (row + 1) + 15)
    expect(told).to_have_attribute("aria-selected", "true")


def test_a_run_is_renamed(page, server, two_runs):
    page.goto(f"{server.url}/runs")
    tick(page, 0)
    page.get_by_role("button", name="Rename").click()
    field = page.get_by_label("New name")
    field.fill("my best model")
    field.press("Enter")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Save").wait_for(state="hidden")
    assert "my best model" in {run.name for run in two_runs}


NASTY = "[x](//evil.example) ![](//evil.example/a) <b> https://evil.example :red[c] $x$"


def test_a_name_is_shown_letter_by_letter(page, server, two_runs):
    """No link, picture, colour or formula comes of what somebody has called a run."""
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    for run in two_runs:
        run.rename(NASTY)
    page.goto(f"{server.url}/train?run=first")
    page.get_by_text("Where the ELBO goes").wait_for()
    shown = page.locator("strong").filter(has_text="evil.example").first
    assert shown.inner_text().replace(JOINER, "") == NASTY
    page.goto(f"{server.url}/train?run={quote(NASTY)}")
    page.get_by_text("There is no run").wait_for()
    page.goto(f"{server.url}/runs")
    tick(page, 0)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("will be removed for good").wait_for()
    assert page.locator("a[href*=evil]").count() == page.locator("img[src*=evil]").count() == 0
    assert not any("evil.example" in url and "127.0.0.1" not in url for url in requested)


def test_what_cannot_be_read_is_told(page, server, two_runs):
    (server.runs / "broken").mkdir()
    (server.runs / "broken" / "run.json").write_text('{"schema": 1}', encoding="utf-8")
    page.goto(f"{server.url}/runs")
    page.get_by_text("Folders that cannot be read as runs: 1").click()
    page.get_by_text("in its run.json is missing or not what it must be").wait_for()


def test_deletion_asks_first(page, server, two_runs):
    page.goto(f"{server.url}/runs")
    tick(page, 0)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("will be removed for good").wait_for()
    assert all(run.path.is_dir() for run in two_runs)
    page.get_by_role("button", name="Yes, delete").click()
    page.get_by_text("will be removed for good").wait_for(state="hidden")
    assert sum(run.path.is_dir() for run in two_runs) == 1


def test_two_runs_are_compared(page, server, two_runs):
    page.goto(f"{server.url}/runs")
    tick(page, 0)
    page.get_by_role("button", name="Rename").wait_for()
    tick(page, 1)
    page.get_by_text("The same axes for both").wait_for()
    page.wait_for_function(DRAWN, arg=["the first −ELBO", "the second −ELBO"])


DRAWN = """names => [...document.querySelectorAll('.js-plotly-plot')].some(plot =>
  names.every(name => plot.data?.some(trace => trace.name === name)))"""


def test_a_run_opens_on_the_train_page(page, server, two_runs):
    page.goto(f"{server.url}/runs")
    tick(page, 1)
    page.get_by_role("button", name="Watch its training").click()
    page.get_by_text("Where the ELBO goes").wait_for()
    assert "/train?run=" in page.url


def test_several_runs_are_deleted_at_once(page, server, two_runs):
    page.goto(f"{server.url}/runs")
    tick(page, 0)
    page.get_by_role("button", name="Rename").wait_for()
    tick(page, 1)
    page.get_by_role("button", name="Delete all 2").click()
    page.get_by_text("2 runs will be removed for good").wait_for()
    page.get_by_role("button", name="Yes, delete").click()
    page.get_by_text("There are no runs yet").wait_for()
    assert not any(run.path.exists() for run in two_runs)
