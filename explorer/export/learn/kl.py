"""Chapter 4 without a server: KL in closed form, q's mean and width at chosen stops."""

from functools import cache

import numpy as np

from explorer.analysis.teaching.gaussians import (
    Gaussian,
    kl_divergence,
    kl_integrand,
    kl_terms,
)
from explorer.export.learn.chapter import Chapter, Control, caption, judge, paragraph
from explorer.export.learn.mathml import write_formula
from explorer.export.learn.svg import draw_figure
from explorer.export.learn.words import closed_form, judge_kl
from explorer.figures.learn import kl_areas
from explorer.figures.palette import LIGHT
from explorer.text import say

MEANS = tuple(np.arange(-2, 2.01, 0.5).round(2).tolist())
WIDTHS = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.3, 1.6, 2.0)
Z = np.linspace(-5.5, 5.5, 89)


def make_chapter() -> Chapter:
    """Return the chapter; the prior is N(0, 1)."""
    controls = (
        Control("q_mean", "learn.kl.q_mean", [f"{v:g}" for v in MEANS], MEANS.index(1.0), "mean"),
        Control("q_sd", "learn.kl.q_sd", [f"{v:g}" for v in WIDTHS], WIDTHS.index(0.5), "sigma"),
    )
    return Chapter("kl", controls, _lines, ("figure",), _show)


def _lines(language: str) -> list[str]:
    return [
        paragraph(language, "learn.kl.prose.what"),
        "#formula",
        paragraph(language, "learn.kl.prose.terms"),
        paragraph(language, "learn.kl.prose.area"),
        paragraph(language, "learn.kl.prose.cross"),
    ]


def _show(language: str, stop: tuple[int, ...]) -> dict[str, str]:
    mean, sd = MEANS[stop[0]], WIDTHS[stop[1]]
    q, p = Gaussian(mean, sd**2), Gaussian(0.0, 1.0)
    terms = kl_terms(mean, sd, 0.0, 1.0)
    titles = (
        say(language, "learn.kl.curve.forward", kl=kl_divergence(q, p)),
        say(language, "learn.kl.curve.backward", kl=kl_divergence(p, q)),
    )
    is_right, key, values = judge_kl(mean, sd, 0.0, 1.0, terms)
    return {
        "figure": _draw(mean, sd, titles) + caption(language, "learn.kl.caption"),
        "formula": write_formula(closed_form(terms, moved=False)),
        **judge(language, "kl", is_right, say(language, key, **values)),
    }


@cache
def _draw(mean: float, sd: float, titles: tuple[str, str]) -> str:
    """Return the areas; their titles are the same in most languages, and so is the drawing."""
    q, p = Gaussian(mean, sd**2), Gaussian(0.0, 1.0)
    figure = kl_areas(
        Z,
        q.density(Z),
        p.density(Z),
        (kl_integrand(q, p, Z), kl_integrand(p, q, Z)),
        titles,
        (mean, sd),
        LIGHT,
    )
    return draw_figure(figure, told=titles[0])
