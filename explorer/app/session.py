"""The one lasting state of a visitor, typed; widgets keep their own values by key."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.errors import ExplorerError
from explorer.jobs.uploads import U
from explorer.library import Library
from explorer.visitors.house import get_house
from explorer.visitors.passes import Visitor

CHOSEN = "lang"
"""The chosen language's name in the address and in the visitor's session."""
PASS = "latent_explorer_pass"
"""The cookie that says who somebody is."""


@dataclass
class Session:
    """What a visitor's pages share."""

    watched: str | None = None
    """Id of the run on the Train page."""
    notice: str | None = None
    """One sentence to show after the next rerun."""
    fits: dict[str, bool] = field(default_factory=dict)
    """Linear models that the visitor had fitted on Models, by id of their run: whether each has
    stood beside the others yet."""
    drawn: set[str] = field(default_factory=set)
    """Ids of the models whose maps have stood on Models: they need no outline any more."""


def get_session() -> Session:
    """Return this visitor's session, made at first use."""
    if "session" not in st.session_state:
        st.session_state["session"] = Session()
    session: Session = st.session_state["session"]
    return session


def chosen_language() -> str | None:
    """Return the language that the visitor chose in this session, None before that."""
    chosen: str | None = st.session_state.get(CHOSEN)
    return chosen


def library() -> Library:
    """Return the visitor's runs, images and jobs; the server of one user has one for all."""
    house = get_house()
    return Library() if house is None else house.library(get_visitor())


def get_visitor() -> Visitor:
    """Return who looks at this page of a server with visitors, by the pass in their cookie."""
    house = get_house()
    visitor = None
    if house is not None:
        visitor = house.passes.read(st.context.cookies.get(PASS, ""))
    if visitor is None:
        raise ExplorerError("Your visit is over: load the page again.")
    return visitor


def name_owner() -> str:
    """Return what tells this visitor from others wherever something is handed out by content."""
    return "" if get_house() is None else get_visitor().id


def name_visit() -> str:
    """Return what tells this visit from the others of the server, "" outside a running page."""
    context = get_script_run_ctx(suppress_warning=True)
    return "" if context is None else context.session_id


def choose_own(uploads: Iterable[U]) -> list[U]:
    """Return the uploads of this visit, and those that a visit which is over has left behind.

    A page that is loaded again is another visit: it finds what it had handed over before.
    """
    here = name_visit()
    return [
        upload
        for upload in uploads
        if upload.owner in ("", here)
        or not (runtime.exists() and runtime.get_instance().is_active_session(upload.owner))
    ]


def is_dark() -> bool:
    """Tell whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"
