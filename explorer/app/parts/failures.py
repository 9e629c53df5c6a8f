"""An error that the visitor is meant to read, in the place of what it kept from being shown."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explorer.app.text import explain
from explorer.errors import ExplorerError


@contextmanager
def told() -> Iterator[None]:
    """Show an ExplorerError of what is inside as one sentence; also to be put above a function.

    A fragment needs its own: when it runs by itself, nothing around it does.
    """
    try:
        yield
    except ExplorerError as error:
        st.error(explain(error))
