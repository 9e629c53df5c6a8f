"""The codebook section: a code swapped by hand, and numbers that are the library's."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.analysis.representation.codebook import (
    encode_indices,
    measure_usage,
    score_indices,
    swap_code,
)
from explorer.app.text import number
from explorer.elbo.encoding import draw_targets
from explorer.export.pictures import find_pictures
from explorer.library import Library
from explorer.runs.store import open_run
from tests.helpers import present

pytestmark = pytest.mark.browser

NAME = "strokes-vq"


def test_a_code_swapped_by_hand_changes_the_score_as_the_library_says(tour, server, monkeypatch):
    # The pictures here are those of the page: stand-ins, as long as no strokes are drawn.
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(server.runs.with_name("cache")))
    page = tour.go(f"models?section=codebook&vq={NAME}")
    page.get_by_text("What the prior gives").wait_for(timeout=90_000)
    run = open_run(NAME)
    usage = measure_usage(present(present(run.codes()).indices), 64)
    page.get_by_text(f"{usage.used} of 64 entries are used by {usage.images:,} images").wait_for()
    picture = present(find_pictures(run, Library().images_of(run, at_once=True))).images[0]
    codes = encode_indices(run.model, picture)
    other = int((codes[24] + 7) % 64)
    x = draw_targets(run.model, picture[None])
    nats = score_indices(run.model, np.stack([codes, swap_code(codes, 24, other)]), x)
    page.get_by_text(f"own codes, {number(nats[0], '.1f')} nats").wait_for()
    entry = page.get_by_label("Entry there")
    expect(entry).to_have_value(str(codes[24]))
    entry.fill(str(other))
    entry.press("Enter")
    page.get_by_text(f"your codes, {number(nats[1], '.1f')} nats").wait_for()
    position = page.get_by_label("Position")
    position.fill("1")
    position.press("Enter")
    expect(entry).to_have_value(str(codes[0]))
    position.fill("25")
    position.press("Enter")
    expect(entry).to_have_value(str(other))
    page.get_by_role("button", name="Its own codes again").click()
    expect(entry).to_have_value(str(codes[24]))
    page.get_by_text("with swapped codes: choose a square").wait_for()
    image = page.get_by_label(re.compile("^(Image|Sample drawing)$"))
    image.fill("1")
    image.press("Enter")
    second = present(find_pictures(run, Library().images_of(run, at_once=True))).images[1]
    expect(entry).to_have_value(str(encode_indices(run.model, second)[24]))


# Without a browser: tests/app/test_maps.py.
@pytest.mark.slow
def test_a_vq_vae_is_not_offered_where_codes_must_be_continuous(page, server):
    page.goto(f"{server.url}/?model={NAME}")
    page.locator("[data-role=model] option").first.wait_for(state="attached", timeout=90_000)
    values = page.locator("[data-role=model] option").evaluate_all("all => all.map(o => o.value)")
    assert "mnist-2d" in values and NAME not in values and "strokes-mixture-2d" in values
