"""Reveal the picture: what is known of z when only some pixels are."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.inference.raster import frame_square, raster_density
from explorer.analysis.inference.reveal import Knowledge, Reveal, order_pixels, uncover
from explorer.app.cached import main_axes
from explorer.app.cached.elbo_sections import get_knowledge, get_reveal, observation_key
from explorer.app.observation import Observation
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.kept import Kept
from explorer.app.parts.pixels import pixel_brush, visible_pixels
from explorer.app.text import paragraph, sentences, text
from explorer.app.views.elbo.beliefs import WINDOW, map_codes, rasterise
from explorer.app.views.elbo.shared import find_way, read_uncovered, write_uncovered
from explorer.codes import latent_name
from explorer.figures.elbo_reveal import (
    belief_line,
    belief_map,
    knowledge_curve,
    tint_completions,
)
from explorer.figures.pictures import data_uri, encode_png, picture_sheet

COMPLETIONS = 12
COLUMNS = 6
SHARE = 0.36
RASTER = 121
SMALL = 0.3
"""A belief that spans less of the map than this is magnified."""
HISTORY = 400


def show_reveal(observation: Observation) -> None:
    """Lay out the section."""
    # Keyed, so that the style sheet keeps it from fading while the next belief is computed.
    with st.container(key="elbo_reveal_body"):
        st.fragment(_show)(observation)


def _show(observation: Observation) -> None:
    # A run's name may hold what a component's key must not.
    stamp = hashlib.sha256(repr(observation_key(observation)).encode()).hexdigest()[:12]
    key = f"elbo_reveal_{stamp}"
    controls, map_column, answers = st.columns([0.9, 1.45, 1.25], gap="medium")
    with st.spinner(text("elbo_reveal.preparing")):
        reveal = get_reveal(observation)
    start = _first_rows(reveal.shape)
    opened = read_uncovered(reveal.shape, observation.index, start)
    mask = visible_pixels(reveal.shape, key, opened)
    write_uncovered(mask, observation.index, start)
    way = find_way(mask, observation.index)
    known = get_knowledge(observation, mask)
    draws = known.draw(COMPLETIONS, seed=int(mask.sum()))
    with map_column:
        _show_belief(observation, reveal, known, draws)
    with answers:
        _show_completions(reveal, draws, mask)
        _show_knowledge(known, mask, f"{key}_{way}")
    with controls:
        picture = (255 * reveal.picture.clip(0, 1)).round().astype(np.uint8)
        random_order = order_pixels(reveal.shape, "random", observation.index).tolist()
        pixel_brush(
            picture, random_order, sentences("elbo_reveal.words."), key=key, mode=way, start=mask
        )
        st.caption(text("elbo_reveal.caption"))


def _first_rows(shape: tuple[int, ...]) -> np.ndarray:
    rows, width = shape[-2:]
    return uncover(shape, order_pixels(shape, "rows"), round(SHARE * rows) * width)


def _show_belief(
    observation: Observation, reveal: Reveal, known: Knowledge, draws: np.ndarray
) -> None:
    roles, words = role_colours(), sentences("elbo_reveal.words.")
    if reveal.latents == 1:
        axis = np.linspace(-WINDOW, WINDOW, 8 * RASTER)
        density = raster_density(known.points, known.weights, known.spacing, axis)
        prior = np.exp(-(axis**2) / 2) / np.sqrt(2 * np.pi)
        figure = belief_line(axis, density, prior, draws[:, 0], roles, words)
    else:
        figure = _draw_map(observation, known, draws)
    show_chart(figure, "elbo_reveal_map")
    notes = [text("elbo_reveal.map.caption" if known.is_exact else "elbo_reveal.map.draws")]
    if reveal.latents > 2:
        first, second = main_axes(observation.run)
        notes.append(text("elbo_reveal.axes", first=latent_name(first), second=latent_name(second)))
    if not known.trusted:
        key = "uncertified" if known.is_exact else "few"
        count = len(known.points)
        st.warning(text(f"elbo_reveal.{key}", ess=known.ess, error=known.error, draws=count))
    st.caption(paragraph(*notes))


def _draw_map(observation: Observation, known: Knowledge, draws: np.ndarray) -> Any:
    axes = main_axes(observation.run)
    shown, labels = map_codes(observation, axes)
    reach = WINDOW
    if shown is not None:
        reach = max(WINDOW, float(np.quantile(np.abs(shown), 0.998)))
    reach = max(reach, float(np.abs(known.mean[list(axes)]).max()) + 0.5)
    belief = magnified = None
    if known.is_exact:
        axis = np.linspace(-reach, reach, RASTER)
        nodes = known.points, known.weights
        belief = rasterise(*nodes, known.spacing, axis, axis)
        square = frame_square(*nodes, RASTER)
        if np.ptp(square[0]) < SMALL * 2 * reach:
            magnified = rasterise(*nodes, known.spacing, *square)
    return belief_map(
        belief,
        draws[:, axes],
        shown,
        labels,
        role_colours(),
        sentences("elbo_reveal.words."),
        window=(-reach, reach),
        magnified=magnified,
        names=(latent_name(axes[0]), latent_name(axes[1])),
    )


def _show_completions(reveal: Reveal, draws: np.ndarray, mask: np.ndarray) -> None:
    pictures = reveal.complete(draws, mask)
    tinted = tint_completions(pictures, mask, role_colours().reconstruction)
    sheet = picture_sheet(tinted, COLUMNS, gap=1)
    uri = data_uri(encode_png(sheet, max(1, 400 // sheet.shape[1])))
    caption = text("elbo_reveal.completions")
    st.html(
        f'<div class="explorer-strip"><figure><img src="{uri}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure></div>"
    )


def _show_knowledge(known: Knowledge, mask: np.ndarray, key: str) -> None:
    past: Kept[Mapping[int, float]] = Kept(f"{key}_history", {})
    count, total = int(mask.sum()), mask.size
    if len(past.get()) < HISTORY:
        past.put({**past.get(), count: known.information})
    history = past.get()
    st.html(
        '<div class="explorer-identity">'
        + text(
            "elbo_reveal.knowledge",
            information=known.information,
            entropy=known.entropy,
            log_px=known.log_px,
        )
        + "</div>"
    )
    counts = sorted(history)
    figure = knowledge_curve(
        counts,
        [history[c] for c in counts],
        (count, known.information),
        total,
        role_colours(),
        sentences("elbo_reveal.words."),
    )
    show_chart(figure, "elbo_reveal_curve", text("elbo_reveal.curve.caption"))
