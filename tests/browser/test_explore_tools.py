"""Pins, paths, sums, selections, projections, β, scenes and files to take along."""

import io
import json
import re
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from tests.browser.explore_page import ASK, ExplorePage, ensure_run
from tests.helpers import of_kind, present
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def menu(visitor, server):
    """A page on whose menu other kinds of models stand."""
    for name in ("conv", "one", "two", "two-high"):
        ensure_run(server.runs, name)
    view = ExplorePage(visitor.new_page(), f"{server.url}/?model=conv")
    yield view
    view.page.close()


@pytest.fixture
def turn_to(menu):
    """Open a model from that menu, as it is before anything was done to it."""

    def choose(name):
        if menu.is_spoilt:
            menu.open()
        menu.page.bring_to_front()
        menu.choose(name)
        menu.opened()
        menu.fresh()
        return menu

    yield choose
    assert menu.errors == []


def saved(view: ExplorePage, action: str) -> bytes:
    with view.page.expect_download(timeout=60_000) as download:
        view.page.locator(f"[data-action={action}]:visible").first.click()
    return download.value.path().read_bytes()


def pin_two(view: ExplorePage) -> None:
    view.click(-1.5, -1.2)
    view.press("pin")
    view.click(1.4, 1.3)
    view.press("pin")


def test_two_pins_make_a_path_a_strip_a_gif_and_a_png(view):
    pin_two(view)
    view.page.click("[data-tab=path]")
    frames = view.ask("s.path.frames.map(z => Array.from(z))")
    pins = view.ask("s.pins.map(p => Array.from(p.z))")
    assert frames[0] == pins[0] and frames[-1] == pins[1]
    assert np.allclose(np.diff(frames, axis=0), np.diff(frames, axis=0)[0], atol=1e-5), "lerp"
    strip = view.page.locator("[data-role=strip] canvas")
    assert strip.count() == 9
    gif = of_kind(GifImageFile, Image.open(io.BytesIO(saved(view, "gif"))))
    assert gif.n_frames == 2 * len(frames) - 2
    first = np.array(gif.convert("L"), float)
    gif.seek(len(frames) - 1)
    last = np.array(gif.convert("L"), float)
    expected = view.ask("Array.from(app.model.picture(s.path.frames[0]))")
    scale = first.shape[0] // 8
    assert np.abs(first[::scale, ::scale].ravel() / 255 - expected).max() < 0.01, "as decoded"
    assert np.abs(first - last).max() > 30
    png = Image.open(io.BytesIO(saved(view, "png")))
    assert png.width > 10 * png.height


def test_slerp_keeps_to_the_arc(view):
    view.click(-1.5, 0.4)
    view.press("pin")
    view.click(1.4, 0.6)
    view.press("pin")
    view.page.click("[data-tab=path]")
    view.page.click("[data-way=slerp]")
    view.settle()
    frames = np.array(view.ask("s.path.frames.map(z => Array.from(z))"))
    lengths = np.linalg.norm(frames, axis=1)
    assert lengths.min() > 0.95 * min(lengths[0], lengths[-1])


def test_shift_click_pins_and_chips_remove(view):
    view.click(0.5, 1.0, shift=True)
    assert view.ask("s.pins.map(p => p.name)") == ["A"]
    view.page.click("[data-tab=path]")
    view.page.click("[aria-label='Remove pin A']")
    view.settle()
    assert view.ask("s.pins.length") == 0


def test_arithmetic_of_class_means(view, server):
    view.page.click("[data-tab=arithmetic]")
    for slot, label in (("a", 3), ("b", 1), ("c", 7)):
        view.page.locator(f"[data-slot={slot}]").select_option(f"class {label}")
    view.press("go")
    codes = present(ensure_run(server.runs, "two").codes())
    mean = {label: codes.mean[codes.labels == label].mean(0) for label in (1, 3, 7)}
    assert view.z() == pytest.approx(list(mean[3] - mean[1] + mean[7]), abs=1e-3)


def test_traversal_shows_every_latent_by_kl_and_saves(turn_to):
    view = turn_to("conv")
    view.page.click("[data-tab=traversal]")
    rows = view.page.locator(".traversal-row")
    rows.last.wait_for()
    assert rows.count() == 6
    painted = "[...app.root.querySelectorAll('.traversal canvas')].every(c => c.height === 8)"
    view.until(painted)
    first = rows.nth(0).locator("canvas")
    pictures = [canvas.evaluate("c => c.toDataURL()") for canvas in first.all()]
    assert len(set(pictures)) > 3
    sheet = Image.open(io.BytesIO(saved(view, "traversal-png")))
    assert sheet.height > 6 * 50


def test_lasso_and_box_select_what_lies_inside(view, server):
    view.page.click("[data-tool=box]")
    x0, y0 = view.place(-1, -1)
    x1, y1 = view.place(1, 1)
    view.page.mouse.move(x0, y0)
    view.page.mouse.down()
    view.page.mouse.move(x1, y1, steps=4)
    view.page.mouse.up()
    view.settle()
    codes = present(ensure_run(server.runs, "two").codes())
    inside = (np.abs(codes.mean) < 1).all(1)
    assert view.ask("s.selection.indices.length") == pytest.approx(inside.sum(), abs=3)
    chosen = view.ask("s.selection.indices")
    found = view.ask("s.selection.latents[0]")
    assert found["mean"] == pytest.approx(codes.mean[chosen, 0].mean(), abs=1e-3)
    rest = np.delete(codes.mean[:, 0], chosen)
    assert found["restDeviation"] == pytest.approx(rest.std(ddof=1), abs=1e-3)
    assert view.page.locator("[data-role=gallery] canvas").count() > 5
    lines = saved(view, "csv").decode().splitlines()
    assert lines[0] == "id,class,z1,z2" and len(lines) == len(chosen) + 1
    row = lines[1].split(",")
    assert int(row[0]) == codes.ids[chosen[0]]
    assert float(row[2]) == pytest.approx(codes.mean[chosen[0], 0], abs=1e-3)
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(saved(view, "parquet")))
    assert sorted(table["id"].to_pylist()) == sorted(codes.ids[chosen].tolist())
    assert "logvar_2" in table.column_names
    view.page.keyboard.press("Escape")
    view.settle()
    assert view.ask("s.selection") is None


def test_pair_pca_and_tsne_of_more_than_two_latents(turn_to, server):
    view = turn_to("conv")
    kind = view.page.locator("[data-axis=kind]")
    view.page.locator("[data-axis=x]").select_option("0")
    view.settle()
    assert view.ask("s.projection.dims[0]") == 0
    kind.select_option("pca")
    view.settle()
    codes = present(ensure_run(server.runs, "conv").codes()).mean
    centred = codes - codes.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    xs = np.array(view.ask("Array.from(app.map.projection.xs)"))
    assert abs(np.corrcoef(xs, centred @ axes[0])[0, 1]) > 0.999
    view.hover(xs[5], view.ask("app.map.projection.ys[5]"))
    hovered = view.ask("Array.from(s.hover.z)")
    assert hovered == pytest.approx(list(codes[view.ask("s.hover.index")]), abs=1e-3)
    kind.select_option("tsne")
    view.until("app.map.projection.kind === 'tsne'", timeout=90_000)
    assert view.ask("app.map.projection.xs.length") == len(codes)
    view.hover(*view.ask("[app.map.projection.xs[7], app.map.projection.ys[7]]"))
    assert "decoded at the nearest code" in view.page.locator(".part-output").inner_text()


def test_beta_moves_through_models_that_differ_in_it_alone(turn_to, server, page):
    view = turn_to("two")
    view.until("s.members.length === 2")
    slider = view.page.locator("[data-role=beta]")
    before, here = view.output(), view.ask("s.member")
    kl = view.ask("Array.from(app.kl)")
    slider.press("ArrowRight" if here == 0 else "ArrowLeft")
    view.settle()
    assert view.ask("app.header.figures.beta") == 4.0
    assert view.output() != before and view.ask("Array.from(app.kl)") != kl
    model = ensure_run(server.runs, "two-high").model
    decoded = np.array(view.ask("Array.from(app.model.picture(new Float32Array(2)))"))
    with torch.no_grad():
        expected = model.decode(torch.zeros(1, 2)).mean.flatten().numpy()
    assert np.abs(decoded - expected).max() < 1e-4, "z = 0 is the same in any order of latents"
    view.page.wait_for_url("**beta=4*")
    again = ExplorePage(page, view.page.url)
    again.until("app.header.figures.beta === 4")
    assert again.errors == []


def test_no_beta_slider_where_there_is_nothing_to_move_through(turn_to):
    view = turn_to("one")
    view.until("s.models && s.members.length < 2")
    assert not view.page.locator("[data-role=beta]").is_visible()


def test_the_address_carries_the_scene(page, view):
    pin_two(view)
    view.page.click("[data-layer=density]")
    view.page.click(".chip.class[data-label='3']")
    view.page.mouse.move(*view.place(0, 0))
    view.page.mouse.wheel(0, -300)
    view.page.mouse.move(5, 5)
    view.rest()
    view.page.wait_for_url(lambda url: "off=3" in url and "view=" in url)
    address = view.page.url
    asked = parse_qs(urlparse(address).query)
    assert asked["model"] == ["two"] and len(asked["pins"][0].split(";")) == 2
    state = "({z: Array.from(s.z), layers: s.layers, off: [...s.hidden], pins: s.pins.length})"
    before, scale = view.ask(state), view.ask("app.map.view.scale")
    again = ExplorePage(page, address)
    after = again.ask(state)
    assert after["z"] == pytest.approx(before.pop("z"), abs=1e-3)
    after.pop("z")
    assert after == before
    assert again.ask("app.map.view.scale") == pytest.approx(scale, rel=1e-3)
    assert again.errors == []


@pytest.mark.parametrize(
    "query",
    [
        "&z=1e999,NaN&pins=a;b;c&view=0,0,1e9&layers=%3Cscript%3E&seed=-5&out=evil&off=300,x",
        *(
            pytest.param(query, marks=pytest.mark.slow)
            for query in (
                "&z=99999,-99999&view=1e30,1,0",
                "&z=1,2,3&map=7-9&picture=999999999&hide=everything",
            )
        ),
    ],
)
def test_hostile_addresses_are_clamped_or_ignored(explore, query):
    view = explore("two", query)
    z = np.array(view.z())
    assert len(z) == 2 and np.isfinite(z).all() and np.abs(z).max() <= 1000
    assert 0.5 <= view.ask("app.map.view.scale") <= 1e5
    assert view.ask("s.outputMode") == "mean" and view.ask("s.seed") >= 0
    view.click(*view.ask("app.map.view.toPlane(200, 200)"))
    assert max(view.output()) >= 0


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        pytest.param("nothing", marks=pytest.mark.slow),
        pytest.param("%3Cimg%20src=x%3E", marks=pytest.mark.slow),
    ],
)
def test_an_unknown_model_opens_another_one_and_says_so(tour, name):
    page = tour.go(f"?model={name}")
    page.get_by_text(re.compile("There is no model")).wait_for()
    assert wait_until(lambda: page.evaluate(ASK, ["app.painted > 0 && app.header.id", None]))


def test_flags_hide_controls_for_a_lesson(tour, server):
    ensure_run(server.runs, "two")
    page = tour.go("?model=two&hide=sliders,draw,share")
    wait_until(lambda: page.evaluate(ASK, ["app.painted > 0 && app.header.id === 'two'", None]))
    assert not page.locator(".part-sliders").is_visible()
    assert not page.locator("[data-action=draw]").is_visible()
    assert not page.locator("[data-action=share]").is_visible()
    assert page.locator(".map").is_visible()


def test_in_a_presentation_arrow_keys_walk_the_pins(view):
    pin_two(view)
    switch = view.page.locator(".explorer-present-switch")
    share = view.page.locator("[data-action=share]")
    width = share.bounding_box()["width"]
    switch.click()
    view.until("s.presentation")
    view.rest()
    assert share.bounding_box()["width"] > 1.35 * width
    canvas = view.page.locator(".map canvas.overlay")
    canvas.press("ArrowRight")
    view.settle()
    first = view.z()
    canvas.press("ArrowRight")
    view.settle()
    assert {tuple(first), tuple(view.z())} == {
        tuple(z) for z in view.ask("s.pins.map(p => Array.from(p.z))")
    }
    switch.click()
    view.until("!s.presentation")
    view.rest()
    assert share.bounding_box()["width"] < 1.1 * width


def test_one_html_file_works_alone(turn_to, chromium, tmp_path, server):
    view = turn_to("conv")
    view.click(0.8, -0.6)
    z = view.z()
    view.press("share")
    page_bytes = saved(view, "export-html")
    assert 20_000 < len(page_bytes) < 8_000_000
    assert b"http://" not in page_bytes and b"https://" not in page_bytes
    file = tmp_path / "scene.html"
    file.write_bytes(page_bytes)
    context = chromium.new_context(viewport={"width": 390, "height": 844}, offline=True)
    requests = []
    alone_page = context.new_page()
    alone_page.on("request", lambda request: requests.append(request.url))
    alone = ExplorePage(alone_page, file.as_uri())
    assert alone.errors == []
    assert [url for url in requests if not url.startswith("file:")] == []
    assert alone.z() == pytest.approx(z, abs=2e-3), "the scene came along"
    model = ensure_run(server.runs, "conv").model
    with torch.no_grad():
        expected = model.decode(torch.tensor([z])).mean.flatten().numpy()
    shown = np.array(alone.ask("Array.from(app.model.picture(Float32Array.from(arg)))", z))
    assert np.abs(shown - expected).max() < 5e-3, "half precision"
    before = alone.output()
    alone.page.locator(".slider-row input").first.press("End")
    alone.settle()
    assert alone.output() != before
    assert alone.ask("document.documentElement.scrollWidth") <= 390
    check_tour(alone)
    context.close()


def check_tour(view):
    """A file has no app around it: its tour lights its five parts."""
    view.press("tour")
    for step in range(5):
        assert f"{step + 1} of 5" in view.page.locator(".tour").inner_text()
        assert view.page.locator(".lit").count() == 1
        view.press("tour-next")
    assert view.page.locator(".tour").count() == 0


def test_copy_link_gives_the_scene(view):
    view.click(0.7, 0.7)
    view.press("share")
    view.press("copy-link")
    copied = view.page.evaluate("navigator.clipboard.readText()")
    z = [float(v) for v in parse_qs(urlparse(copied).query)["z"][0].split(",")]
    assert z == pytest.approx(view.z(), abs=1e-3)
    assert json.dumps(z)
