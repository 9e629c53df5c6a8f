"""Runs: one table of what was trained; open, compare two, rename, export, delete."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from explorer.app.parts.address import refuse, write_address
from explorer.app.parts.beta import describe_beta
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.film import show_strips
from explorer.app.parts.kept import Kept, is_shown
from explorer.app.parts.lede import show_lede
from explorer.app.parts.names import label_run, name_likelihood
from explorer.app.parts.own_model import offer_own_model
from explorer.app.parts.sections import Section, show_beside, show_sections
from explorer.app.parts.tables import show_rows
from explorer.app.parts.ways import offer_map
from explorer.app.session import library
from explorer.app.text import explain, number, plain, sentences, text
from explorer.errors import ExplorerError
from explorer.export.archive import zip_run
from explorer.figures.training import compare_curves
from explorer.runs.run import Run

MEASURES = ("elbo", "reconstruction", "kl")
"""Columns in nats per image."""
SHOWN_UNREADABLE = 30
TABLE, TICKED = "runs_table", "ticked"
"""The table's key, and what the address calls its ticked rows."""
ASKED: Kept[tuple[str, ...]] = Kept("runs_asked", ())
"""Ids of the runs that the address ticked: the table stands on them until it is touched."""


def describe(run: Run, kind: str) -> dict[str, object]:
    """Return a row of the table."""
    info = run.info
    result = info.best_results
    return {
        text("runs.column.name"): run.name,
        text("runs.column.kind"): text(f"runs.kind.{kind}"),
        text("runs.column.dataset"): info.dataset.name if info.dataset else None,
        text("runs.column.latents"): info.latent_dim,
        text("runs.column.likelihood"): name_likelihood(info) or None,
        text("runs.column.beta"): describe_beta(run),
        text("runs.column.state"): text("state." + info.status.shown_state()),
        text("runs.column.elbo"): -result["elbo"] if {"elbo", "kl"} <= set(result) else None,
        text("runs.column.reconstruction"): result.get("reconstruction"),
        text("runs.column.kl"): result.get("kl"),
        text("runs.column.steps"): info.status.step,
        text("runs.column.id"): run.id,
        text("runs.column.created"): time.strftime("%Y-%m-%d %H:%M", time.localtime(info.created)),
    }


def choose_runs() -> list[tuple[Run, str]]:
    """Show the table and return the ticked runs with their kind."""
    listed = library().runs()
    runs = [(run, "own") for run in listed if library().is_own(run)]
    if not runs:
        st.info(text("runs.empty"), icon=":material/folder_open:")
    shipped = [run for run in listed if not library().is_own(run)]
    shipped.sort(key=lambda run: ("/" in run.id, run.id))
    runs += [(run, "pretrained") for run in shipped]
    if not runs:
        return []
    event = show_rows(
        [describe(run, kind) for run, kind in runs],
        {text(f"runs.column.{name}"): ".2f" for name in MEASURES},
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": find_asked([run.id for run, _ in runs])}},
        key=TABLE,
    )
    st.caption(text("runs.caption"))
    chosen = [runs[index] for index in event["selection"]["rows"] if index < len(runs)]
    write_address(TICKED, ",".join(run.id for run, _ in chosen), "")
    return chosen


def find_asked(ids: Sequence[str]) -> list[int]:
    """Return the rows that the address ticked when the table came on the page."""
    if not is_shown(TABLE):
        asked = st.query_params.get(TICKED, "")
        ASKED.put(tuple(asked.split(",")) if asked else ())
        if not set(ASKED.get()) <= set(ids):
            refuse(TICKED)
    return [row for row, run_id in enumerate(ids) if run_id in ASKED.get()]


def act_on_one(run: Run, kind: str) -> None:
    """Show what can be done with one run."""
    with st.container(horizontal=True):
        if run.info.has_model and run.info.status.state == "finished":
            offer_map(run, "runs", text("runs.explore"))
        if st.button(text("runs.watch"), key="runs_watch"):
            st.switch_page("views/train/page.py", query_params={"run": run.id})
        if kind == "own" and st.button(text("runs.rename"), key="runs_rename"):
            ask_for_name(run)
        with st.popover(text("runs.export")):
            if st.button(text("runs.export.prepare"), key="runs_zip"):
                st.download_button(
                    text("runs.export.save", name=plain(run.id)),
                    zip_run(run),
                    f"{run.id.replace('/', '-')}.zip",
                    "application/zip",
                    key="runs_download",
                )
        if kind == "own" and st.button(text("runs.delete"), key="runs_delete"):
            confirm_deletion([run])
    if kind == "pretrained":
        st.caption(text("runs.shipped"))


@st.dialog(text("runs.rename"))
def ask_for_name(run: Run) -> None:
    """Ask for a new display name."""
    name = st.text_input(text("runs.rename.label"), run.name, max_chars=80, key="runs_name")
    if st.button(text("runs.rename.save"), key="runs_rename_save", type="primary"):
        _try(lambda: run.rename(name))


@st.dialog(text("runs.delete.title"))
def confirm_deletion(runs: Sequence[Run]) -> None:
    """Ask before runs are removed."""
    st.write(
        text("runs.delete.sure", name=plain(runs[0].name))
        if len(runs) == 1
        else text("runs.delete.sure_many", count=len(runs))
    )
    with st.container(horizontal=True):
        if st.button(text("runs.delete.yes"), key="runs_delete_yes", type="primary"):
            _try(partial(_delete, runs))
        if st.button(text("runs.delete.no"), key="runs_delete_no"):
            st.rerun()


@dataclass(frozen=True)
class Pair:
    """Two runs side by side, with the names that tell them apart."""

    first: Run
    second: Run
    names: tuple[str, str]

    @property
    def runs(self) -> list[tuple[str, Run]]:
        """Both with their names."""
        return list(zip(self.names, (self.first, self.second), strict=True))


def compare(first: Run, second: Run) -> None:
    """Show two runs side by side: figures, curves, pictures."""
    names = (first.name, second.name)
    if names[0] == names[1]:
        names = (label_run(first), label_run(second))
    st.subheader(text("runs.compare", first=plain(names[0]), second=plain(names[1])))
    show_sections(COMPARED, Pair(first, second, names))


def show_curves(pair: Pair) -> None:
    """Show both trainings over their steps."""
    points = {name: run.metrics("train") for name, run in pair.runs}
    if not any(points.values()):
        st.caption(text("runs.compare.no_curves"))
        return
    figure = compare_curves(points, role_colours(), words=sentences("figure."))
    show_chart(figure, "runs_curves", text("runs.compare.caption"))


def show_both(pair: Pair) -> None:
    """Show each run in a column of its own: one that cannot be read leaves the other."""
    show_beside([Section(partial(_show_one, *named)) for named in pair.runs], pair)


def _show_one(name: str, run: Run, _: Pair) -> None:
    st.markdown(f"**{plain(name)}**")
    result = run.info.best_results
    cells = {key: result[key] for key in MEASURES if result and key in result}
    if "kl" not in cells:
        cells.pop("elbo", None)
    if cells:
        places = st.columns(len(cells))
        for cell, (measure, value) in zip(places, cells.items(), strict=True):
            shown = number(-value if measure == "elbo" else value)
            label = text(f"runs.column.{measure}")
            cell.metric(label, shown, help=text("runs.compare.figures"))
    steps = run.snapshot_steps()
    if steps:
        show_strips(run.snapshot(steps[-1]))


COMPARED = (Section(show_curves), Section(show_both))


def _delete(runs: Sequence[Run]) -> None:
    for run in runs:
        library().own.delete(run.id)


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except ExplorerError as error:
        st.error(explain(error))
    else:
        st.rerun()


def show_oddities() -> None:
    """Name runs that stand in a shipped one's place, and folders that are no runs, with why."""
    own, shipped = library().own, library().shipped
    if taken := [plain(run.id) for run in shipped.list() if own.has(run.id)]:
        st.caption(text("runs.taken", names=text("app.comma").join(taken)))
    unreadable = own.survey()[1]
    if not unreadable:
        return
    with st.expander(text("runs.unreadable", count=len(unreadable)), icon=":material/error:"):
        st.caption(text("runs.unreadable.help"))
        for entry in unreadable[:SHOWN_UNREADABLE]:
            reason = text(f"runs.unreadable.{entry.reason.code}", detail=plain(entry.reason.detail))
            st.markdown(f"- **{plain(entry.id)}**: {reason}")


def act_on_many(chosen: Sequence[tuple[Run, str]]) -> None:
    """Show what can be done with several runs: remove them, or compare the first two."""
    if all(kind == "own" for _, kind in chosen) and st.button(
        text("runs.delete_many", count=len(chosen)), key="runs_delete_many"
    ):
        confirm_deletion([run for run, _ in chosen])
    if len(chosen) > 2:
        st.caption(text("runs.compare.too_many"))
    compare(chosen[0][0], chosen[1][0])


def act_on(chosen: Sequence[tuple[Run, str]]) -> None:
    """Show what can be done with the ticked: with one, or with several."""
    if len(chosen) == 1:
        act_on_one(*chosen[0])
    elif chosen:
        act_on_many(chosen)


BELOW: tuple[Section[Sequence[tuple[Run, str]]], ...] = (
    Section(lambda chosen: show_oddities()),
    Section(act_on),
)


def show_page() -> None:
    """Lay out the page: the table, what is odd in the folder, what can be done with the ticked."""
    show_lede("runs.lede")
    st.caption(text("runs.lead", folder=plain(library().own.folder)))
    offer_own_model("runs_own_model")
    show_sections(BELOW, choose_runs())


show_page()
