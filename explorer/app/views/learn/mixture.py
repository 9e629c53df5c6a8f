"""Chapter 2: p(x) as an infinite mixture of Gaussians."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import streamlit as st

from explorer.analysis.teaching.toy import PRIOR, bent_toy, draw_codes, misplaced, spread_codes
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.sliders import live_choice
from explorer.app.text import text
from explorer.app.views.learn.parts import (
    choose_segment,
    frame_sliders,
    offer_draw,
    open_page,
    say,
    show_formula,
    show_heading,
    show_question,
)
from explorer.figures.learn import MANY_PARTS, mixture_picture

COUNTS = (1, 2, 3, 5, 8, 12, 20, 50, 200, 1000, 5000)
"""Numbers of Gaussians that are offered; the next is the integral."""
KINDS = ("spread", "drawn", "flat")
FLAT_REACH = 3.0
ASKED = 0.01
X = np.linspace(-5, 5, 401)
Z = np.linspace(-3.2, 3.2, 161)


@dataclass(frozen=True)
class Mixture:
    """What the controls ask for: codes (K,), none for the integral, and the densities over X."""

    kind: str
    codes: np.ndarray
    exact: np.ndarray
    density: np.ndarray
    parts: np.ndarray

    @property
    def area(self) -> float:
        """The area under the mixture."""
        return float(self.density.sum() * (X[1] - X[0]))

    @property
    def misplaced(self) -> float:
        """The share of probability that the mixture puts elsewhere than p(x)."""
        return misplaced(self.density, self.exact, X[1] - X[0])


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: prose and formula on the left, the mixture being built on the right."""
    left, right = open_page()
    with left:
        show_heading("mixture")
        say("learn.mixture.prose.parts")
        show_formula(
            r"\begin{gathered}p(x) = \int @reconstruction{p(x|z)}\, @gap{p(z)}\, d@latent{z} \\"
            r"\approx \frac1K \sum_{k=1}^K \mathcal N\bigl(x;\, @mean{\mu(}@latent{z_k}@mean{)},\, "
            r"@sigma{\sigma^2(}@latent{z_k}@sigma{)}\bigr)\end{gathered}"
        )
        say("learn.mixture.prose.limit")
        say("learn.mixture.prose.slip")
    with right:
        mixture = _show_controls()
        _show_picture(mixture)
    show_question("mixture", *_judge(mixture))


def _show_controls() -> Mixture:
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = choose_segment(
            text("learn.mixture.codes"),
            KINDS,
            key="codes",
            name=lambda name: text(f"learn.mixture.codes.{name}"),
        )
        seed = offer_draw("mixture") if kind == "drawn" else 0
    names = [f"{count:,}" for count in COUNTS] + ["∞"]
    with frame_sliders():
        place = live_choice(text("learn.mixture.count"), names, 3, key="gaussians")
    return _mix(kind, COUNTS[place] if place < len(COUNTS) else None, seed)


def _mix(kind: str, count: int | None, seed: int = 0) -> Mixture:
    toy = bent_toy()
    exact = _exact()
    total = 1.0
    if kind == "flat":
        total = 2 * FLAT_REACH
        share = 1.0 if count is None else 1 / count
        codes = FLAT_REACH * np.arange(-1 + share, 1, 2 * share)
    else:
        codes = spread_codes(count or 1) if kind == "spread" else draw_codes(count or 1, seed)
    if count is None:
        density = toy.unweighted(X, FLAT_REACH) if kind == "flat" else exact
        return Mixture(kind, codes[:0], exact, density, np.empty((0, len(X))))
    parts = np.empty((0, len(X)))
    if count <= MANY_PARTS:
        parts = toy.likelihood(X, codes).T * (total / count)
    return Mixture(kind, codes, exact, total * toy.mixture(X, codes), parts)


@cache
def _exact() -> np.ndarray:
    """Return p(x) over X, found once."""
    return bent_toy().density(X)


def _show_picture(mixture: Mixture) -> None:
    toy = bent_toy()
    figure = mixture_picture(
        (Z, toy.mean(Z), toy.sd(Z)),
        np.full_like(Z, 0.4) if mixture.kind == "flat" else PRIOR.density(Z),
        mixture.codes, X, mixture.exact, mixture.density, mixture.parts,
        (
            text("learn.mixture.exact"), text("learn.mixture.mixture"),
            "1" if mixture.kind == "flat" else "p(z)",
        ),
        role_colours(),
    )  # fmt: skip
    show_chart(figure, "learn_mixture_picture")
    if mixture.kind == "flat":
        values = {"area": f"{mixture.area:.2f}", "reach": FLAT_REACH}
        st.markdown(text("learn.mixture.figures.flat", **values))
    else:
        values = {"area": f"{mixture.area:.2f}", "misplaced": _percent(mixture.misplaced)}
        st.markdown(text("learn.mixture.figures", **values))
    st.caption(text(f"learn.mixture.caption{'.flat' if mixture.kind == 'flat' else ''}"))


def _judge(mixture: Mixture) -> tuple[bool, str]:
    """Return whether the mixture answers the question, and why or why not."""
    values = {"misplaced": _percent(mixture.misplaced), "count": f"{len(mixture.codes):,}"}
    if mixture.kind == "flat":
        return False, text("learn.mixture.remark.flat", area=f"{mixture.area:.2f}")
    if mixture.kind == "drawn" and len(mixture.codes):
        return False, text("learn.mixture.remark.drawn", **values)
    if mixture.misplaced >= ASKED:
        return False, text("learn.mixture.remark.few", **values)
    count = len(mixture.codes)
    fewer = COUNTS[COUNTS.index(count) - 1] if count else COUNTS[-1]
    if _mix("spread", fewer).misplaced < ASKED:
        return False, text("learn.mixture.remark.many", **values)
    return True, text("learn.mixture.answer", **values)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}\u202f%"
