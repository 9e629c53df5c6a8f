"""The look that all Plotly figures share."""

import html

import plotly.graph_objects as go

from explorer.figures.palette import Roles

FONT = "Source Sans, Source Sans Pro, system-ui, sans-serif"


def as_label(words: str) -> str:
    """Return what others wrote, a class's name or a run's, so that Plotly reads no markup in it."""
    return html.escape(words, quote=False)


def apply_style(figure: go.Figure, roles: Roles, height: int) -> go.Figure:
    """Return `figure` with the shared margins, fonts, grid and transparent ground."""
    figure.update_layout(
        height=height,
        margin={"l": 48, "r": 10, "t": 8, "b": 38},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": roles.text},
        legend={
            "orientation": "h",
            "y": 1.0,
            "yanchor": "bottom",
            "x": 0,
            "font": {"size": 11},
            "tracegroupgap": 0,
            "itemwidth": 30,
        },
        hoverlabel={"font": {"family": FONT}},
        uirevision="kept",
    )
    axis = {
        "gridcolor": roles.grid,
        "zerolinecolor": roles.grid,
        "linecolor": roles.grid,
        "title_standoff": 6,
        "title_font": {"size": 12},
        "tickfont": {"size": 11},
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure
