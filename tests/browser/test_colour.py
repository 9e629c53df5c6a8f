"""Pictures in colour, and networks too slow for the page: by a worker, by the server."""

import numpy as np
import pytest
import torch

from explorer.export.container import pack, unpack
from explorer.export.page import build_page, wrap_payload
from explorer.export.payload import build_payload, pick_pictures
from explorer.models import VAE
from explorer.text import sentences
from tests.browser.explore_page import ExplorePage
from tests.export.test_payload import make_run

SLOW = 10**9
"""Multiply-adds that no page takes on itself."""


@pytest.fixture
def alone(chromium, tmp_path):
    """A model of 3 × 16 × 16 pixels as a file of its own, said to be slow."""
    run = make_run("conv")
    header = unpack(build_payload(run, None, sentences("en", "explore.")))
    header["networks"]["multiplyAdds"] = SLOW
    file = tmp_path / "page.html"
    file.write_bytes(wrap_payload(pack(header), "conv"))
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    yield ExplorePage(page, file.as_uri()), run.model
    page.close()


def decoded(model: VAE, z: list[float]) -> np.ndarray:
    """Return the mean's red values (H, W) at z, as bytes."""
    with torch.no_grad():
        mean = model.decode(torch.tensor([z])).mean[0]
    return (255 * mean[0].clamp(0, 1)).numpy()


def test_a_file_decodes_in_a_worker_what_would_hold_up_the_page(alone):
    view, model = alone
    assert view.ask("app.model.constructor.name") == "BackgroundModel"
    view.until("app.painted > 0")
    painted = view.ask("app.painted")
    view.ask("app.setZ(Float32Array.of(0.5, -1, 0.25))")
    view.until("app.painted > arg", painted)
    shown = np.array(view.output(), float).reshape(16, 16)
    assert np.abs(shown - decoded(model, [0.5, -1, 0.25])).max() <= 1
    view.until("app.map.tiles.done")
    view.ask("s.pins.length || (app.addPin(), app.setZ(Float32Array.of(1, 1, 1)), app.addPin())")
    view.until("app.root.querySelectorAll('[data-role=strip] canvas').length === 9")
    view.ask("app.store.set({ tab: 'traversal' })")
    painted_cells = "[...app.root.querySelectorAll('[data-role=traversal] canvas')].filter(" + (
        "(canvas) => canvas.width === 16).length === 27"
    )
    view.until(painted_cells)
    assert not view.errors


@pytest.fixture
def without_networks(chromium, tmp_path, monkeypatch):
    """A model of 3 × 16 × 16 pixels said to be too large, as a file, with five pictures."""
    monkeypatch.setattr("explorer.export.payload.MAX_BROWSER_WEIGHTS", 10)
    run = make_run("conv")
    images = np.zeros((5, *run.model.shape), np.uint8)
    images[np.arange(5), 0, :, 3 * np.arange(5)] = 255
    given = pick_pictures(images, None, 100 + np.arange(5), "test")
    file = tmp_path / "page.html"
    file.write_bytes(build_page(run, given, sentences("en", "explore.")))
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.context.set_offline(True)
    yield ExplorePage(page, file.as_uri()), run.model, images
    page.close()


def test_a_file_without_networks_shows_what_was_decoded_and_says_so(without_networks):
    view, model, images = without_networks
    assert view.ask("app.model.constructor.name") == "AtlasModel"
    view.until("app.painted > 0")
    assert view.ask("Array.from(app.header.pictures.pixels)") == images.ravel().tolist()
    mean = view.ask("Array.from(s.input.mean)")
    with torch.no_grad():
        code = model.encode_parameters(torch.from_numpy(images[:1] / np.float32(255)))[0]
    assert np.allclose(mean, code[0].numpy(), atol=1e-4)
    painted = view.ask("app.painted")
    view.ask("app.setZ(Float32Array.of(-3, 0, 0))")
    view.until("app.painted > arg", painted)
    # Weights at random make grain, of which JPEG loses some.
    shown = np.array(view.output(), float).reshape(16, 16)
    assert np.abs(shown - decoded(model, [-3.0, 0, 0])).mean() < 10
    page = view.page
    assert page.get_by_text("The nearest of 32 decoded pictures.").is_visible()
    assert page.locator("footer").get_by_text("it carries 32 decoded pictures").is_visible()
    assert (
        page.locator("[data-action=draw]").count()
        == page.locator("[data-action=open]").count()
        == 0
    )
    view.until("app.map.tiles.done")
    assert not view.errors
