"""Chapter 4: KL in closed form, and cross-entropy of two Gaussians."""

import numpy as np
import streamlit as st

from explorer.analysis.teaching.gaussians import (
    Gaussian,
    KlTerms,
    cross_entropy,
    entropy,
    kl_divergence,
    kl_integrand,
    kl_terms,
)
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.sliders import live_slider
from explorer.app.text import text
from explorer.app.views.learn.parts import (
    frame_sliders,
    open_page,
    say,
    show_formula,
    show_heading,
    show_question,
)
from explorer.export.learn.words import closed_form, judge_kl
from explorer.figures.learn import kl_areas

Z = np.linspace(-5.5, 5.5, 401)


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: prose and closed form on the left, two Gaussians on the right."""
    left, right = open_page()
    with right:
        mean, sd, prior_mean, prior_sd = _show_sliders()
        q, p = Gaussian(mean, sd**2), Gaussian(prior_mean, prior_sd**2)
        _show_areas(q, p, mean, sd)
    terms = kl_terms(mean, sd, prior_mean, prior_sd)
    with left:
        show_heading("kl")
        say("learn.kl.prose.what")
        _show_closed_form(terms, moved=(prior_mean, prior_sd) != (0.0, 1.0))
        say("learn.kl.prose.terms")
        say("learn.kl.prose.area")
        _show_entropies(q, p)
        say("learn.kl.prose.cross")
    right_answer, key, values = judge_kl(mean, sd, prior_mean, prior_sd, terms)
    show_question("kl", right_answer, text(key, **values))


def _show_sliders() -> tuple[float, float, float, float]:
    with frame_sliders():
        first, second = st.columns(2)
    with first:
        mean = live_slider(text("learn.kl.q_mean"), -3, 3, 1.2, 0.02, key="q_mean", role="mean")
        prior_mean = live_slider(
            text("learn.kl.p_mean"), -3, 3, 0, 0.02, key="p_mean", role="prior"
        )
    with second:
        sd = live_slider(text("learn.kl.q_sd"), 0.1, 2, 0.5, 0.02, key="q_sd", role="sigma")
        prior_sd = live_slider(text("learn.kl.p_sd"), 0.1, 2, 1, 0.02, key="p_sd", role="prior")
    return mean, sd, prior_mean, prior_sd


def _show_areas(q: Gaussian, p: Gaussian, mean: float, sd: float) -> None:
    figure = kl_areas(
        Z,
        q.density(Z),
        p.density(Z),
        (kl_integrand(q, p, Z), kl_integrand(p, q, Z)),
        (
            text("learn.kl.curve.forward", kl=kl_divergence(q, p)),
            text("learn.kl.curve.backward", kl=kl_divergence(p, q)),
        ),
        (mean, sd),
        role_colours(),
    )
    show_chart(figure, "learn_kl_areas", text("learn.kl.caption"))


def _show_closed_form(terms: KlTerms, moved: bool) -> None:
    """Show the formula and, below it, the same with this q's numbers."""
    show_formula(closed_form(terms, moved))


def _show_entropies(q: Gaussian, p: Gaussian) -> None:
    rows = []
    for one, other, first, second in (("q", "p", q, p), ("p", "q", p, q)):
        less = entropy(first)
        rows.append(
            rf"@kl{{\mathrm{{KL}}({one}\|{other})}} &= H({one},{other}) - H({one}) = "
            rf"{cross_entropy(first, second):.2f} {'+' if less < 0 else '-'} {abs(less):.2f}"
            rf" = @kl{{{kl_divergence(first, second):.2f}}}"
        )
    show_formula(r"\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}")
