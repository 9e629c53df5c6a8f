"""Your own model on the page: two files are dropped, adopted and opened; refused; stopped."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.hindrances import find_children, standing_still
from tests.models.adopted.onnx_writer import digits_decoder, digits_encoder, one_node
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

ADOPTING_MS = 180_000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own-model")
    made = {
        "enc": digits_encoder("std"),
        "dec": digits_decoder(),
        "odd": one_node("NonMaxSuppression", shape=("n",)),
    }
    for name, content in made.items():
        (folder / f"{name}.onnx").write_bytes(content)
    return folder


def open_dialog(page):
    """Open the dialog on the Runs page."""
    page.get_by_role("button", name="Your own model").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("input[type=file]")).to_have_count(2)
    return dialog


def bring(page, files, encoder):
    """Drop an encoder and the decoder of the digits, answer, and hand them over."""
    dialog = open_dialog(page)
    inputs = dialog.locator("input[type=file]")
    for index, name in enumerate((encoder, "dec")):
        inputs.nth(index).set_input_files(files / f"{name}.onnx")
        expect(dialog.get_by_title(f"{name}.onnx", exact=True)).to_be_visible()
    dialog.get_by_text("Pixels were drawn 0 or 1").click()
    dialog.get_by_label("What to call it").fill("Stranger")
    dialog.get_by_label("What to call it").press("Enter")
    dialog.get_by_role("button", name="Bring it in").click()
    return dialog


def test_two_files_become_a_run_that_opens_on_explore(tour, server, files):
    page = tour.go("runs")
    bring(page, files, "enc")
    dialog = page.get_by_role("dialog")
    opening = dialog.get_by_role("button", name="Open its map")
    expect(opening).to_be_visible(timeout=ADOPTING_MS)
    expect(dialog.get_by_text("nothing that speaks against")).to_be_visible()
    expect(dialog.get_by_text("Its weights imply β")).to_be_visible()
    (path,) = server.runs.glob("*-Stranger-*/run.json")
    found = json.loads(path.read_text(encoding="utf-8"))["results"]["test"]
    assert found["elbo"] == pytest.approx(-23.04, abs=0.05)
    opening.click()
    page.wait_for_url(f"**/?model={path.parent.name}*")
    expect(page.locator(".map").first).to_be_visible()


def test_what_is_refused_says_why_to_its_visitor_alone_until_it_is_let_go(
    tour, server, files, page
):
    other, page = page, tour.go("runs")
    dialog = bring(page, files, "odd")
    refused = dialog.get_by_text("NonMaxSuppression")
    expect(refused).to_be_visible(timeout=ADOPTING_MS)
    other.goto(f"{server.url}/runs")
    other = open_dialog(other)
    expect(other.get_by_role("button", name="Bring it in")).to_be_visible()
    expect(other.get_by_text("NonMaxSuppression")).to_have_count(0)
    # Who loads the page again finds what was handed over, and is the one to let it go.
    page.reload()
    dialog = open_dialog(page)
    expect(refused).to_be_visible()
    dialog.get_by_role("button", name="Let go").click()
    expect(refused).to_be_hidden()


def test_it_is_stopped_and_leaves_nothing(tour, server, files):
    before = set(server.runs.iterdir())
    page = tour.go("runs")
    dialog = bring(page, files, "enc")
    with standing_still(server, "explorer.adopting.worker"):
        dialog.get_by_role("button", name="Stop").click()
        expect(dialog.get_by_role("button", name="Bring it in")).to_be_visible()
        expect(page.get_by_text("enc.onnx is being read")).to_be_hidden()
    wait_until(lambda: not find_children(server, "explorer.adopting.worker"))
    assert {path for path in server.runs.iterdir() if path.name[0] != "."} <= before
