"""What a press in a row of the desk does: another page, or a question."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from explorer.app.cached.desk import get_report
from explorer.app.parts.jobs import go_on, try_or_toast
from explorer.app.session import get_session, library, name_owner
from explorer.app.text import explain, language, plain, text
from explorer.app.views.runs.bin import JUST_DELETED
from explorer.errors import ExplorerError
from explorer.export.archive import zip_run
from explorer.jobs.singly import DOWNLOADS
from explorer.runs.run import Run


def act(action: str, run: Run) -> None:
    """Do what was pressed for a run, if it is one of ours."""
    if action in ACTS:
        ACTS[action](run)


def _explore(run: Run) -> None:
    st.switch_page("views/explore.py", query_params={"model": run.id})


def _codebook(run: Run) -> None:
    query = {"section": "codebook", "vq": run.id}
    st.switch_page("views/models/page.py", query_params=query)


def _diagnose(run: Run) -> None:
    st.switch_page("views/collapse/page.py", query_params={"run": run.id})


def _watch(run: Run) -> None:
    st.switch_page("views/train/page.py", query_params={"run": run.id})


def _go_on(run: Run) -> None:
    if go_on(run):
        get_session().watched = run.id
        _watch(run)


@st.dialog(text("runs.rename"))
def ask_for_name(run: Run) -> None:
    """Ask for a new display name and for tags."""
    name = st.text_input(text("runs.rename.label"), run.name, max_chars=80, key="runs_name")
    tags = st.text_input(text("runs.tags.label"), ", ".join(run.tags), key="runs_tags")
    if st.button(text("runs.rename.save"), key="runs_rename_save", type="primary"):
        _try(partial(_describe, run, name, tags))


def _describe(run: Run, name: str, tags: str) -> None:
    library().describe(run, name, tags.replace("，", ",").replace("、", ",").split(","))


@st.dialog(text("runs.export"))
def offer_archive(run: Run) -> None:
    """Offer the run's folder as one file."""
    if st.button(text("runs.export.prepare"), key="runs_zip", type="primary"):
        st.download_button(
            text("runs.export.save", name=plain(run.id)),
            _pack(run),
            f"{run.id.replace('/', '-')}.zip",
            "application/zip",
            key="runs_download",
        )


def _pack(run: Run) -> bytes:
    with DOWNLOADS.turn(name_owner()):
        return zip_run(run)


@st.dialog(text("runs.report"))
def offer_report(run: Run) -> None:
    """Write the report on a run and offer it as one page."""
    st.caption(text("runs.report.help", name=plain(run.name)))
    try:
        with st.spinner(text("runs.report.wait")):
            page = get_report(run, language())
    except ExplorerError as error:
        st.error(explain(error))
        return
    name = f"{run.id.replace('/', '-')}-report.html"
    st.download_button(
        text("runs.report.save"), page, name, "text/html", key="runs_report", type="primary"
    )


def delete(ids: Sequence[str]) -> None:
    """Move runs to the bin, in a callback; nothing is asked, since it can be undone."""
    JUST_DELETED.put(())
    for run_id in ids:
        try_or_toast(_delete, run_id)


def _delete(run_id: str) -> None:
    JUST_DELETED.put((*JUST_DELETED.get(), library().own.delete(run_id)))


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except ExplorerError as error:
        st.error(explain(error))
    else:
        st.rerun()


ACTS: dict[str, Callable[[Run], None]] = {
    "explore": _explore,
    "codebook": _codebook,
    "diagnose": _diagnose,
    "watch": _watch,
    "go_on": _go_on,
    "rename": ask_for_name,
    "export": offer_archive,
    "report": offer_report,
}
"""What each button of the desk does with one run."""
