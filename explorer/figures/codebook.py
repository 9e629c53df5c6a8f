"""A VQ-VAE's codes in pictures: the grid of codes, the codebook, its usage, what a swap changed."""

import colorsys
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from explorer.figures.palette import Roles
from explorer.figures.pictures import data_uri, encode_png, picture_sheet
from explorer.figures.style import apply_style

CHANGE = 0.08
"""Change in grey value from which a pixel is tinted in full."""


def entry_colours(entries: int) -> list[str]:
    """Return a colour for each of S entries: hues by the golden ratio, apart for neighbours."""
    colours = []
    for entry in range(entries):
        hue = entry * 0.61803398875 % 1
        rgb = colorsys.hls_to_rgb(hue, 0.3 + 0.07 * (entry % 3), 0.5)
        colours.append(f"rgb({', '.join(str(round(255 * part)) for part in rgb)})")
    return colours


def code_grid_figure(
    grid: np.ndarray,
    entries: int,
    roles: Roles,
    words: Mapping[str, str],
    *,
    chosen: int | None = None,
    changed: np.ndarray | None = None,
    height: int = 300,
) -> go.Figure:
    """Return a grid of codes (rows, columns) as coloured squares with their numbers.

    `chosen` is a position that is outlined, `changed` (rows, columns) the codes that were swapped
    by hand. A click selects a square, whose place in the figure's points is its position. `words`
    has hover, a sentence with %{y}, %{x} and %{text}.
    """
    rows, columns = grid.shape
    y, x = np.divmod(np.arange(grid.size), columns)
    colours = entry_colours(entries)
    flat = grid.ravel()
    side = 0.86 * (height - 20) / max(rows, columns)
    lines = np.zeros(grid.size)
    if changed is not None:
        lines[changed.ravel()] = 2.5
    if chosen is not None:
        lines[chosen] = 3.5
    figure = go.Figure(
        go.Scatter(
            x=x + 1,
            y=y + 1,
            mode="markers+text",
            text=[str(value) for value in flat],
            textfont={"size": 12 if side > 26 else 9, "color": "#ffffff"},
            marker={
                "symbol": "square",
                "size": side,
                "color": [colours[value] for value in flat],
                "line": {"color": roles.latent, "width": lines},
                "opacity": 1,
            },
            hovertemplate=words["hover"] + "<extra></extra>",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )
    apply_style(figure, roles, height)
    figure.update_layout(
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        dragmode=False,
        clickmode="event+select",
        width=round(height * columns / rows),
    )
    figure.update_xaxes(visible=False, range=[0.5, columns + 0.5], fixedrange=True)
    figure.update_yaxes(visible=False, range=[rows + 0.5, 0.5], fixedrange=True)
    return figure


def codebook_figure(
    pictures: np.ndarray,
    shares: np.ndarray,
    roles: Roles,
    words: Mapping[str, str],
    *,
    chosen: int | None = None,
    columns: int = 16,
    width: int = 640,
) -> go.Figure:
    """Return the codebook as a sheet of what its entries paint, (S, C, h, w) in [0, 1].

    A click selects an entry. `shares` (S,) are their shares of all choices, `words` has hover, with
    %{customdata[0]} the entry and %{customdata[1]} its share.
    """
    count = len(pictures)
    rows = -(-count // columns)
    sheet = picture_sheet((255 * pictures).round().astype(np.uint8), columns)
    cell = width / columns
    y, x = np.divmod(np.arange(count), columns)
    lines = np.zeros(count)
    if chosen is not None:
        lines[chosen] = 3
    figure = go.Figure(
        go.Scatter(
            x=x + 0.5,
            y=y + 0.5,
            mode="markers",
            customdata=np.stack([np.arange(count), shares], 1),
            marker={
                "symbol": "square",
                "size": 0.9 * cell,
                "color": "rgba(0,0,0,0)",
                "line": {"color": roles.latent, "width": lines},
            },
            hovertemplate=words["hover"] + "<extra></extra>",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )
    figure.add_layout_image(
        source=data_uri(encode_png(sheet, 4)),
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=columns,
        sizey=rows,
        sizing="stretch",
        layer="below",
    )
    apply_style(figure, roles, round(rows * cell) + 8)
    figure.update_layout(
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        dragmode=False,
        clickmode="event+select",
    )
    figure.update_xaxes(visible=False, range=[0, columns], fixedrange=True)
    figure.update_yaxes(visible=False, range=[rows, 0], fixedrange=True)
    return figure


def usage_bars(
    shares: np.ndarray,
    roles: Roles,
    words: Mapping[str, str],
    *,
    chosen: int | None = None,
    height: int = 220,
) -> go.Figure:
    """Return how often each entry is chosen, (S,) shares, largest first, and an even use.

    `words` has entry, share and even.
    """
    order = np.argsort(-shares, kind="stable")
    colours = [roles.latent if entry == chosen else roles.mean for entry in order]
    figure = go.Figure(
        go.Bar(
            x=np.arange(len(order)),
            y=100 * shares[order],
            marker={"color": colours},
            customdata=order,
            hovertemplate=f"{words['entry']} %{{customdata}}: %{{y:.2f}} %<extra></extra>",
        )
    )
    even = 100 / len(shares)
    figure.add_hline(y=even, line={"color": roles.gap, "dash": "dash", "width": 1.5})
    figure.add_annotation(
        x=1,
        xref="paper",
        y=even,
        text=words["even"],
        showarrow=False,
        xanchor="right",
        yanchor="bottom",
        font={"size": 12, "color": roles.text},
    )
    figure.update_layout(bargap=0.15)
    figure.update_xaxes(title=words["entries"], showticklabels=False)
    figure.update_yaxes(title=words["share"], rangemode="tozero")
    return apply_style(figure, roles, height)


def tint_changes(before: np.ndarray, after: np.ndarray, colour: str) -> np.ndarray:
    """Return `after` (C, H, W) in [0, 1] as uint8 (H, W, 3), its changed pixels in `colour`.

    Brighter pixels take the colour, darker ones a dim shade of it, so that both are seen.
    """
    picture = np.repeat(after, 3, 0) if len(after) == 1 else after[:3]
    picture = picture.transpose(1, 2, 0)
    change = (after - before).mean(0)
    tint = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    strength = np.clip(np.abs(change) / CHANGE, 0, 1)[..., None] * 0.75
    shade = np.where(change[..., None] >= 0, 0.45 + 0.55 * picture, 0.45) * tint
    mixed = (1 - strength) * picture + strength * shade
    return np.asarray((255 * mixed.clip(0, 1)).round(), np.uint8)
