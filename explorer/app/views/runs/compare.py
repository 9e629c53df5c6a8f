"""Two to six runs side by side: what differs, curves, figures, verdicts, maps and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from explorer.analysis.collapse.moved_beta import describe_beta, find_beta
from explorer.app.cached import diagnose_stored
from explorer.app.cached.desk import get_trace
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.film import show_map, show_strips
from explorer.app.parts.names import label_run, name_run
from explorer.app.parts.sections import Section, show_beside, show_sections
from explorer.app.parts.tables import show_rows
from explorer.app.text import number, plain, sentences, text
from explorer.app.views.runs.questions import are_maps, are_sweep, show_count, show_match
from explorer.app.views.runs.rows import name_setting, print_setting
from explorer.codes import latent_name
from explorer.figures.training import compare_curves
from explorer.library import find_lack
from explorer.runs.apart import find_differences, list_settings
from explorer.runs.run import Run

MOST = 6
MEASURES = ("elbo", "reconstruction", "kl")
MAP_HEIGHT = 240


@dataclass(frozen=True)
class Compared:
    """Runs side by side, with the names that tell them apart."""

    runs: tuple[tuple[str, Run], ...]


def compare(runs: Sequence[Run]) -> None:
    """Show up to six runs side by side."""
    if len(runs) > MOST:
        st.caption(text("runs.compare.too_many", most=MOST))
    shown = runs[:MOST]
    names = [name_run(run) for run in shown]
    if len(set(names)) < len(names):
        names = [label_run(run) for run in shown]
    with st.container(key="runs_beside"):
        st.subheader(text("runs.compare", names=text("app.comma").join(map(plain, names))))
    compared = Compared(tuple(zip(names, shown, strict=True)))
    show_sections((DIFFERENCES, *list_questions(shown), *SIDE_BY_SIDE), compared)


def show_differences(compared: Compared) -> None:
    """Show the settings in which the runs differ."""
    settings = {name: list_told(run) for name, run in compared.runs}
    fields = find_differences(list(settings.values()))
    if not fields:
        st.caption(text("runs.compare.same"))
        return
    show_rows(
        "differences",
        text("runs.compare.differs"),
        [
            {
                text("runs.compare.setting"): name_setting(field),
                **{name: print_setting(told.get(field)) for name, told in settings.items()},
            }
            for field in fields
        ],
    )


def list_told(run: Run) -> dict[str, Any]:
    """Return what a run was told, with β as a hand moved it: "1 → 24"."""
    settings = list_settings(run.info)
    beta = find_beta(run)
    return settings | {"objective.beta": describe_beta(run)} if beta and beta.is_moved else settings


def show_curves(compared: Compared) -> None:
    """Show the trainings over their steps."""
    points = {name: run.metrics("train") for name, run in compared.runs}
    if not any(points.values()):
        st.caption(text("runs.compare.no_curves"))
        return
    figure = compare_curves(points, role_colours(), words=sentences("figure."))
    show_chart(figure, "runs_curves", text("runs.compare.caption"))


def show_columns(compared: Compared) -> None:
    """Show each run in a column of its own: one that cannot be read leaves the others."""
    for start in range(0, len(compared.runs), 3):
        row = compared.runs[start : start + 3]
        width = 1 if len(compared.runs) <= 3 else 3 - len(row)
        parts = [Section(partial(_show_one, *named)) for named in row]
        filled = parts if len(compared.runs) <= 3 else [*parts, *[_EMPTY] * width]
        show_beside(filled, compared)


_EMPTY: Section[Compared] = Section(lambda compared: None)


def _show_one(name: str, run: Run, _: Compared) -> None:
    st.markdown(f"**{plain(name)}**")
    _show_figures(run)
    if find_lack(run, ("shares", "codes")) is None:
        st.caption(_describe_verdicts(run))
    if steps := run.snapshot_steps():
        frame = run.snapshot(steps[-1])
        if frame.indices is None:
            show_map(run, frame, f"runs_map_{run.id}", MAP_HEIGHT)
        show_strips(frame)


def _show_figures(run: Run) -> None:
    result = run.info.best_results or get_trace(run).figures
    measures = [name for name in MEASURES if name in result]
    if "kl" not in measures:
        measures = [name for name in measures if name != "elbo"]
    if not measures:
        return
    for cell, measure in zip(st.columns(len(measures)), measures, strict=True):
        value = -result[measure] if measure == "elbo" else result[measure]
        label = text(f"runs.column.{measure}")
        cell.metric(label, number(value), help=text("runs.compare.figures"))


def _describe_verdicts(run: Run) -> str:
    """Say which of a run's dimensions carry information and which are asleep."""
    verdicts = [
        row["verdict"] for row in diagnose_stored(str(run.path), run.fingerprint)["dimensions"]
    ]
    return text("app.comma").join(
        text(
            "runs.compare.verdict",
            verdict=text(f"collapse.verdict.{verdict}"),
            dimensions=" ".join(
                latent_name(at) for at, one in enumerate(verdicts) if one == verdict
            ),
        )
        for verdict in dict.fromkeys(verdicts)
    )


DIFFERENCES = Section(show_differences, title="runs.compare.differs")
ANOTHER_MAP: Section[Compared] = Section(
    lambda compared: show_match(compared.runs), title="questions.map"
)
HOW_MANY: Section[Compared] = Section(
    lambda compared: show_count(compared.runs), title="questions.latents"
)
SIDE_BY_SIDE = (Section(show_curves), Section(show_columns))


def list_questions(runs: Sequence[Run]) -> list[Section[Compared]]:
    """Return the sections of the questions that these runs answer together."""
    asked = ((ANOTHER_MAP, are_maps), (HOW_MANY, are_sweep))
    return [section for section, fits in asked if fits(runs)]
