"""Charts as they stand on every page: the theme's role colours, no toolbar, a caption below."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.app.parts.kept import read_widget
from explorer.app.session import is_dark
from explorer.figures.palette import Roles, choose_roles

CHART = {"displayModeBar": False}
"""Plotly's configuration of a chart."""


def role_colours() -> Roles:
    """Return the colour of each role in the visitor's theme."""
    return choose_roles(is_dark())


def show_chart(figure: go.Figure, key: str, caption: str = "", **options: Any) -> Any:
    """Show a figure over its caption, in its own colours; return what was selected, if asked for.

    `options` are those of `st.plotly_chart`.
    """
    event = st.plotly_chart(figure, theme=None, key=key, config=CHART, **options)
    if caption:
        st.caption(caption)
    return event


def clicked_points(key: str) -> list[int]:
    """Return which points of the chart `key` are selected, for the callback of its selection."""
    points: list[int] = read_widget(key)["selection"]["point_indices"]
    return points
