"""Explore in a real browser: what moves, moves the pictures; what is drawn, is drawn to scale."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from explorer.runs.store import list_pretrained, open_run
from tests.browser.explore_page import COUNT_SENT, MODELS, STOP_COUNTING, ExplorePage, ensure_run
from tests.helpers import of_kind, present

pytestmark = pytest.mark.browser


KINDS = sorted(set(MODELS) - {"large", "two-high"})


@pytest.fixture(scope="module")
def menu(visitor, server):
    """A page on whose menu every kind of model stands."""
    for name in (*KINDS, "large"):
        ensure_run(server.runs, name)
    view = ExplorePage(visitor.new_page(), f"{server.url}/?model=two")
    yield view
    view.page.close()


@pytest.fixture
def view(menu):
    """The small two-latent run on that page, as it opens."""
    if menu.is_spoilt:
        menu.open()
    if menu.ask("app.header.id") != "two":
        menu.choose("two")
        menu.opened()
    menu.fresh()
    yield menu
    assert menu.errors == []


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_model_decodes_and_encodes_as_pytorch_and_follows_the_hand(
    menu, server, name
):
    view = menu
    view.choose(name)
    view.page.wait_for_url(f"**model={name}*")
    view.opened()
    model = ensure_run(server.runs, name).model
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(4, model.latent_dim, generator=generator)
    with torch.no_grad():
        # In double precision: torch's continuous Bernoulli cancels near p = ½ in single.
        p = model.likelihood.distribution(model.decoder(z).double())
        x = torch.tensor(view.ask("Array.from(s.input.x)"), dtype=torch.float32).reshape(
            1, *model.shape
        )
        mean, _ = model.encode_parameters(x)
    pictures = view.ask(
        "arg.map(z => Array.from(app.model.picture(Float32Array.from(z))))", z.tolist()
    )
    assert np.abs(np.array(pictures) - p.mean.flatten(1).numpy()).max() < 1e-4
    assert np.abs(np.array(view.ask("Array.from(s.input.mean)")) - mean[0].numpy()).max() < 1e-3
    before = view.output()
    view.click(0.9, 0.4)
    view.page.locator(".slider-row input").first.press("End")
    view.settle()
    assert view.output() != before
    assert all(np.isfinite(view.z()))
    assert view.errors == []


# Of what every kind of shipped model is, `make test` asks Node (tests/export/test_payload.py).
# A VQ-VAE is a grid of choices: Explore has no map of it.
@pytest.mark.slow
def test_every_shipped_model_decodes_in_the_browser_as_in_pytorch(page, server):
    names = [run.id for run in list_pretrained() if run.info.latent_kind != "categorical"]
    view = ExplorePage(page, f"{server.url}/?model={names[0]}")
    for name in [*names[1:], names[0]]:
        view.choose(name)
        model = open_run(name).model
        z = torch.randn(3, model.latent_dim, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = model.decode(z.to(next(model.parameters()))).mean.flatten(1).numpy()
        decode = "arg.map(z => Array.from(app.model.picture(Float32Array.from(z))))"
        assert np.abs(np.array(view.ask(decode, z.tolist())) - expected).max() < 1e-4, name
        assert view.errors == [], name


SLOW_TIMERS = """() => {
  [window.timer, window.told] = [window.setTimeout, 0];
  window.setTimeout = (what, ms, ...given) => {
    if (ms === 0) window.told += 1;
    return window.timer(what, ms > 4 ? ms : 500, ...given);
  };
}"""
"""What Streamlit is told waits for half a second; it is counted: a batch is a timer of 0."""


def test_a_choice_made_while_the_page_asks_for_its_sweep_is_not_lost(menu):
    """On a busy machine both are told to Streamlit at one time, which runs one fragment for it."""
    menu.page.evaluate(SLOW_TIMERS)
    menu.choose("one")
    # Half a second after it is painted the page asks, and half a second later that is sent.
    menu.page.wait_for_function("window.told >= 2")
    menu.choose("point")
    menu.page.evaluate("() => { window.setTimeout = window.timer; }")


def test_opens_with_an_image_chosen_encoded_and_decoded(view, server):
    assert view.ask("s.input.kind") == "stored"
    assert view.z() == pytest.approx(view.ask("Array.from(s.input.mean)"))
    assert max(view.output()) > 100, "a decoded digit is on the canvas"
    assert view.ink("base") > 1000 and view.ink("top") > 50
    assert "KL" in view.page.locator(".kl-text").first.inner_text()


def test_hover_previews_and_leaving_returns(view):
    before, z = view.output(), view.z()
    view.hover(z[0] + 1.2, z[1] + 0.8)
    assert view.output() != before
    assert view.z() == z, "hovering holds nothing"
    view.page.mouse.move(5, 5)
    view.settle()
    assert view.output() == before


def test_click_holds_and_tells_python(view):
    view.click(1.5, -1.4)
    held = view.z()
    assert held == pytest.approx([1.5, -1.4], abs=0.3)
    view.page.mouse.move(5, 5)
    view.settle()
    assert view.z() == held
    told = ",".join(f"{value:.3f}".rstrip("0").rstrip(".") for value in held)
    view.page.wait_for_url(lambda url: f"z={told}" in url)


def test_slider_changes_the_picture_and_the_map(view):
    before = view.output()
    slider = view.page.locator(".slider-row input").first
    latent = int(slider.get_attribute("data-latent")) - 1
    box = slider.bounding_box()
    view.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    view.page.mouse.down()
    view.page.mouse.move(box["x"] + box["width"] * 0.85, box["y"] + box["height"] / 2, steps=4)
    view.settle()
    assert view.output() != before, "the picture follows before the slider is let go"
    assert view.z()[latent] > 1
    view.page.mouse.up()


def test_sliders_are_sorted_by_kl(menu, server):
    view = menu
    view.choose("conv")
    shown = view.ask("app.order.map(i => app.kl[i])")
    assert shown == sorted(shown, reverse=True)
    codes = present(ensure_run(server.runs, "conv").codes())
    kl = 0.5 * (codes.mean**2 + np.expm1(present(codes.logvar)) - codes.logvar).mean(0)
    assert np.allclose(sorted(kl, reverse=True), shown, atol=1e-3)


def test_ellipse_has_its_true_size_in_pixels(view):
    view.ask("app.store.set({layers: {...s.layers, path: false}, z: s.z.map(v => v + 3)})")
    # Zoom until one standard deviation is some sixty pixels, then measure the drawn outline.
    view.ask(
        "(() => { const p = app.map.posterior(); Object.assign(app.map.view,"
        " {x: p.x, y: p.y, scale: 60 / p.sx}); app.map.viewChanged(true); })()"
    )
    view.rest()
    expected = view.ask("Math.exp(0.5 * s.input.logvar[0]) * app.map.view.scale")
    measured = view.ask(
        """(() => {
          const c = app.map.top, r = app.map.ratio, v = app.map.view;
          const y = Math.round(v.height / 2 * r), half = Math.round(v.width / 2 * r);
          const d = c.getContext('2d').getImageData(half, y, half, 1).data, at = [];
          for (let i = 4 * r; i < half; i++) if (d[4 * i + 3] > 120) at.push(i / r);
          return at;
        })()"""
    )
    assert expected == pytest.approx(60)
    first = [x for x in measured if x < 90]
    second = [x for x in measured if 90 <= x < 150]
    assert np.mean(first) == pytest.approx(60, abs=1.5), "one σ"
    assert np.mean(second) == pytest.approx(120, abs=1.5), "two σ"


def test_rings_lie_at_one_two_three_sigma_with_their_mass(view):
    view.page.click("[data-layer=points]")
    view.page.click("[data-layer=manifold]")
    view.page.click("[data-layer=numerals]")
    view.settle()
    bare = view.ink("base")
    view.page.click("[data-layer=prior]")
    view.settle()
    assert bare > view.ink("base"), "the rings went"


def test_each_layer_changes_the_map_and_goes_again(view):
    view.rest()
    source = "app.map.base.toDataURL()"
    for layer in ("points", "manifold", "prior", "density", "numerals", "glyphs"):
        before = view.ask(source)
        view.page.click(f"[data-layer={layer}]")
        view.settle()
        assert view.ask(source) != before, layer
        view.page.click(f"[data-layer={layer}]")
        view.settle()
        assert view.ask(source) == before, layer


def test_hidden_class_leaves_the_map_and_its_points_are_not_hovered(view):
    point = view.ask("[app.map.projection.xs[0], app.map.projection.ys[0], app.labels[0]]")
    view.hover(point[0], point[1])
    assert view.ask("s.hover.near") >= 0
    view.page.click(f".chip.class[data-label='{point[2]}']")
    view.settle()
    view.hover(point[0], point[1] + 1e-6)
    near = view.ask("s.hover.near")
    assert near < 0 or view.ask("app.labels[arg]", near) != point[2]


def test_wheel_zooms_about_the_pointer_and_drag_pans(view):
    x, y = view.place(1, 1)
    before = view.ask("app.map.view.scale")
    view.page.mouse.move(x, y)
    view.page.mouse.wheel(0, -400)
    view.until("app.map.view.scale > arg", before)
    view.rest()
    assert view.ask("app.map.view.scale") > 1.5 * before
    assert view.place(1, 1) == pytest.approx((x, y), abs=1)
    view.page.mouse.down()
    view.page.mouse.move(x + 60, y + 40, steps=5)
    view.page.mouse.up()
    view.settle()
    assert view.place(1, 1) == pytest.approx((x + 60, y + 40), abs=1)
    view.page.locator(".map canvas.overlay").press("0")
    view.settle()
    assert view.ask("app.map.view.scale") == pytest.approx(before, rel=1e-3)


def test_keyboard_moves_z_and_escape_leaves(view):
    canvas = view.page.locator(".map canvas.overlay")
    start = view.z()
    canvas.press("ArrowRight")
    canvas.press("Shift+ArrowUp")
    assert view.z() == pytest.approx([start[0] + 0.1, start[1] + 0.5], abs=1e-5)
    view.page.click("[data-tool=lasso]")
    assert view.ask("s.tool") == "lasso"
    canvas.press("Escape")
    view.settle()
    assert view.ask("s.tool") == "hover"


def test_outputs_mean_sample_and_deviation_differ(view):
    select = view.page.locator("[aria-label='What is shown of p(x|z)']")
    seen = {"mean": view.output()}
    for mode in ("sample", "deviation"):
        select.select_option(mode)
        view.settle()
        seen[mode] = view.output()
    assert set(seen["sample"]) <= {0, 255}
    assert seen["deviation"] != seen["mean"]
    select.select_option("sample")
    view.settle()
    view.press("redraw")
    assert view.output() != seen["sample"]


def test_likelihood_of_this_image_adds_up_and_agrees_with_pytorch(view, server):
    view.until("s.estimate?.draws === 512")
    found = view.ask("s.estimate")
    model = ensure_run(server.runs, "two").model
    x = torch.tensor(view.ask("Array.from(s.input.x)"), dtype=torch.float32).reshape(
        1, *model.shape
    )
    torch.manual_seed(0)
    with torch.no_grad():
        q = of_kind(torch.distributions.Independent, model.encode(x))
        z = q.rsample((4096,)).squeeze(1)
        nll = model.nll(z, x.expand(4096, -1, -1, -1))
        kl = torch.distributions.kl_divergence(q.base_dist, torch.distributions.Normal(0, 1)).sum()
        log_weight = model.prior.distribution().log_prob(z) - q.log_prob(z) - nll
        marginal = -(torch.logsumexp(log_weight, 0) - np.log(4096))
    assert found["kl"] == pytest.approx(kl.item(), abs=1e-3)
    assert found["reconstruction"] == pytest.approx(
        nll.mean().item(), abs=5 * found["error"] + 0.05
    )
    assert found["negativeElbo"] == pytest.approx(found["reconstruction"] + found["kl"])
    assert found["marginal"] == pytest.approx(marginal.item(), abs=0.5)
    assert found["marginal"] <= found["negativeElbo"]


def test_large_network_is_decoded_by_the_server_while_the_hand_moves(menu):
    view = menu
    view.choose("large")
    view.opened()
    assert view.ask("app.model.constructor.name") == "RemoteModel"
    before = view.output()
    view.page.mouse.move(*view.place(-1.5, 0.5))
    for step in range(1, 5):
        painted = view.ask("app.painted")
        view.page.mouse.move(*view.place(-1.5 + 0.5 * step, 0.5))
        view.until("app.painted > arg", painted)
    assert view.output() != before, "the picture follows the hand"


def test_hovering_sends_nothing(view):
    view.page.evaluate(COUNT_SENT)
    for step in range(10):
        view.page.mouse.move(*view.place(-2 + 0.4 * step, 0.5))
    view.settle()
    assert view.page.evaluate("sent") == 0
    # A key's move is sent 0.3 s later: what hovering might send late would have come before it.
    address = view.page.url
    view.page.locator(".map canvas.overlay").press("ArrowRight")
    view.page.wait_for_url(lambda url: url != address)
    assert view.page.evaluate("sent") == 1
    view.page.evaluate(STOP_COUNTING)


def test_a_move_by_keys_is_spoken_once_it_rests(view):
    spoken = view.page.locator("[data-role=spoken]")
    assert spoken.get_attribute("role") == "status"
    view.page.locator(".map canvas.overlay").press("ArrowRight")
    view.settle()
    lines = view.page.locator("[data-role=point]").inner_text().split("\n")
    expect(spoken).to_have_text(" · ".join(line for line in lines if line))
    assert f"{view.z()[0]:.2f}".replace("-", "−") in spoken.inner_text()


# In light colours every other test of this file looks at the page.
@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.slow), "dark"])
def test_colours_follow_the_theme(view, scheme):
    view.page.emulate_media(color_scheme=scheme)
    view.until("app.theme.dark === arg", scheme == "dark")
    ink = view.ask("getComputedStyle(app.root).color")
    assert (int(re.findall(r"\d+", ink)[0]) > 128) is (scheme == "dark")
    view.page.emulate_media(color_scheme="light")
    view.until("!app.theme.dark")
