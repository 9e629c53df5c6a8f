"""A copied address opens the same scene on every page; what it cannot say is told, not raised."""

import re
from urllib.parse import parse_qs, quote, urlparse

import pytest
from playwright.sync_api import expect

from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser

SCENES = {
    "collapse": {"run": "digits-cured", "step": "262"},
    "beta": {"sweep": "mnist-beta-sweep", "step": "1035", "model": "beta-16"},
    "models": {"section": "codebook", "vq": "mnist-vq", "image": "3", "position": "7"},
    "train": {"run": "digits-2d", "images": "shapes", "latent_dim": "5", "beta": "4.5"},
    "elbo": {"run": "digits-2d", "image": "80", "section": "chains", "chains": "4"},
    "runs": {"ticked": "mnist-20d,mnist-2d"},
}
"""For each page what its address may say, and what the page then shows (below)."""
ANOTHERS = {"chapter": "kl"}
"""What none of them has, as where one goes back to a page that another followed."""
SHORT = "train"
"""The page that `make test` opens here; the others it opens without a browser, in
tests/app/test_scenes.py."""
CANNOT_BE = [
    ("runs", "ticked=nobody", "ticked"),
    ("collapse", "run=nobody&step=moon", "run, step"),
    ("train", "images=nothing&latent_dim=2.5&beta=nan", "images, latent_dim, beta"),
    ("beta", "sweep=<script>", "sweep"),
    ("models", "section=codebook&position=1e999&image=x", "image, position"),
    ("elbo", "run=nobody&section=x", "run, section"),
    ("elbo", "run=digits-2d&image=80&q=1,2,three", "q"),
    ("learn", "chapter=kl&p_mean=x", "p_mean"),
]
"""What addresses may say that cannot be, and its names; `make test` asks the first one here too."""


def write(scene):
    return "&".join(f"{name}={value}" for name, value in scene.items())


@pytest.fixture
def visit(page, server):
    """Load Streamlit anew with an address, as whoever was sent it does."""
    page.set_default_timeout(60_000)

    def go(path, query):
        page.goto(f"{server.url}/{path}?{query}")
        return page

    return go


def shows_collapse(page):
    page.get_by_role("img", name=re.compile("Codes of .* at step 262$")).wait_for()


def shows_beta(page):
    page.get_by_text(re.compile(r"β = 16\b")).first.wait_for()


def shows_models(page):
    expect(page.get_by_label("Image", exact=True)).to_have_value("3")
    expect(page.get_by_label("Position")).to_have_value("7")


def shows_train(page):
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("β, the weight of KL")).to_have_value("4.5")
    expect(page.get_by_label("Latent dimensions")).to_have_value("5")


def shows_elbo(page):
    expect(page.get_by_role("radio", name="4", exact=True)).to_be_checked()
    expect(page.get_by_role("spinbutton")).to_have_value("80")


def shows_runs(page):
    page.get_by_role("heading", name="mnist-2d").wait_for()


SHOWS = {
    "collapse": shows_collapse,
    "beta": shows_beta,
    "models": shows_models,
    "train": shows_train,
    "elbo": shows_elbo,
    "runs": shows_runs,
}


def stays(page, path):
    SHOWS[path](page)
    page.wait_for_url(lambda url: "chapter" not in url)
    said = {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}
    assert SCENES[path].items() <= said.items()
    assert not page.locator("[data-testid=stToast]").count()


@pytest.mark.slow
@pytest.mark.parametrize("path", SCENES)
def test_the_address_opens_its_scene_and_stays(visit, path):
    stays(visit(path, write(SCENES[path] | ANOTHERS)), path)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=() if path == SHORT else pytest.mark.slow) for path in SCENES],
)
def test_within_a_visit_too_the_address_opens_its_scene_and_stays(tour, path):
    stays(tour.go(f"{path}?{write(SCENES[path] | ANOTHERS)}"), path)


@pytest.mark.parametrize(
    ("path", "query", "names"),
    [CANNOT_BE[0], *(pytest.param(*asked, marks=pytest.mark.slow) for asked in CANNOT_BE[1:])],
)
def test_what_cannot_be_is_one_sentence_and_no_traceback(tour, path, query, names):
    page = tour.go(f"{path}?{quote(query, safe='=&')}")
    page.get_by_text(f"Not understood in this address, and left out: {names}.").wait_for()
    assert not page.locator("[data-testid=stException]").count()


@pytest.mark.slow
def test_what_is_chosen_is_in_the_address_that_is_copied(tour, visit):
    page = tour.go("collapse?run=digits-cured")
    page.get_by_role("radio", name="A sweep").click()
    page.wait_for_url("**subject=sweep*")
    query = urlparse(page.url).query
    again = visit("collapse", query)
    expect(again.get_by_role("radio", name="A sweep")).to_be_checked()


def test_what_is_chosen_is_in_the_address_and_back_takes_a_pages_widgets_along(tour):
    """And the address that is copied shows it again: in the same visit, from another page."""
    page = tour.go("collapse?run=digits-collapsed")
    page.get_by_role("radio", name="A sweep").click()
    page.wait_for_url("**subject=sweep*")
    wait_for_script(page)
    chosen = urlparse(page.url).query
    page.go_back()
    expect(page.get_by_role("radio", name="A run")).to_be_checked()
    wait_for_script(page)
    assert parse_qs(urlparse(page.url).query) == {"run": ["digits-collapsed"]}
    tour.go(f"collapse?{chosen}")
    expect(page.get_by_role("radio", name="A sweep")).to_be_checked()
