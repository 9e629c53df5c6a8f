"""Chapter 5 without a server: the decoder's σ² is a β, every σ² with every β beforehand."""

from functools import cache

import numpy as np

from explorer.analysis.collapse.linear import (
    LinearOptimum,
    covariance_eigenvalues,
    linear_optimum,
    reconstruct_images,
)
from explorer.codes import Array
from explorer.datasets import load_dataset
from explorer.export.learn.chapter import Chapter, Control, caption, judge, paragraph, picture
from explorer.export.learn.mathml import write_formula
from explorer.export.learn.prose import write_prose
from explorer.export.learn.svg import draw_figure
from explorer.export.learn.words import judge_sigma, sigma_loss
from explorer.figures.eigenvalues import eigenvalue_bars
from explorer.figures.palette import LIGHT
from explorer.figures.pictures import picture_sheet
from explorer.text import say, sentences

LATENTS, SHOWN = 16, 10
VARIANCES = (0.00625, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
BETAS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
START, ASKED = 0.05, 0.0125


def make_chapter() -> Chapter:
    """Return the chapter, with the Gaussian's ½ in its place."""
    controls = (
        Control(
            "trade_sigma2",
            "learn.sigma.variance",
            [f"{v:g}" for v in VARIANCES],
            VARIANCES.index(START),
            "sigma",
        ),
        Control(
            "trade_beta", "learn.sigma.beta", [f"{v:g}" for v in BETAS], BETAS.index(1.0), "beta"
        ),
    )
    return Chapter("sigma", controls, _lines, ("figure",), _show)


def _lines(language: str) -> list[str]:
    return [
        paragraph(language, "learn.sigma.error"),
        write_formula(sigma_loss(as_written=False)),
        paragraph(language, "learn.sigma.product"),
        paragraph(language, "learn.sigma.slip"),
        "#digits",
    ]


def _show(language: str, stop: tuple[int, ...]) -> dict[str, str]:
    sigma2, beta = VARIANCES[stop[0]], BETAS[stop[1]]
    eigenvalues = _digits()[1]
    optimum = linear_optimum(eigenvalues, LATENTS, beta=beta, sigma2=sigma2)
    wanted = linear_optimum(eigenvalues, LATENTS, sigma2=START)
    price = beta * sigma2
    is_right, key, values = judge_sigma(
        price, optimum.rate, (wanted.beta * wanted.sigma2, wanted.rate), sigma2 == ASKED
    )
    numbers = say(language, "learn.sigma.numbers", **numbers_of(optimum))
    return {
        "figure": f"<p>{write_prose(numbers)}</p>{_draw(language, price)}"
        + caption(language, "learn.sigma.caption", latents=LATENTS),
        "digits": picture(_sheet(price), say(language, "learn.sigma.strip")),
        **judge(language, "sigma", is_right, say(language, key, **values)),
    }


def numbers_of(optimum: LinearOptimum) -> dict[str, float]:
    """Return what the chapter says of an optimum, by the names in its sentence."""
    return {
        "active": optimum.active,
        "latents": LATENTS,
        "rate": optimum.rate,
        "error": optimum.squared_error,
        "distortion": optimum.distortion,
    }


@cache
def _draw(language: str, price: float) -> str:
    words = sentences(language, "learn.sigma.figure.")
    figure = eigenvalue_bars(_digits()[1][:LATENTS], price, LIGHT, words, height=330)
    return draw_figure(figure, told=words["price"].format(value=f"{price:g}"))


@cache
def _sheet(price: float) -> Array:
    images = _digits()[0]
    found = reconstruct_images(images, images[:SHOWN], LATENTS, price)
    drawn = (255 * found.clip(0, 1)).round().astype(images.dtype)
    return picture_sheet(np.concatenate([images[:SHOWN], drawn]), SHOWN)


@cache
def _digits() -> tuple[Array, Array]:
    images = load_dataset("digits").split("all").images
    return images, covariance_eigenvalues(images)
