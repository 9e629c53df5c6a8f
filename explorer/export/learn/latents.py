"""Chapter 1 without a server: patches that share a code, each size in a few draws."""

from functools import cache

import numpy as np

from explorer.analysis.representation.patchwork import (
    decode_prior,
    draw_pixels,
    independent_nats,
    share_codes,
)
from explorer.codes import Array
from explorer.export.learn.chapter import Chapter, Control, caption, judge, paragraph, picture
from explorer.export.learn.mathml import write_formula
from explorer.export.learn.prose import write_prose
from explorer.export.learn.words import LATENTS, judge_latents
from explorer.figures.pictures import picture_sheet
from explorer.library import Library
from explorer.runs.run import Run
from explorer.text import say

MODEL = "mnist-2d"
SIDES = (1, 2, 4, 7, 14, 28)
"""Sides of the patches that share a code; all tile a picture of 28 × 28."""
SHOWN = ("mean", "sample")
_MEAN = "learn.latents.mean"
COUNT, COLUMNS, CODES = 12, 4, 1024
DRAWS = 8
"""As many draws lie beside a page, the app's first."""


def make_chapter() -> Chapter:
    """Return the chapter; ExplorerError where the shipped model is not there."""
    _run()
    controls = (
        Control("shown", "learn.latents.shown", SHOWN, names=_name_shown),
        Control("shared", "learn.latents.side", [f"{side} × {side}" for side in SIDES]),
        Control("draw", "learn.latents.again", [str(seed) for seed in range(DRAWS)], turns=True),
    )
    return Chapter("latents", controls, _lines, ("pictures",), _show)


def _name_shown(language: str) -> list[str]:
    return [say(language, f"learn.latents.shown.{name}") for name in SHOWN]


def _lines(language: str) -> list[str]:
    lines = [
        paragraph(language, "learn.latents.prose.direct"),
        write_formula(LATENTS % say(language, "learn.latents.or")),
        paragraph(language, "learn.latents.prose.shared"),
        paragraph(language, "learn.latents.prose.sample"),
    ]
    measured = _run().info.best_results
    if measured is None:
        return lines
    values = {"independent": independent_nats(_decoded()), "through": -measured["elbo"]}
    told = say(language, "learn.latents.nats", model=_run().id, **values)
    return [*lines, f"<p>{write_prose(told)}</p>"]


def _show(language: str, stop: tuple[int, ...]) -> dict[str, str]:
    shown, side, seed = SHOWN[stop[0]], SIDES[stop[1]], stop[2]
    is_right, key, values = judge_latents(side, shown, (SIDES[0], SIDES[-1]))
    mean = picture(_sheet(_decoded().mean(0, keepdims=True), 1), say(language, _MEAN), 112)
    told = say(language, f"learn.latents.shown.{shown}")
    pictures = picture(_draw(side, shown, seed), told, 480)
    return {
        "pictures": f'<div class="prior">{mean}{pictures}</div>'
        + caption(language, "learn.latents.caption"),
        **judge(language, "latents", is_right, say(language, key, **values)),
    }


@cache
def _draw(side: int, shown: str, seed: int) -> Array:
    pictures = share_codes(_decoded(), side, COUNT, seed)
    return _sheet(draw_pixels(pictures, seed) if shown == "sample" else pictures, COLUMNS)


def _sheet(pictures: Array, columns: int) -> Array:
    return picture_sheet(np.rint(pictures * 255).astype(np.uint8), columns, gap=2)


@cache
def _decoded() -> Array:
    return decode_prior(_run().model, CODES, seed=0)


@cache
def _run() -> Run:
    return Library().shipped.open(MODEL)
