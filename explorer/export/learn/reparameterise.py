"""Chapter 6 without a server: two estimators of the gradient of log p(x|z) by μ."""

from functools import cache

import numpy as np

from explorer.analysis.representation.latents import decode_draws
from explorer.analysis.teaching.gradients import (
    ESTIMATORS,
    GradientEstimator,
    estimate_gradient,
    log_likelihood,
    measure_spread,
)
from explorer.export.learn.chapter import Chapter, Control, caption, judge, paragraph, picture
from explorer.export.learn.mathml import write_formula
from explorer.export.learn.prose import write_prose
from explorer.export.learn.svg import draw_figure
from explorer.export.learn.words import GRADIENT_BY_MEAN, judge_draws
from explorer.figures.gradients import gradient_histograms, variance_over_draws
from explorer.figures.palette import LIGHT
from explorer.figures.pictures import picture_sheet
from explorer.library import Library
from explorer.text import say, sentences

SEEN, SIGMA2 = 2.0, 0.25
"""What the one-number decoder N(z, σ_x²) sees, and its variance."""
DRAWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
REPEATS, SPREADS = 2000, 500
MEASURED = (1, 4, 16, 64, 256)
MEANS, WIDTHS = (-1.0, 0.0, 1.0, 2.0, 3.0), (0.2, 0.5, 1.0)
MODEL, IMAGE, STRIP = "mnist-2d", 8, 12
_SAID = "learn.reparameterise."


def make_chapter() -> Chapter:
    """Return the chapter; gradients by σ and of z² stay in the app."""
    controls = (
        Control("draw_mean", f"{_SAID}mean", [f"{v:g}" for v in MEANS], MEANS.index(1.0), "mean"),
        Control("draw_sd", f"{_SAID}sigma", [f"{v:g}" for v in WIDTHS], WIDTHS.index(0.5), "sigma"),
        Control("draws", f"{_SAID}draws", [str(count) for count in DRAWS], 0, "gap"),
    )
    return Chapter("reparameterise", controls, _lines, ("histograms", "variance"), _show)


def _lines(language: str) -> list[str]:
    words = sentences(language, f"{_SAID}figure.")
    return [
        paragraph(language, f"{_SAID}problem"),
        write_formula(GRADIENT_BY_MEAN % (words["pathwise"], words["score"])),
        caption(language, f"{_SAID}f.help", x=SEEN, sigma2=SIGMA2),
        paragraph(language, f"{_SAID}same"),
        paragraph(language, f"{_SAID}noise"),
        *(picture(sheet, say(language, f"{_SAID}strip.{name}"), 420) for name, sheet in _strips()),
    ]


def _show(language: str, stop: tuple[int, ...]) -> dict[str, str]:
    mean, sigma, draws = MEANS[stop[0]], WIDTHS[stop[1]], DRAWS[stop[2]]
    found = _estimators(mean, sigma)
    spreads = {name: estimator.spread(draws) for name, estimator in found.items()}
    ratio = found["score"].variance / found["pathwise"].variance
    told = say(
        language,
        f"{_SAID}numbers{'.one' if draws == 1 else ''}",
        draws=draws,
        ratio=ratio,
        gradient=found["pathwise"].mean,
        **spreads,
    )
    words = sentences(language, f"{_SAID}figure.")
    histograms = gradient_histograms(
        {name: estimator.draw(draws, REPEATS) for name, estimator in found.items()},
        found["pathwise"].mean,
        max(spreads.values()),
        LIGHT,
        words,
    )
    variance = variance_over_draws(
        MEASURED,
        {name: each.variance for name, each in found.items()},
        _measured(mean, sigma),
        LIGHT,
        words,
        chosen=draws,
    )
    is_right, key, values = judge_draws(
        found["pathwise"].variance, found["score"].variance, draws, DRAWS
    )
    return {
        "histograms": f"<p>{write_prose(told)}</p>{draw_figure(histograms, told=words['estimate'])}"
        + caption(language, f"{_SAID}histograms", repeats=REPEATS),
        "variance": draw_figure(variance, told=words["variance"])
        + caption(language, f"{_SAID}variance"),
        **judge(language, "reparameterise", is_right, say(language, key, **values)),
    }


@cache
def _estimators(mean: float, sigma: float) -> dict[str, GradientEstimator]:
    f = log_likelihood(SEEN, SIGMA2)
    return {name: estimate_gradient(f, mean, sigma, name, "mean") for name in ESTIMATORS}


@cache
def _measured(mean: float, sigma: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = _estimators(mean, sigma)
    return {name: measure_spread(each, MEASURED, SPREADS) for name, each in found.items()}


@cache
def _strips() -> list[tuple[str, np.ndarray]]:
    """Return one image's code with the encoder's noise, and with noise that is not scaled."""
    run = Library().shipped.open(MODEL)
    codes = run.codes()
    assert codes is not None and codes.logvar is not None
    mean, sigma = codes.mean[IMAGE], np.exp(0.5 * codes.logvar[IMAGE])
    found = []
    for name, spread in (("scaled", sigma), ("plain", np.ones_like(sigma))):
        images = decode_draws(run.model, mean, spread, STRIP).clip(0, 1)
        found.append((name, picture_sheet((255 * images).round().astype(np.uint8), STRIP)))
    return found
