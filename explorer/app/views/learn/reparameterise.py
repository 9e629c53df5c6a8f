"""Chapter 6: gradients with and without reparameterisation."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.polynomial import Polynomial

from explorer.analysis.representation.latents import decode_draws
from explorer.analysis.teaching.gradients import (
    ESTIMATORS,
    PARAMETERS,
    GradientEstimator,
    estimate_gradient,
    log_likelihood,
    measure_spread,
    square,
)
from explorer.app.cached import get_codes, get_run_with_model
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.pictures import show_row
from explorer.app.parts.sliders import live_choice, live_slider
from explorer.app.session import library
from explorer.app.text import sentences, text
from explorer.app.views.learn.parts import (
    choose_segment,
    frame_sliders,
    open_page,
    say,
    show_formula,
    show_heading,
    show_question,
)
from explorer.export.learn.reparameterise import (
    DRAWS,
    IMAGE,
    MEASURED,
    MODEL,
    REPEATS,
    SEEN,
    SIGMA2,
    SPREADS,
    STRIP,
)
from explorer.export.learn.words import GRADIENT_BY_MEAN, judge_draws
from explorer.figures.gradients import gradient_histograms, variance_over_draws

FUNCTIONS: dict[str, Callable[[], Polynomial]] = {
    "likelihood": lambda: log_likelihood(SEEN, SIGMA2),
    "square": square,
}

FORMULA_SIGMA = (
    r"\nabla_{@sigma{\sigma}}\,\mathbb{E}_q[f(@latent{z})]"
    r"=\underbrace{\mathbb{E}_\varepsilon"
    r"\big[f'(@mean{\mu}+@sigma{\sigma}\varepsilon)\,\varepsilon\big]}_{@latent{\text{%s}}}"
    r"=\underbrace{\mathbb{E}_q\Big[f(@latent{z})\,"
    r"\tfrac{\varepsilon^2-1}{@sigma{\sigma}}\Big]}_{@gap{\text{%s}}}"
)


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: prose on the left, two estimators of one gradient on the right."""
    left, right = open_page()
    words = sentences("learn.reparameterise.figure.")
    with right:
        f, parameter = _choose_gradient()
        mean, sigma, draws = _choose_draws()
        found = {name: estimate_gradient(f, mean, sigma, name, parameter) for name in ESTIMATORS}
        _show_spread(found, draws, words)
    with left:
        show_heading("reparameterise")
        say("learn.reparameterise.problem")
        formula = GRADIENT_BY_MEAN if parameter == "mean" else FORMULA_SIGMA
        show_formula(formula % (words["pathwise"], words["score"]))
        say("learn.reparameterise.same")
        say("learn.reparameterise.noise")
        _show_noise()
    _ask(found, draws)


def _choose_draws() -> tuple[float, float, int]:
    """Return q's mean and standard deviation, and the number of draws per estimate."""
    with frame_sliders():
        first, second, third = st.columns(3)
    with first:
        mean = live_slider(
            text("learn.reparameterise.mean"), -2, 3, 1, 0.1, key="draw_mean", role="mean", digits=1
        )
    with second:
        sigma = live_slider(
            text("learn.reparameterise.sigma"),
            0.1,
            2,
            0.5,
            0.1,
            key="draw_sd",
            role="sigma",
            digits=1,
        )
    with third:
        place = live_choice(
            text("learn.reparameterise.draws"),
            [str(count) for count in DRAWS],
            0,
            key="draws",
            role="gap",
        )
    return mean, sigma, DRAWS[place]


def _choose_gradient() -> tuple[Polynomial, str]:
    with st.container(horizontal=True):
        name = choose_segment(
            text("learn.reparameterise.f"),
            list(FUNCTIONS),
            key="f",
            name=lambda key: text(f"learn.reparameterise.f.{key}"),
        )
        parameter = choose_segment(
            text("learn.reparameterise.by"),
            PARAMETERS,
            key="by",
            name=lambda key: text(f"learn.reparameterise.by.{key}"),
        )
        if name == "likelihood":
            st.caption(text("learn.reparameterise.f.help", x=SEEN, sigma2=SIGMA2))
    return FUNCTIONS[name](), parameter


def _show_spread(found: dict[str, GradientEstimator], draws: int, words: dict[str, str]) -> None:
    spreads = {name: estimator.spread(draws) for name, estimator in found.items()}
    gradient = found["pathwise"].mean
    key = "learn.reparameterise.numbers" + (".one" if draws == 1 else "")
    ratio = found["score"].variance / found["pathwise"].variance
    st.markdown(text(key, gradient=gradient, draws=draws, ratio=ratio, **spreads))
    roles = role_colours()
    first, second = st.columns(2)
    with first:
        figure = gradient_histograms(
            {name: estimator.draw(draws, REPEATS) for name, estimator in found.items()},
            gradient,
            max(spreads.values()),
            roles,
            words,
        )
        show_chart(
            figure,
            "learn_gradient_histograms",
            text("learn.reparameterise.histograms", repeats=REPEATS),
        )
    with second:
        exact = {name: estimator.variance for name, estimator in found.items()}
        measured = {name: measure_spread(each, MEASURED, SPREADS) for name, each in found.items()}
        figure = variance_over_draws(MEASURED, exact, measured, roles, words, chosen=draws)
        show_chart(figure, "learn_gradient_variance", text("learn.reparameterise.variance"))


def _ask(found: dict[str, GradientEstimator], draws: int) -> None:
    one, score = found["pathwise"].variance, found["score"].variance
    is_right, key, values = judge_draws(one, score, draws, DRAWS)
    show_question("reparameterise", is_right, text(key, **values))


def _show_noise() -> None:
    """Show one image's code with the encoder's noise, and with noise that is not scaled."""
    run = get_run_with_model(library().shipped.open(MODEL))
    codes = get_codes(run)
    assert codes is not None and codes.logvar is not None
    mean, sigma = codes.mean[IMAGE], np.exp(0.5 * codes.logvar[IMAGE])
    for name, spread in (("scaled", sigma), ("plain", np.ones_like(sigma))):
        images = decode_draws(run.model, mean, spread, STRIP).clip(0, 1)
        shown = (255 * images).round().astype("uint8")
        show_row(shown, text(f"learn.reparameterise.strip.{name}"), STRIP)
