"""The film of a run: the map of one frame, its codebook's use, its reconstructions and samples."""

import numpy as np
import streamlit as st

from explorer.analysis.representation.codebook import measure_usage
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.pictures import show_strip
from explorer.app.text import number, sentences, text
from explorer.codes import main_dimensions
from explorer.errors import ExplorerError
from explorer.figures.codebook import usage_bars
from explorer.figures.latent import latent_scatter
from explorer.figures.pictures import picture_sheet
from explorer.runs.run import Run, Snapshot


def show_film(run: Run) -> None:
    """Show the newest frame, and a slider that goes back to earlier ones."""
    steps = run.snapshot_steps()
    if not steps:
        return
    left, right = st.columns(2)
    with right:
        latest = text("train.film.latest")
        chosen: object = latest
        if len(steps) > 1:
            chosen = st.select_slider(
                text("train.film"), [*steps[:-1], latest], value=latest, key="train_film"
            )
    try:
        frame = run.snapshot(chosen if isinstance(chosen, int) else steps[-1])
    except ExplorerError:
        return  # Cut away by a resumed job between the two looks; the next tick shows the rest.
    with left:
        if frame.indices is not None:
            st.markdown(f"**{text('train.usage')}**")
            show_usage(run, frame)
        else:
            st.markdown(f"**{text('train.map')}**")
            show_map(run, frame, "train_map", 360)
    with right:
        show_strips(frame)


def show_map(run: Run, frame: Snapshot, key: str, height: int) -> None:
    """Show the frame's codes on their two main dimensions."""
    dataset = run.info.dataset
    figure = latent_scatter(
        frame.mean, frame.labels, dataset.class_names if dataset else (), role_colours(),
        axes=main_dimensions(frame.mean, frame.logvar, run.info.prior), height=height,
        words=sentences("figure."),
        rings=run.info.has_shares,
    )  # fmt: skip
    show_chart(figure, key)
    words = "train.map.caption" if frame.mean.shape[1] <= 2 else "train.map.caption_many"
    if not run.info.has_shares and run.info.is_continuous:
        words += "_bare"
    st.caption(text(words, count=len(frame.mean), step=frame.step))


def show_usage(run: Run, frame: Snapshot) -> None:
    """Show how often each entry of a codebook is chosen in the frame's categorical codes."""
    config = run.info.config
    assert frame.indices is not None
    # A loop of one's own does not say how large its codebook is.
    entries = int(frame.indices.max()) + 1 if config is None else config.model.codebook
    usage = measure_usage(frame.indices, entries)
    words = sentences("codebook.usage.")
    figure = usage_bars(usage.share, role_colours(), words, height=300)
    show_chart(figure, "train_usage")
    st.caption(
        text(
            "train.usage.caption",
            used=usage.used,
            entries=usage.entries,
            perplexity=number(usage.perplexity, ".1f"),
            error=number(usage.perplexity_error, ".1f"),
            count=usage.images,
            step=frame.step,
        )
    )


def show_strips(frame: Snapshot) -> None:
    """Show the frame's reconstructions under their inputs, and its samples."""
    if frame.reconstructions is not None and frame.inputs is None:
        sheet = picture_sheet(frame.reconstructions, len(frame.reconstructions))
        show_strip(sheet, text("train.reconstructions"))
    elif frame.reconstructions is not None and frame.inputs is not None:
        pair = np.concatenate([frame.inputs, frame.reconstructions])
        show_strip(picture_sheet(pair, len(frame.inputs)), text("train.inputs"))
    if frame.samples is not None:
        show_strip(picture_sheet(frame.samples, len(frame.samples)), text("train.samples"))
