"""Charts as they stand on every page: the theme's role colours, no toolbar, a caption below."""

import html
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.app.parts.kept import read_widget
from explorer.app.session import is_dark
from explorer.app.text import sentences
from explorer.figures.palette import Roles, choose_roles
from explorer.figures.told import describe_figure

CHART = {"displayModeBar": False}
"""Plotly's configuration of a chart."""


def role_colours() -> Roles:
    """Return the colour of each role in the visitor's theme."""
    return choose_roles(is_dark())


def show_chart(
    figure: go.Figure, key: str, caption: str = "", told: str = "", **options: Any
) -> Any:
    """Show a figure over its caption, in its own colours; return what was selected, if asked for.

    `options` are those of `st.plotly_chart`. What the figure tells goes along in words (`told` in
    place of what is read off it), which the browser makes the chart's name.
    """
    config = CHART | options.pop("config", {})
    event = st.plotly_chart(figure, theme=None, key=key, config=config, **options)
    words = told or describe_figure(figure, sentences("figure."))
    st.html(f'<p class="explorer-told" hidden data-words="{html.escape(words)}"></p>')
    if caption:
        st.caption(caption)
    return event


def clicked_points(key: str) -> list[int]:
    """Return which points of the chart `key` are selected, for the callback of its selection."""
    points: list[int] = read_widget(key)["selection"]["point_indices"]
    return points
