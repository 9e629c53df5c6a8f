"""A visitor's place on a server of many: what they may have, their link; the lecturer's class."""

import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import streamlit as st

from explorer.app.admission import ENTER
from explorer.app.parts.jobs import press
from explorer.app.session import get_visitor, library
from explorer.app.text import plain, text
from explorer.export.archive import zip_runs
from explorer.files import describe_bytes
from explorer.jobs.singly import DOWNLOADS
from explorer.runs.run import Run
from explorer.visitors.house import House, get_house
from explorer.visitors.library import measure_bytes
from explorer.visitors.passes import Visitor

SHOWN_VISITORS = 100
SHORT_ID = 6
"""Digits of an id by which the lecturer tells visitors apart; nobody comes in by them."""


def show_visit() -> None:
    """Show a visitor their place, and the lecturer the class; nothing on the server of one user."""
    house = get_house()
    if house is None:
        return
    visitor = get_visitor()
    if visitor.is_lecturer:
        _show_class(house)
    else:
        _show_place(house, visitor)


def _show_place(house: House, visitor: Visitor) -> None:
    limits = house.limits_of(visitor.id)
    with st.expander(text("visit.title"), icon=":material/person:", expanded=True):
        st.markdown(
            text(
                "visit.limits",
                runs=round(limits.runs),
                size=describe_bytes(limits.megabytes * 1e6),
                used=describe_bytes(measure_bytes(house.home_of(visitor))),
                waiting=round(limits.waiting),
                seconds=round(limits.seconds),
                parameters=f"{limits.parameters:,.0f}",
            )
        )
        largest = describe_bytes(limits.upload_megabytes * 1e6)
        allowed = house.mode.uploads
        st.markdown(text("visit.uploads", size=largest) if allowed else text("visit.no_uploads"))
        st.markdown(text("visit.goes", hours=f"{limits.days * 24:.3g}"))
        runs = [run for run in library().runs() if library().is_own(run)]
        if runs and st.button(text("visit.zip"), key="visit_zip"):
            with DOWNLOADS.turn(visitor.id):
                packed = zip_runs(runs)
            st.download_button(
                text("visit.zip.save"),
                packed,
                "all-runs.zip",
                "application/zip",
                key="visit_zip_save",
            )
        st.markdown(text("visit.link"))
        st.code(_write_link(house, visitor), language=None)


def _write_link(house: House, visitor: Visitor) -> str:
    """Return the address by which another device is this visitor's."""
    here = urlsplit(st.context.url or "")
    base = st.get_option("server.baseUrlPath") or ""
    path = "/".join(part for part in ("", base.strip("/"), ENTER) if part or not base)
    return f"{here.scheme}://{here.netloc}/{path.lstrip('/')}?pass={house.passes.write(visitor)}"


def _show_class(house: House) -> None:
    with st.expander(text("visit.class"), icon=":material/groups:", expanded=True):
        st.caption(text("visit.class.help"))
        _list_visitors(house)
        _share(house)


@st.fragment(run_every=5.0)
def _list_visitors(house: House) -> None:
    present = house.present()
    if not present:
        st.markdown(text("visit.class.none"))
    for one in present[:SHOWN_VISITORS]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                text(
                    "visit.class.row",
                    name=one.id[:SHORT_ID],
                    runs=one.runs,
                    jobs=one.jobs,
                    minutes=int((time.time() - one.seen) // 60),
                    times=one.times,
                )
            )
            st.button(
                text("visit.class.stop"),
                key=f"visit_stop_{one.id}",
                disabled=not one.jobs,
                on_click=press,
                args=(house.stop_jobs, one.id),
            )
            st.button(
                text("visit.class.extend"),
                key=f"visit_extend_{one.id}",
                on_click=press,
                args=(house.extend, one.id),
            )


def _share(house: House) -> None:
    """Let the lecturer choose what all see."""
    own = {run.id: run for run in library().runs() if library().is_own(run)}
    if own:
        _offer_to_share(house, own)
    else:
        st.caption(text("visit.class.share.none"))
    for run in house.shared.list():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(text("visit.class.shared", name=plain(run.name)))
            st.button(
                text("visit.class.withdraw"),
                key=f"visit_withdraw_{run.id}",
                on_click=press,
                args=(house.withdraw, run.id),
            )


def _offer_to_share(house: House, own: Mapping[str, Run]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            text("visit.class.share"),
            list(own),
            key="visit_share",
            format_func=lambda run_id: own[run_id].name,
        )
        st.button(
            text("visit.class.share.go"),
            key="visit_share_go",
            disabled=chosen is None,
            on_click=press,
            args=(_share_run, house, chosen),
        )


def _share_run(house: House, run_id: str) -> None:
    house.share(library().own.open(run_id))
