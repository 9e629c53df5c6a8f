"""The bin of the desk: taking back what was just deleted, and what else lies there."""

import time

import streamlit as st

from explorer.app.parts.jobs import try_or_toast
from explorer.app.parts.kept import Kept
from explorer.app.parts.names import name_run
from explorer.app.session import library
from explorer.app.text import plain, text
from explorer.errors import ExplorerError
from explorer.runs.bin import KEPT_SECONDS, Binned
from explorer.runs.run import Run

JUST_DELETED: Kept[tuple[Binned, ...]] = Kept("runs_just_deleted", ())
"""What the visitor deleted last, while it can be taken back with one press."""
SHOWN = 30


def show_undo() -> None:
    """Offer to take back what was just deleted."""
    library().own.bin.empty(before=time.time() - KEPT_SECONDS)
    there = {entry.path for entry in library().own.bin.entries()}
    gone = [entry for entry in JUST_DELETED.get() if entry.path in there]
    if not gone:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs_undo_bar"):
        names = plain(name_entry(gone[0])) if len(gone) == 1 else ""
        key = "runs.undo.one" if len(gone) == 1 else "runs.undo.many"
        st.markdown(text(key, name=names, count=len(gone)), width="content")
        st.button(text("runs.undo"), key="runs_undo", on_click=_restore, args=(tuple(gone),))


def show_bin() -> None:
    """List what lies in the bin."""
    entries = library().own.bin.entries()
    if not entries:
        return
    with st.expander(text("runs.bin", count=len(entries)), icon=":material/delete:"):
        st.caption(text("runs.bin.help"))
        for number, entry in enumerate(entries[:SHOWN]):
            with st.container(horizontal=True, vertical_alignment="center"):
                until = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.goes))
                st.markdown(text("runs.bin.entry", name=plain(name_entry(entry)), until=until))
                st.button(
                    text("runs.bin.restore"),
                    key=f"runs_restore_{number}_{entry.path.name}",
                    on_click=_restore,
                    args=((entry,),),
                )
        st.button(text("runs.bin.empty"), key="runs_bin_empty", on_click=library().own.bin.empty)


def name_entry(entry: Binned) -> str:
    """Return what the desk called it, with its moved β; what cannot be read has its name alone."""
    try:
        return name_run(Run(entry.path / "run", entry.id))
    except ExplorerError:
        return entry.name


def _restore(entries: tuple[Binned, ...]) -> None:
    for entry in entries:
        try_or_toast(library().own.bin.restore, entry)
    JUST_DELETED.forget()
