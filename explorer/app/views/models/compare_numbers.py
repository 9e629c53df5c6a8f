"""The comparison in figures: table, holes side by side, what noise and KL do, components."""

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.analysis.representation.holes import RANDOM_CODES
from explorer.analysis.representation.latents import linear_components
from explorer.app.cached import get_codes, get_run_with_model
from explorer.app.cached.compare import find_figures, get_neighbours
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.names import name_likelihood, name_run
from explorer.app.parts.pictures import show_row
from explorer.app.text import text
from explorer.app.views.models.compare_card import SHOWN_IMAGES, kind_of
from explorer.facts import NETWORKS
from explorer.figures.compare import component_images, share_bars
from explorer.runs.run import Run


def gather(runs: Sequence[Run], source: str) -> dict[str, dict[str, Any] | None]:
    """Return the figures of random codes of each run, measured where they are not yet."""
    with st.spinner(text("compare.measuring")):
        return {
            run.id: find_figures(run, source if run.info.is_continuous else "prior") for run in runs
        }


def show_figures(runs: Sequence[Run], figures: dict[str, dict[str, Any] | None]) -> None:
    """Show the table of figures."""
    keys = ("model", "likelihood", "reconstruction", "kl", "error", "neighbours", "holes", "missed")
    head = "".join(f"<th>{html.escape(text(f'compare.column.{key}'))}</th>" for key in keys)
    rows = "".join(f"<tr>{_row(run, figures[run.id])}</tr>" for run in runs)
    st.html(
        '<div class="explorer-compare"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    st.caption(text("compare.figures_caption"))


def _row(run: Run, found: dict[str, Any] | None) -> str:
    info = run.info
    result = info.best_results
    near = get_neighbours(run)
    absent = text("compare.absent")
    cells = [
        html.escape(text("compare.kind." + kind_of(run)) + f" ({name_run(run)})"),
        html.escape(name_likelihood(info)),
        _number(result.get("reconstruction"), None, 1),
        _number(result["kl"], None, 2) if "kl" in result else absent,
        _number(found["squared_error"], found["squared_error_error"], 2) if found else "–",
        _number(100 * near.accuracy, 100 * near.standard_error, 1) if near else "–",
        *(
            _number(100 * found[key], 100 * found[f"{key}_error"], 1) if found else "–"
            for key in ("holes", "missed")
        ),
    ]
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _number(value: float | None, error: float | None, digits: int) -> str:
    if value is None:
        return "–"
    shown = f"{value:.{digits}f}".replace("-", "−")
    return shown if error is None else f"{shown} ± {error:.{digits}f}"


def show_holes(runs: Sequence[Run], figures: dict[str, dict[str, Any] | None]) -> None:
    """Show holes and missed images of the models side by side."""
    measured = [(run, found) for run in runs if (found := figures[run.id]) is not None]
    if not measured:
        st.caption(text("compare.holes_missing"))
        return
    shares = [
        [(found[key], found[f"{key}_error"]) for _, found in measured]
        for key in ("holes", "missed")
    ]
    figure = share_bars(
        _distinct([run for run, _ in measured]),
        shares,
        [text(f"compare.share.{key}") for key in ("holes", "missed")],
        role_colours(),
        text("compare.usual"),
        110 + 36 * len(measured),
    )
    show_chart(figure, "compare_shares", text("compare.holes_caption", count=RANDOM_CODES))


def _distinct(runs: Sequence[Run]) -> list[str]:
    """Return the kinds' names, the runs' own where a kind comes twice."""
    kinds = [kind_of(run) for run in runs]
    return [
        text(f"compare.kind.{kind}") if kinds.count(kind) == 1 else name_run(run)
        for kind, run in zip(kinds, runs, strict=True)
    ]


def tell_story(runs: Sequence[Run], figures: dict[str, dict[str, Any] | None]) -> str | None:
    """Return what noise and KL do apart, in this comparison's numbers, where they show it."""
    by_kind = {kind_of(run): run for run in reversed(runs)}
    found = {kind: figures[by_kind[kind].id] for kind in ("ae", "noise", "vae") if kind in by_kind}
    if len(found) < 3 or not all(found.values()):
        return None
    missed = {kind: 100 * values["missed"] for kind, values in found.items() if values}
    spread = {}
    for kind in found:
        codes = get_codes(by_kind[kind])
        if codes is None:
            return None
        spread[kind] = float(codes.mean.std(0).mean())
    if not (missed["vae"] < missed["ae"] < missed["noise"] and spread["ae"] < spread["noise"]):
        return None
    return text(
        "compare.story",
        plain=missed["ae"],
        noise=missed["noise"],
        vae=missed["vae"],
        plain_spread=spread["ae"],
        noise_spread=spread["noise"],
        vae_spread=spread["vae"],
    )


def show_components(runs: Sequence[Run]) -> None:
    """Show the decoder's columns of the linear models as images."""
    linear = [
        run
        for run in runs
        if run.info.config is not None and NETWORKS[run.info.config.model.network].is_linear
    ]
    if not linear:
        return
    st.markdown(f"**{text('compare.components')}**")
    for run, name, column in zip(linear, _distinct(linear), st.columns(4), strict=False):
        model = get_run_with_model(run).model
        images = component_images(linear_components(model)[:SHOWN_IMAGES])
        with column:
            show_row(images, name)
    st.caption(text("compare.components_caption"))
