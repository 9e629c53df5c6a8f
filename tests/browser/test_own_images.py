"""Your own images on the page: dropped, read, looked at, kept, used and removed again."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.datasets.own.cases import draw, encode, pack

pytestmark = pytest.mark.browser


@pytest.fixture
def pets(tmp_path):
    """A zip of twelve pictures in two classes, and a text that is none."""
    members = [
        (f"{('cat', 'dog')[i % 2]}/{i}.png", encode(draw("star", 16, i), "PNG")) for i in range(12)
    ]
    return pack(tmp_path / "pets.zip", [*members, ("cat/b.png", b"no picture")])


def open_dialog(page):
    page.get_by_role("button", name="Your own images").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Nothing leaves this machine")).to_be_visible()
    return dialog


def drop(dialog, path):
    dialog.locator("input[type=file]").set_input_files(path)
    dialog.get_by_role("button", name="Read", exact=True).click()


def test_a_zip_becomes_a_data_set_that_is_used_and_removed_again(tour, pets):
    page = tour.go("train")
    dialog = open_dialog(page)
    drop(dialog, pets)
    expect(dialog.get_by_text("12 images of 16 × 16 pixels, in colour.")).to_be_visible()
    expect(dialog.get_by_text("2 classes: cat, dog.")).to_be_visible()
    expect(dialog.locator(".explorer-strip img")).to_have_count(1)
    dialog.get_by_text("Left out: 1").click()
    expect(dialog.get_by_text("cat/b.png: it is")).to_be_visible()
    # What waits to be named is there after a reload, too.
    page.reload()
    expect(page.get_by_text("pets.zip has been read")).to_be_visible()
    dialog = open_dialog(page)
    dialog.get_by_label("Name of the data set").fill("my-pets")
    dialog.get_by_label("Name of the data set").press("Enter")
    dialog.get_by_role("button", name="Keep and use").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_text("my-pets · ").wait_for()
    expect(page.get_by_text("pets.zip has been read")).to_be_hidden()
    dialog = open_dialog(page)
    expect(dialog.get_by_text("my-pets: 12 images of 16 × 16 pixels")).to_be_visible()
    # Adopted models may have left sets of theirs beside it.
    dialog.locator(".st-key-own_remove_my-pets").get_by_role("button").click()
    expect(dialog.get_by_text("my-pets: 12 images")).to_be_hidden()


def test_what_cannot_be_read_says_why_and_goes(tour, tmp_path):
    path = tmp_path / "words.npz"
    np.savez(path, words=np.array(["no", "pictures"]))
    page = tour.go("train")
    dialog = open_dialog(page)
    drop(dialog, path)
    expect(dialog.get_by_text("It could not be read.")).to_be_visible()
    dialog.get_by_role("button", name="Let go").click()
    expect(dialog.get_by_text("It could not be read.")).to_be_hidden()
