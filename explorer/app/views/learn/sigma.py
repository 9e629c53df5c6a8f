"""Chapter 5: the decoder's σ², and why it is a β."""

import streamlit as st

from explorer.analysis.collapse.linear import (
    LinearOptimum,
    covariance_eigenvalues,
    linear_optimum,
    reconstruct_images,
)
from explorer.app.cached import get_dataset
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.pictures import show_pairs
from explorer.app.parts.sliders import live_choice
from explorer.app.text import sentences, text
from explorer.app.views.learn.parts import (
    choose_switch,
    frame_sliders,
    open_page,
    say,
    show_formula,
    show_heading,
    show_question,
)
from explorer.codes import Array
from explorer.export.learn.sigma import (
    ASKED,
    BETAS,
    LATENTS,
    SHOWN,
    START,
    VARIANCES,
    numbers_of,
)
from explorer.export.learn.words import judge_sigma, sigma_loss
from explorer.figures.eigenvalues import eigenvalue_bars

HEIGHT = 330


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: prose on the left; σ², β and what they do to digits on the right."""
    digits = get_dataset("digits")
    assert digits is not None
    images = digits.split("all").images
    eigenvalues = covariance_eigenvalues(images)
    left, right = open_page()
    with right:
        sigma2, beta, as_written = _choose_weights()
        optimum = linear_optimum(
            eigenvalues, LATENTS, beta=beta, sigma2=sigma2 / 2 if as_written else sigma2
        )
        _show_optimum(len(images), eigenvalues, optimum)
    with left:
        show_heading("sigma")
        say("learn.sigma.error")
        show_formula(sigma_loss(as_written))
        say("learn.sigma.product")
        say("learn.sigma.slip")
        _show_digits(images, beta * optimum.sigma2)
    wanted = linear_optimum(eigenvalues, LATENTS, sigma2=START)
    _ask(optimum, wanted, moved=sigma2 == ASKED and not as_written)


def _choose_weights() -> tuple[float, float, bool]:
    """Return σ², β and whether the Gaussian's ½ is left out."""
    with frame_sliders():
        first, second = st.columns(2)
    with first:
        place = live_choice(
            text("learn.sigma.variance"),
            [f"{value:g}" for value in VARIANCES],
            VARIANCES.index(START),
            key="trade_sigma2",
            role="sigma",
        )
    with second:
        weight = live_choice(
            text("learn.sigma.beta"),
            [f"{value:g}" for value in BETAS],
            BETAS.index(1.0),
            key="trade_beta",
            role="beta",
        )
    as_written = choose_switch(text("learn.sigma.as_written"), key="written")
    return VARIANCES[place], BETAS[weight], as_written


def _show_optimum(count: int, eigenvalues: Array, optimum: LinearOptimum) -> None:
    st.markdown(
        text("learn.sigma.numbers", **numbers_of(optimum)),
        help=text("learn.sigma.numbers.help", count=count),
    )
    words = sentences("learn.sigma.figure.")
    price = optimum.beta * optimum.sigma2
    figure = eigenvalue_bars(eigenvalues[:LATENTS], price, role_colours(), words, height=HEIGHT)
    show_chart(figure, "learn_sigma_bars", text("learn.sigma.caption", latents=LATENTS))


def _show_digits(images: Array, price: float) -> None:
    found = reconstruct_images(images, images[:SHOWN], LATENTS, price)
    drawn = (255 * found.clip(0, 1)).round().astype(images.dtype)
    show_pairs(images[:SHOWN], drawn, text("learn.sigma.strip"))


def _ask(optimum: LinearOptimum, wanted: LinearOptimum, moved: bool) -> None:
    right, key, values = judge_sigma(
        optimum.beta * optimum.sigma2,
        optimum.rate,
        (wanted.beta * wanted.sigma2, wanted.rate),
        moved,
    )
    show_question("sigma", right, text(key, **values))
