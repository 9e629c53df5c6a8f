"""The Runs page, a desk: ticks by id, search, tags, side by side, a bin that can be undone.

What cannot be read is told without a browser too, in tests/app/test_pages.py.
"""

import itertools
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from explorer.app.text import JOINER
from explorer.runs.control import Control
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from explorer.runs.writer import RunWriter
from explorer.training.loop import train
from tests.small_run import make_config
from tests.waiting import POLL_MILLISECONDS, wait_until

pytestmark = pytest.mark.browser
NUMBERS = itertools.count(1)


@pytest.fixture
def two_runs(server, tiny_run):
    """Two copies of a small run, as the only runs of the visitor; others come back afterwards."""
    others = server.runs.with_name("others")
    server.runs.rename(others)
    server.runs.mkdir()
    number = next(NUMBERS)  # What was ticked by id in one test is none of the next one's.
    runs = []
    for name in ("first", "second"):
        path = shutil.copytree(tiny_run.path, server.runs / f"{name}-{number}")
        runs.append(Run(path))
        runs[-1].rename(f"the {name}")
    yield tuple(runs)
    shutil.rmtree(server.runs)
    others.rename(server.runs)


def row_of(page, run):
    """Return a run's row on the desk, once it is there."""
    row = page.locator(f".desk tr[data-id='{run.id}']")
    row.wait_for()
    return row


def tick(page, run):
    """Tick a run, and wait until the app knows."""
    row_of(page, run).get_by_role("checkbox").click()
    page.wait_for_url(re.compile(rf"ticked=[^&]*{run.id}"))


def ids_shown(page):
    return page.locator(".desk tr[data-id]").evaluate_all("rows => rows.map(row => row.dataset.id)")


def ids_ticked(page):
    return page.locator(".desk tr[aria-selected='true']").evaluate_all(
        "rows => rows.map(row => row.dataset.id)"
    )


def test_a_run_gets_a_name_and_tags_and_is_found_by_them(tour, two_runs):
    page = tour.go("runs")
    tick(page, two_runs[0])
    page.get_by_role("button", name="Name and tags").click()
    field = page.get_by_label("New name")
    field.fill("my best model")
    field.press("Enter")
    field = page.get_by_label("Tags, separated by commas")
    field.fill("thesis, keep")
    field.press("Enter")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Save").wait_for(state="hidden")
    assert two_runs[0].name == "my best model" and two_runs[0].tags == ("thesis", "keep")
    row_of(page, two_runs[0]).get_by_text("thesis").wait_for()
    search = page.get_by_role("searchbox")
    search.fill("THESIS best")
    expect(page.locator(".desk tr[data-id]")).to_have_count(1)
    assert ids_shown(page) == [two_runs[0].id]
    search.fill("no such run")
    page.get_by_text("No run is like that").wait_for()


NASTY = "[x](//evil.example) ![](//evil.example/a) <b> https://evil.example :red[c] $x$"


def test_a_run_opens_on_the_train_page_and_its_name_is_shown_letter_by_letter(tour, two_runs):
    """No link, picture, colour or formula comes of what somebody has called a run."""
    urls = []

    def note(request):
        urls.append(request.url)

    tour.page.on("request", note)
    for run in two_runs:
        run.rename(NASTY)
    page = tour.go("runs")
    row_of(page, two_runs[0]).get_by_role("button", name="Watch").click()
    page.get_by_role("heading", name="Where the ELBO goes").wait_for()
    assert page.url.endswith(f"/train?run={two_runs[0].id}")
    shown = page.locator("strong").filter(has_text="evil.example").first
    assert shown.inner_text().replace(JOINER, "") == NASTY
    page = tour.go(f"train?run={quote(NASTY)}")
    page.get_by_text("There is no run").wait_for()
    page = tour.go("runs")
    tick(page, two_runs[0])
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("is in the bin for a day").wait_for()
    assert page.locator("a[href*=evil]").count() == page.locator("img[src*=evil]").count() == 0
    # A page that has everything asks for nothing: one request shows that they are heard.
    page.evaluate("fetch('/_stcore/health')")
    tour.page.remove_listener("request", note)
    assert urls and not any("evil.example" in url and "127.0.0.1" not in url for url in urls)


@pytest.mark.slow
def test_what_cannot_be_read_is_told(tour, server, two_runs):
    (server.runs / "broken").mkdir()
    (server.runs / "broken" / "run.json").write_text('{"schema": 1}', encoding="utf-8")
    page = tour.go("runs")
    page.get_by_text("Folders that cannot be read as runs: 1").click()
    page.get_by_text("in its run.json is missing or not what it must be").wait_for()


def test_a_deletion_is_undone(tour, two_runs):
    first, second = two_runs
    page = tour.go("runs")
    tick(page, first)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("is in the bin for a day").wait_for()
    expect(page.locator(f".desk tr[data-id='{first.id}']")).to_have_count(0)
    assert not first.path.exists() and second.path.is_dir()
    page.get_by_role("button", name="Undo").click()
    row_of(page, first)
    assert first.path.is_dir() and first.info == second.info
    # It comes back unticked, for the table, the address and what stands side by side alike.
    expect(page.locator(".desk tr[aria-selected='true']")).to_have_count(0)
    tick(page, second)
    expect(page).to_have_url(re.compile(rf"/runs\?ticked={second.id}$"))


def test_a_press_on_a_run_that_another_tab_deleted_says_so(tour, server, two_runs):
    first, _ = two_runs
    page = tour.go("runs")
    row_of(page, first)
    RunStore(server.runs).delete(first.id)
    page.locator(f".desk tr[data-id='{first.id}']").get_by_role("button", name="Report").click()
    page.get_by_text("This run is gone").wait_for()
    expect(page.locator(f".desk tr[data-id='{first.id}']")).to_have_count(0)


def test_after_a_deletion_no_other_row_is_ticked(tour, two_runs):
    page = tour.go(f"runs?ticked={','.join(run.id for run in two_runs)}")
    expect(page.locator(".desk tr[aria-selected='true']")).to_have_count(2)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("2 runs are in the bin").wait_for()
    page.get_by_text("There are no runs yet").wait_for()
    assert not any(run.path.exists() for run in two_runs)
    expect(page.locator(".desk tr[aria-selected='true']")).to_have_count(0)
    assert ids_shown(page)
    expect(page).to_have_url(re.compile(r"/runs$"))
    page.get_by_text("Bin: 2").click()
    page.get_by_role("button", name="Put back").first.click()
    page.get_by_text("Bin: 1").wait_for()
    assert sum(run.path.exists() for run in two_runs) == 1


@pytest.mark.parametrize(
    "again", ["within a visit", pytest.param("loaded anew", marks=pytest.mark.slow)]
)
def test_runs_are_ticked_by_id_whatever_the_order(tour, two_runs, again):
    first, second = two_runs
    page = tour.go("runs")
    tick(page, first)
    for _ in range(2):
        page.locator(".desk thead").get_by_role("button", name="name").click()
        assert ids_ticked(page) == [first.id]
    names = [row["name"] for row in named_rows(page)]
    assert names == sorted(names, reverse=True)
    if again == "loaded anew":
        page.reload()
    else:
        tour.go(page.url.removeprefix(f"{tour.url}/"))
    row_of(page, first)
    assert ids_ticked(page) == [first.id]


def named_rows(page):
    return page.locator(".desk td.name b").evaluate_all(
        "all => all.map(b => ({name: b.textContent}))"
    )


def test_two_runs_are_compared_and_what_differs_is_named(tour, two_runs):
    page = tour.go("runs")
    for run in two_runs:
        tick(page, run)
    page.get_by_text("The same axes for all").wait_for()
    page.wait_for_function(
        DRAWN, arg=["the first −ELBO", "the second −ELBO"], polling=POLL_MILLISECONDS
    )
    page.get_by_text("They were told the same").wait_for()
    assert len(set(page.evaluate(COLOURS))) == 2
    page.set_viewport_size({"width": 390, "height": 600})
    heading = page.get_by_role("heading", name="Side by side:")
    expect(heading).not_to_be_in_viewport()
    page.get_by_role("button", name="Side by side").click()
    expect(heading).to_be_in_viewport()


DRAWN = """names => [...document.querySelectorAll('.js-plotly-plot')].some(plot =>
  names.every(name => plot.data?.some(trace => trace.name === name)))"""
COLOURS = """() => [...document.querySelectorAll('.js-plotly-plot')]
  .flatMap((plot) => plot.data).filter((trace) => trace.name?.endsWith('−ELBO'))
  .map((trace) => trace.line.color)"""


def test_a_moved_beta_stands_in_the_name_and_a_loop_of_ones_own_has_figures(tour, server, two_runs):
    first, _ = two_runs
    values = json.loads((first.path / "run.json").read_text("utf-8"))
    values["timing"]["beta"] = 24.0
    (first.path / "run.json").write_text(json.dumps(values), "utf-8")
    writer = RunWriter(server.runs / "mine", latent_dim=2)
    for step in range(5):
        writer.log(step, reconstruction=20.0 - step, kl_per_dim=[1.0, 0.5])
    writer.set_state("finished")
    page = tour.go("runs")
    planned = first.info.config.objective.beta
    expect(row_of(page, first).locator(".name b")).to_have_text(f"the first · β {planned:g} → 24")
    row = row_of(page, Run(writer.path))
    expect(row.locator(".elbo")).to_have_text("17.50training images")
    assert row.locator("svg path").get_attribute("d").startswith("M0.0 2.0")


def test_thousands_of_runs_are_listed_and_a_screenful_is_drawn(tour, server, two_runs):
    first, _ = two_runs
    for number in range(300):
        folder = server.runs / f"copy-{number:03d}"
        folder.mkdir()
        shutil.copy(first.path / "run.json", folder / "run.json")
    page = tour.go("runs")
    page.get_by_text(re.compile(r"^3\d\d runs$")).wait_for()
    assert len(ids_shown(page)) < 200
    page.get_by_role("searchbox").fill("copy-299")
    expect(page.locator(".desk tr[data-id]")).to_have_count(1)


@pytest.mark.slow
def test_six_runs_stand_side_by_side_each_in_its_colour(tour, server, two_runs):
    ids = [run.id for run in two_runs]
    for name in ("third", "fourth", "fifth", "sixth"):
        shutil.copytree(two_runs[0].path, server.runs / name)
        Run(server.runs / name).rename(f"the {name}")
        ids.append(name)
    names = [Run(server.runs / run_id).name for run_id in ids]
    page = tour.go(f"runs?ticked={','.join(ids)}")
    page.wait_for_function(DRAWN, arg=[f"{name} −ELBO" for name in names])
    colours = page.evaluate(COLOURS)
    assert len(colours) == len(set(colours)) == 6
    for name in names:
        page.get_by_text(name, exact=True).last.wait_for()


def test_a_stopped_run_goes_on_from_its_row_and_a_report_is_offered(tour, server, two_runs):
    path = server.runs / "stopped"

    def stop():
        wait_until(lambda: (path / "run.json").is_file() and Run(path).metrics("train"))
        Control(path).send("stop")

    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(stop)
        train(make_config(30_000), path)
        stopping.result()
    run = Run(path)
    step = run.info.status.step
    assert run.info.status.state == "stopped" and step < 30_000
    page = tour.go("runs")
    row_of(page, run).get_by_role("button", name="Go on").click()
    page.wait_for_url(f"**/train?run={run.id}")
    wait_until(lambda: run.info.status.step > step)
    page = tour.go("runs")
    row_of(page, two_runs[0]).get_by_role("button", name="Report").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the report").click()
    assert download.value.suggested_filename == f"{two_runs[0].id}-report.html"
    Control(path).send("stop")
    wait_until(lambda: not run.info.status.is_alive())
