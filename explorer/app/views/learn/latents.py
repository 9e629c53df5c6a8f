"""Chapter 1: why latents, and why not generate x directly."""

import numpy as np
import streamlit as st

from explorer.analysis.representation.patchwork import draw_pixels, independent_nats, share_codes
from explorer.app.cached import get_run_with_model
from explorer.app.cached.learn import get_prior_pictures
from explorer.app.parts.sliders import live_choice
from explorer.app.session import library
from explorer.app.text import explain, text
from explorer.app.views.learn.parts import (
    LONG,
    choose_segment,
    frame_sliders,
    offer_draw,
    open_page,
    say,
    show_formula,
    show_heading,
    show_question,
)
from explorer.errors import ExplorerError
from explorer.export.learn.latents import COLUMNS, COUNT, MODEL, SHOWN, SIDES
from explorer.export.learn.words import LATENTS, judge_latents
from explorer.figures.pictures import data_uri, encode_png, picture_sheet
from explorer.runs.run import Run


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: prose and the two formulas on the left, the pictures on the right."""
    try:
        run = get_run_with_model(library().shipped.open(MODEL))
    except ExplorerError as error:
        st.info(explain(error))
        return
    left, right = open_page(LONG)
    with left:
        show_heading("latents")
        say("learn.latents.prose.direct")
        show_formula(LATENTS % text("learn.latents.or"))
        say("learn.latents.prose.shared")
        say("learn.latents.prose.sample")
        _show_cost(run)
    with right:
        side, shown, seed = _show_controls()
        _show_pictures(run, side, shown, seed)
        st.caption(text("learn.latents.caption"))
    is_right, key, values = judge_latents(side, shown, (SIDES[0], SIDES[-1]))
    show_question("latents", is_right, text(key, **values))


def _show_controls() -> tuple[int, str, int]:
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = choose_segment(
            text("learn.latents.shown"),
            SHOWN,
            key="shown",
            name=lambda name: text(f"learn.latents.shown.{name}"),
        )
        seed = offer_draw("latents")
    names = [f"{side} × {side}" for side in SIDES]
    with frame_sliders():
        place = live_choice(text("learn.latents.side"), names, 0, key="shared")
    return SIDES[place], shown, seed


def _show_pictures(run: Run, side: int, shown: str, seed: int) -> None:
    """Show the unchanging mean of p(x), and pictures whose patches share codes."""
    decoded = get_prior_pictures(run)
    pictures = share_codes(decoded, side, COUNT, seed)
    if shown == "sample":
        pictures = draw_pixels(pictures, seed)
    mean = _source(decoded.mean(0, keepdims=True), 1)
    sheet = _source(pictures, COLUMNS)
    of_mean = text("learn.latents.mean")
    st.html(
        '<div class="explorer-prior">'
        f'<figure><img alt="{of_mean}" src="{mean}"><figcaption>{of_mean}</figcaption>'
        f'</figure><figure><img alt="{text(f"learn.latents.shown.{shown}")}" src="{sheet}">'
        "</figure></div>"
    )


def _source(pictures: np.ndarray, columns: int) -> str:
    levels = np.rint(pictures * 255).astype(np.uint8)
    return data_uri(encode_png(picture_sheet(levels, columns, gap=2), 2))


def _show_cost(run: Run) -> None:
    measured = run.info.best_results
    if measured is None:
        return
    independent = independent_nats(get_prior_pictures(run))
    values = {"independent": independent, "through": -measured["elbo"], "model": run.id}
    st.markdown(text("learn.latents.nats", **values))
