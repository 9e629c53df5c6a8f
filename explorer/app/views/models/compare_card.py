"""One model of the comparison: its heading, map, reconstructions and samples."""

import html
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.app.cached import get_codes, get_run_with_model, main_axes
from explorer.app.cached.compare import (
    get_backdrop,
    get_draws,
    get_hole_map,
    get_holes,
    get_images,
    reconstruct,
)
from explorer.app.parts.adopted import describe_weighed_beta
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.names import name_run
from explorer.app.parts.pictures import show_pairs, show_row
from explorer.app.text import sentences, text
from explorer.codes import Array, latent_name
from explorer.config import FITS, Config
from explorer.facts import LATENTS, PRIORS
from explorer.figures.compare import Square, small_map
from explorer.runs.run import Run

SHOWN_IMAGES = 8
SHOWN_CODES = 800
SHOWN_DRAWS = 120


def name_kind(config: Config) -> str:
    """Return which of the notes' models a config is."""
    if config.method in FITS:
        return config.method
    if has_noise(config):
        return "noise"
    prior = config.model.prior
    return LATENTS[config.model.latent].called if PRIORS[prior].has_shares else prior


def has_noise(config: Config) -> bool:
    """Tell whether fixed noise is added to the codes."""
    return LATENTS[config.model.latent].takes_noise and config.model.noise > 0


def kind_of(run: Run) -> str:
    """Return which of the notes' models a run is."""
    config = run.info.config
    # Of a model that was made elsewhere q(z|x) is a normal, and the prior N(0, I).
    return "vae" if config is None else name_kind(config)


def describe(run: Run) -> str:
    """Return the line under a model's heading."""
    info = run.info
    config = info.config
    values: dict[str, Any] = {"name": name_run(run), "latents": info.latent_dim}
    if info.latent_dim > 2 and info.is_continuous:
        first, second = map(latent_name, main_axes(run))
        values["name"] += " " + text("compare.many", first=first, second=second)
    if config is None and (beta := describe_weighed_beta(run)):
        return text("compare.under_beta", beta=beta, **values)
    if config is None or config.method in FITS:
        return text("compare.under", **values)
    if not info.is_continuous:
        return text("compare.under_codes", codes=config.model.codebook, **values)
    if has_noise(config):
        return text("compare.under_noise", noise=config.model.noise, **values)
    if info.has_density:
        return text("compare.under_beta", beta=f"{config.objective.beta:g}", **values)
    return text("compare.under", **values)


def show_model(
    run: Run,
    images: Array | None,
    square: Square | None,
    behind: str,
    source: str,
    order: str,
    height: int,
    place: DeltaGenerator,
) -> None:
    """Show one model below its heading: map in `place` of its outline, reconstructions, samples."""
    show_map(run, square, behind, source, height, place)
    if images is not None and images.shape[1:] == get_run_with_model(run).model.shape:
        show_pairs(images, reconstruct(run, images), text("compare.strip"))
    show_samples(run, source, order)


def show_heading(run: Run) -> None:
    """Show which of the notes' models it is, and its name."""
    heading, under = html.escape(text("compare.kind." + kind_of(run))), html.escape(describe(run))
    st.html(
        f'<div class="explorer-model"><strong>{heading}</strong>'
        f'<small title="{under}">{under}</small></div>'
    )


def hold_place(height: int | None) -> DeltaGenerator:
    """Return the place of a map, with its outline of `height` pixels; None for no outline.

    A map that stands already is drawn again over itself, and never gives way to an outline.
    """
    place = st.empty()
    if height is not None:
        place.html(
            '<div class="explorer-skeleton" style="min-height: 0" aria-hidden="true">'
            f'<i style="height: {height}px"></i></div>'
        )
    return place


def show_map(
    run: Run,
    square: Square | None,
    behind: str,
    source: str,
    height: int,
    place: DeltaGenerator,
) -> None:
    """Show the codes of one model in `place` of its outline, or say why there is no map."""
    config, codes = run.info.config, get_codes(run)
    if square is None or codes is None:
        place.empty()
        entries = 0 if config is None else config.model.codebook
        words = text("compare.no_map", positions=run.info.latent_dim, codes=entries)
        st.html(f'<div class="explorer-nomap" style="height:{height}px">{html.escape(words)}</div>')
        return
    axes = main_axes(run)
    pictures = holes = None
    flat = run.info.latent_dim >= 2
    if behind == "pictures" and flat:
        pictures = get_backdrop(run, square, axes)
    if behind == "holes" and flat:
        measured, distances = get_holes(run, source), get_hole_map(run, square, axes)
        if measured is not None and distances is not None:
            holes = distances > measured.threshold
    shown = np.linspace(0, len(codes.mean) - 1, min(SHOWN_CODES, len(codes.mean))).astype(int)
    drawn = get_draws(run, source)[0][:SHOWN_DRAWS, list(axes)] if flat else None
    figure = small_map(
        codes.mean[shown],
        None if codes.labels is None else codes.labels[shown],
        run.info.dataset.class_names if run.info.dataset else (),
        role_colours(),
        square,
        axes=axes if flat else (0, 0),
        drawn=drawn,
        drawn_name=text("compare.random"),
        pictures=pictures,
        holes=holes,
        rings=run.info.has_shares,
        height=height,
        words=sentences("figure."),
    )
    place.empty()
    show_chart(figure, f"compare_map_{run.id}")


def show_samples(run: Run, source: str, order: str) -> None:
    """Show decoded random codes: as drawn, or those unlike any image first."""
    if not run.info.is_continuous:
        source = "prior"
    _, pictures = get_draws(run, source)
    holes = get_holes(run, source) if order == "worst" else None
    if holes is None:
        show_row(pictures[: 2 * SHOWN_IMAGES], text("compare.drawn"), SHOWN_IMAGES)
        return
    worst = np.argsort(-holes.distances)[:SHOWN_IMAGES]
    nearest = get_images(run)[0][holes.nearest[worst]]
    show_pairs(pictures[worst], nearest, text("compare.drawn_worst"))
