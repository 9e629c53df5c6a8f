"""Models side by side: the shipped ones without their images, and a visitor's own on the digits."""

import json

import pytest
from playwright.sync_api import expect

from explorer.analysis.representation.holes import draw_codes, measure_holes, pick_images
from explorer.analysis.representation.quality import neighbour_accuracy
from explorer.datasets import load_dataset
from explorer.recipes import categorical_config
from explorer.runs.store import open_run
from explorer.training.loop import train
from tests.helpers import present
from tests.small_run import change, make_config
from tests.waiting import POLL_MILLISECONDS, wait_for_script

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def digits_runs(server):
    """A plain autoencoder, a VAE and a VQ-VAE, on the digits for a second."""
    configs = {
        "point": make_config(300, hidden=(32,), latent="point", likelihood="gaussian"),
        "normal": make_config(300, hidden=(32,), likelihood="gaussian"),
        "quantised": change(make_config(20), model=categorical_config("digits", (1, 8, 8)).model),
    }
    return {name: train(config, server.runs / f"side-{name}") for name, config in configs.items()}


def open_models(tour, *names):
    chosen = ",".join(f"side-{name}" for name in names)
    page = tour.go(f"models?images=digits&models={chosen}")
    page.get_by_text("In figures").wait_for(timeout=90_000)
    return page


def row(page, name):
    cells = page.locator(".explorer-compare tr", has_text=f"({name})").locator("td")
    cells.first.wait_for()
    return cells.all_inner_texts()


def percent(value, error):
    return f"{100 * value:.1f} ± {100 * error:.1f}"


def test_the_shipped_models_open_each_map_in_a_place_held_for_its_script(page, server):
    held = []
    is_held = True

    def hold(route):
        if is_held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/PlotlyChart.*.js", hold)
    page.goto(f"{server.url}/models", wait_until="commit")
    page.get_by_text("In figures").wait_for(timeout=90_000)
    places = page.locator("[class*=st-key-compare_map_]")
    held_places = [place.bounding_box() for place in places.all()]
    outlines = [outline.bounding_box() for outline in places.get_by_test_id("stSkeleton").all()]
    assert len(outlines) == 4 and outlines == held_places
    is_held = False
    for route in held:
        route.continue_()
    page.locator(".js-plotly-plot .xtick").first.wait_for()
    assert [place.bounding_box() for place in places.all()] == held_places
    show_the_shipped_models_side_by_side(page)


def show_the_shipped_models_side_by_side(page):
    """Assert what stands on the page that opens without a choice: a second one would cost as much.

    Their images are not on this machine, and their figures are those that were shipped.
    """
    for heading in ("Autoencoder", "Autoencoder + noise", "VAE", "Probabilistic PCA"):
        page.locator("strong", has_text=heading).first.wait_for()
    # The images are not drawn on this machine: stand-ins, and the figures that were shipped.
    page.get_by_text("Sample drawings stand in for the images of strokes.").wait_for()
    run = open_run("strokes-vae-2d")
    shipped = json.loads((run.path / "holes.json").read_text(encoding="utf-8"))["prior"]
    codes = present(run.codes())
    near = neighbour_accuracy(codes.mean[:2000], present(codes.labels)[:2000])
    cells = row(page, "strokes-vae-2d")
    assert cells[5:] == [
        percent(near.accuracy, near.standard_error),
        percent(shipped["holes"], shipped["holes_error"]),
        percent(shipped["missed"], shipped["missed_error"]),
    ]
    assert row(page, "strokes-ae-2d")[3] == "none", "a point has no KL"
    page.get_by_text("Noise alone makes codes flee").wait_for()


def test_the_only_model_of_some_images_is_offered_a_linear_one_which_is_fitted(tour, digits_runs):
    page = tour.go(f"models?images=digits&models={digits_runs['normal'].id}")
    page.get_by_text("Choose at least two models.").wait_for(timeout=90_000)
    page.get_by_role("button", name="Fit a linear model").click()
    page.get_by_role("button", name="Fit to digits").click()
    page.locator("strong", has_text="Probabilistic PCA").first.wait_for(timeout=90_000)
    page.get_by_text("In figures").wait_for()
    page.get_by_text("What one latent of a linear model adds").wait_for()


PRIOR, MIXTURE = ("prior", None), ("mixture", "a fitted mixture")


@pytest.mark.parametrize(
    "sources", [(PRIOR,), pytest.param((PRIOR, MIXTURE), marks=pytest.mark.slow)]
)
def test_holes_are_measured_and_drawn(tour, digits_runs, sources):
    page = open_models(tour, "point", "normal")
    images = pick_images(load_dataset("digits"))
    run = digits_runs["point"]
    for source, button in sources:
        z = draw_codes(run.model, source, 500, codes=run.codes().mean)
        found = measure_holes(run.model, z, *images)
        if button:
            page.get_by_role("radio", name=button).click()
        page.locator(".explorer-compare tr", has_text="(side-point)").get_by_text(
            percent(found.holes, found.holes_error)
        ).first.wait_for()
    page.get_by_role("radio", name="holes").click()
    page.get_by_text("Grey: what is decoded there").wait_for()
    page.wait_for_function(COUNT_HOLES, arg=2, polling=POLL_MILLISECONDS)
    page.get_by_role("radio", name="worst first").click()
    page.get_by_text("below, the nearest image").first.wait_for()


COUNT_HOLES = """count => [...document.querySelectorAll('.js-plotly-plot')].filter(
  plot => (plot._fullData || []).some(trace => trace.type === 'heatmap')).length === count"""


def test_a_model_of_whole_choices_has_pictures_but_no_map(tour, digits_runs):
    page = open_models(tour, "quantised", "normal")
    page.get_by_text("No map: a code is a grid of 16 choices out of 64").wait_for()
    assert row(page, "side-quantised")[5] == "–"
    expect(page.get_by_text("Samples: decoded random codes")).to_have_count(2)
    one_step_back_leads_out_of_a_section_and_takes_the_picker_along(page)


def one_step_back_leads_out_of_a_section_and_takes_the_picker_along(page):
    """Assert it where two models stand side by side: the page writes its address by itself."""
    picked = page.get_by_test_id("stMultiSelect").locator("[data-tag]")
    expect(picked).to_have_count(2)
    page.get_by_role("radio", name="Codebook").click()
    page.wait_for_url("**section=codebook*vq=*")
    wait_for_script(page)
    page.go_back()
    expect(page.get_by_role("radio", name="Side by side")).to_be_checked()
    expect(picked).to_have_count(2)
    wait_for_script(page)
    page.get_by_role("button", name="Remove side-normal").click()
    page.get_by_text("Choose at least two models.").wait_for()
    page.go_back()
    expect(picked).to_have_count(2)
    page.get_by_text("No map: a code is a grid of 16 choices out of 64").wait_for()
