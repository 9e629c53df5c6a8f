"""An address opens its scene on each page, and what it cannot say is told: without a browser."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_pages import find_given, find_view, said
from tests.browser.test_address import CANNOT_BE, SCENES

SCRIPT = """
import runpy
from explorer.app.parts.address import keep_own, tell_refused

keep_own({page!r})
runpy.run_path({path!r})
tell_refused()
"""


def open_whole(page, address):
    """Open a page as the app runs it, with what comes before and after it of its address."""
    app = AppTest.from_string(SCRIPT.format(page=page, path=str(find_view(page))))
    app.default_timeout = 120
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def read_address(app):
    found = app.query_params.items()
    return {name: value if isinstance(value, str) else value[0] for name, value in found}


def shows_collapse(app):
    assert app.selectbox(key="collapse_choose").value == "digits-cured"
    assert find_given(app, "timeline")["start"] == 262


def shows_beta(app):
    assert app.selectbox(key="beta_choose").value == "mnist-beta-sweep"
    assert find_given(app, "lab")["start"] == {"model": "beta-16", "step": 1035}


def shows_models(app):
    values = {field.label: field.value for field in app.number_input}
    assert (values["Image"], values["Position"]) == (3, 7)


def shows_train(app):
    values = {field.label: field.value for field in app.number_input}
    assert (values["β, the weight of KL"], values["Latent dimensions"]) == (4.5, 5)


def shows_elbo(app):
    assert app.number_input(key="elbo_image_digits-2d").value == 80
    assert app.segmented_control(key="elbo_chains_count").value == 4


def shows_runs(app):
    assert {"**mnist-20d**", "**mnist-2d**"} <= set(said(app))


SHOWS = {
    "collapse": shows_collapse,
    "beta": shows_beta,
    "models": shows_models,
    "train": shows_train,
    "elbo": shows_elbo,
    "runs": shows_runs,
}


@pytest.mark.parametrize("page", SCENES)
def test_the_address_opens_its_scene_and_stays(page):
    app = open_whole(page, {"chapter": "kl", **SCENES[page]})
    for _ in range(2):
        assert not app.exception and not app.toast
        SHOWS[page](app)
        assert read_address(app) == SCENES[page]
        app.run()


LONG = ("sweep=<script>", "run=nobody&section=x")
"""What opens pages on what nobody chose, which takes a second."""


@pytest.mark.parametrize(
    ("page", "query", "names"),
    [
        pytest.param(*asked, marks=pytest.mark.slow if asked[1] in LONG else ())
        for asked in CANNOT_BE
    ],
)
def test_what_cannot_be_is_one_sentence_and_no_traceback(page, query, names):
    app = open_whole(page, dict(part.split("=") for part in query.split("&")))
    assert not app.exception
    assert [toast.value for toast in app.toast] == [
        f"Not understood in this address, and left out: {names}."
    ]
