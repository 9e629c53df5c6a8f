"""Chapter 7 without a server: the shipped models over β, each as the app shows it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.codes import match_latents
from explorer.errors import ExplorerError
from explorer.export.learn.chapter import Chapter, Control, caption, judge, paragraph, picture
from explorer.export.learn.mathml import write_formula
from explorer.export.learn.prose import write_prose
from explorer.export.learn.svg import draw_figure
from explorer.export.learn.words import COLLAPSE, judge_collapse
from explorer.figures.beta import small_maps
from explorer.figures.eigenvalues import kl_over_beta
from explorer.figures.palette import LIGHT
from explorer.figures.pictures import picture_sheet
from explorer.library import Library
from explorer.runs.run import Run
from explorer.text import say, sentences

SWEEP, START = "mnist-beta-sweep", 4.0
MAP_POINTS, MAP_SIDE, STRIP = 500, 250, 8


def make_chapter() -> Chapter:
    """Return the chapter; ExplorerError where the shipped sweep is not there."""
    betas = list(_models())
    options = [f"{beta:g}" for beta in betas]
    control = Control("sweep_beta", "learn.collapse.beta", options, betas.index(START), "beta")
    return Chapter("collapse", (control,), _lines, ("figure", "model"), _show)


def _lines(language: str) -> list[str]:
    words = sentences(language, "learn.collapse.formula.")
    values = ", ".join(f"{value:.1f}" for value in _eigenvalues()[:4])
    return [
        paragraph(language, "learn.collapse.price"),
        write_formula(COLLAPSE % (words["objective"], words["wakes"])),
        paragraph(language, "learn.collapse.rule"),
        caption(language, "learn.collapse.recorded", values=values),
    ]


def count_awake(beta: float, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the chapter says of the model of one β: KL of two latents, how many are awake."""
    kl = sorted(result["kl_per_dim"], reverse=True)
    return {
        "beta": beta,
        "first": kl[0],
        "second": kl[1],
        "reconstruction": result["reconstruction"],
        "active": sum(value > DEAD_NATS for value in kl),
        "count": len(kl),
    }


def _show(language: str, stop: tuple[int, ...]) -> dict[str, str]:
    models = _models()
    betas = list(models)
    beta = betas[stop[0]]
    results = [run.info.results["test"] for run in models.values()]
    figures = count_awake(beta, results[stop[0]])
    active = figures["active"]
    numbers = say(language, "learn.collapse.numbers", **figures)
    figure = kl_over_beta(
        betas,
        np.array([each["kl_per_dim"] for each in results]),
        _eigenvalues(),
        LIGHT,
        sentences(language, "learn.collapse.figure."),
        beta=beta,
        height=240,
    )
    is_right, key, values = judge_collapse(beta, active)
    return {
        "figure": f"<p>{write_prose(numbers)}</p>{draw_figure(figure, told=numbers)}"
        + caption(language, "learn.collapse.caption"),
        "model": _draw_model(language, models[beta], models[1.0]),
        **judge(language, "collapse", is_right, say(language, key, **values)),
    }


def _draw_model(language: str, run: Run, reference: Run) -> str:
    codes, target = run.codes(), reference.codes()
    assert codes is not None and target is not None
    order, sign = match_latents(target.mean, codes.mean)
    labels = None if codes.labels is None else codes.labels[:MAP_POINTS]
    points = codes.mean[:MAP_POINTS, order] * sign
    figure = small_maps([""], [points], [labels], LIGHT, columns=1, side=MAP_SIDE)
    told = say(language, "learn.collapse.map", count=len(points))
    found = draw_figure(figure, MAP_SIDE, told) + caption(
        language, "learn.collapse.map", count=len(points)
    )
    frame = run.snapshot(run.snapshot_steps()[-1])
    for name, images in (("reconstructions", frame.reconstructions), ("samples", frame.samples)):
        if images is not None:
            sheet = picture_sheet(images[:STRIP], STRIP)
            found += picture(sheet, say(language, f"learn.collapse.{name}"), 300)
    return f'<div class="model">{found}</div>'


@cache
def _models() -> dict[float, Run]:
    sweep = Library().sweeps().get(SWEEP)
    if sweep is None:
        raise ExplorerError(f"The shipped sweep {SWEEP} is not on this machine.")
    runs = sweep.runs()
    found = {sweep.configs[name].objective.beta: run for name, run in runs.items()}
    return dict(sorted(found.items()))


@cache
def _eigenvalues() -> list[float]:
    library = Library()
    theory: Any = library.stored_beside(library.sweeps()[SWEEP], "theory")
    if theory is None:
        raise ExplorerError(f"The sweep {SWEEP} has no eigenvalues beside it.")
    return list(theory["wake_up"])
