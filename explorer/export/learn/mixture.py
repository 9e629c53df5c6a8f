"""Chapter 2, here and in the app: p(x) as a mixture of ever more Gaussians."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.teaching.toy import PRIOR, bent_toy, draw_codes, misplaced, spread_codes
from explorer.codes import Array
from explorer.export.learn.chapter import Chapter, Control, caption, judge, paragraph
from explorer.export.learn.mathml import write_formula
from explorer.export.learn.prose import write_prose
from explorer.export.learn.svg import draw_figure
from explorer.export.learn.words import Remark
from explorer.figures.learn import MANY_PARTS, mixture_picture
from explorer.figures.palette import LIGHT, Roles
from explorer.text import say, sentences

COUNTS = (1, 2, 3, 5, 8, 12, 20, 50, 200, 1000, 5000)
"""Numbers of Gaussians that are offered; the next is the integral."""
NAMES = (*(f"{count:,}" for count in COUNTS), "∞")
START = 5
KINDS = ("spread", "drawn", "flat")
DRAWS = 8
"""As many draws lie beside a page, the app's first."""
THINNED = 4
FLAT_REACH = 3.0
ASKED = 0.01
X = np.linspace(-5, 5, 401)
Z = np.linspace(-3.2, 3.2, 161)
MIXTURE = (
    r"\begin{gathered}p(x) = \int @reconstruction{p(x|z)}\, @gap{p(z)}\, d@latent{z} \\"
    r"\approx \frac1K \sum_{k=1}^K \mathcal N\bigl(x;\, @mean{\mu(}@latent{z_k}@mean{)},\, "
    r"@sigma{\sigma^2(}@latent{z_k}@sigma{)}\bigr)\end{gathered}"
)


@dataclass(frozen=True)
class Mixture:
    """What the controls ask for: codes (K,), none for the integral, and the densities over X."""

    kind: str
    codes: Array
    exact: Array
    density: Array
    parts: Array

    @property
    def area(self) -> float:
        """The area under the mixture."""
        return float(self.density.sum() * (X[1] - X[0]))

    @property
    def misplaced(self) -> float:
        """The share of probability that the mixture puts elsewhere than p(x)."""
        return misplaced(self.density, self.exact, X[1] - X[0])


def mix(kind: str, count: int | None, seed: int = 0) -> Mixture:
    """Return the mixture of `count` codes of a kind, or the integral; `seed` is of drawn ones."""
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


def draw_mixture(
    mixture: Mixture, roles: Roles, words: Mapping[str, str], thinned: int = 1
) -> go.Figure:
    """Return how the mixture is made; `words` has exact and mixture.

    Where it is `thinned`, every so many points of its curves are drawn, and codes that coincide
    once.
    """
    toy, is_flat, codes = bent_toy(), mixture.kind == "flat", mixture.codes
    z = Z[::thinned]
    if thinned > 1 and len(codes) > MANY_PARTS:
        codes = np.unique(codes.round(2))
    return mixture_picture(
        (z, toy.mean(z), toy.sd(z)),
        np.full_like(z, 0.4) if is_flat else PRIOR.density(z),
        codes,
        X[::thinned],
        mixture.exact[::thinned],
        mixture.density[::thinned],
        mixture.parts[:, ::thinned],
        (words["exact"], words["mixture"], "1" if is_flat else "p(z)"),
        roles,
    )


def tell_mixture(mixture: Mixture) -> tuple[str, dict[str, object]]:
    """Return the sentence below the picture: its key and values."""
    area = f"{mixture.area:.2f}"
    if mixture.kind == "flat":
        return "learn.mixture.figures.flat", {"area": area, "reach": FLAT_REACH}
    return "learn.mixture.figures", {"area": area, "misplaced": _percent(mixture.misplaced)}


def caption_of(mixture: Mixture) -> str:
    """Return the key of the picture's caption."""
    return f"learn.mixture.caption{'.flat' if mixture.kind == 'flat' else ''}"


def judge_mixture(mixture: Mixture) -> Remark:
    """Return what the chapter says to a mixture."""
    count = len(mixture.codes)
    values: dict[str, object] = {"misplaced": _percent(mixture.misplaced), "count": f"{count:,}"}
    if mixture.kind == "flat":
        return False, "learn.mixture.remark.flat", {"area": f"{mixture.area:.2f}"}
    if mixture.kind == "drawn" and count:
        return False, "learn.mixture.remark.drawn", values
    if mixture.misplaced >= ASKED:
        return False, "learn.mixture.remark.few", values
    fewer = COUNTS[COUNTS.index(count) - 1] if count else COUNTS[-1]
    if mix("spread", fewer).misplaced < ASKED:
        return False, "learn.mixture.remark.many", values
    return True, "learn.mixture.answer", values


def make_chapter() -> Chapter:
    """Return the chapter; "Draw again" goes through DRAWS draws."""
    controls = (
        Control("codes", "learn.mixture.codes", KINDS, names=_name_kinds),
        Control("gaussians", "learn.mixture.count", NAMES, COUNTS.index(START)),
        Control(
            "draw",
            "learn.mixture.again",
            [str(seed) for seed in range(DRAWS)],
            turns=True,
            only_with=("codes", "drawn"),
        ),
    )
    return Chapter("mixture", controls, _lines, ("figure",), _show)


def _name_kinds(language: str) -> list[str]:
    return [say(language, f"learn.mixture.codes.{kind}") for kind in KINDS]


def _lines(language: str) -> list[str]:
    return [
        paragraph(language, "learn.mixture.prose.parts"),
        write_formula(MIXTURE),
        paragraph(language, "learn.mixture.prose.limit"),
        paragraph(language, "learn.mixture.prose.slip"),
    ]


def _show(language: str, stop: tuple[int, ...]) -> dict[str, str]:
    kind, count, seed = KINDS[stop[0]], (*COUNTS, None)[stop[1]], stop[2]
    drawn = seed if kind == "drawn" and count else 0
    return _show_mixture(language, kind, count, drawn)


@cache
def _show_mixture(language: str, kind: str, count: int | None, seed: int) -> dict[str, str]:
    mixture = mix(kind, count, seed)
    key, values = tell_mixture(mixture)
    told = say(language, key, **values)
    figure = draw_mixture(mixture, LIGHT, sentences(language, "learn.mixture."), THINNED)
    is_right, remark, said = judge_mixture(mixture)
    return {
        "figure": f"{draw_figure(figure, told=told)}<p>{write_prose(told)}</p>"
        + caption(language, caption_of(mixture)),
        **judge(language, "mixture", is_right, say(language, remark, **said)),
    }


@cache
def _exact() -> Array:
    """Return p(x) over X, found once."""
    return bent_toy().density(X)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}\u202f%"
