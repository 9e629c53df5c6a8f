"""A run's film: choosing one of its frames, the map of a frame, its reconstructions and samples."""

import streamlit as st

from explorer.app.parts.address import write_address
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.choices import kept_choice
from explorer.app.parts.pictures import show_pairs, show_row
from explorer.app.text import sentences, text
from explorer.codes import main_dimensions
from explorer.figures.latent import latent_scatter
from explorer.runs.run import Run, Snapshot


def choose_step(
    steps: list[int], key: str, label: str, latest: str, help_text: str | None = None
) -> int | None:
    """Return the step of the film that a slider stands on, None for the newest.

    `label` and `latest` are sentences. With fewer than two steps there is no slider.
    The address has the step.
    """
    if len(steps) < 2:
        return None
    options: list[object] = [*steps[:-1], latest]
    kept = kept_choice(key, options, "step", latest)
    chosen: object = st.select_slider(label, options, kept, key=key, help=help_text)
    write_address("step", chosen, latest)
    return chosen if isinstance(chosen, int) else None


def show_map(run: Run, frame: Snapshot, key: str, height: int) -> None:
    """Show the frame's codes on their two main dimensions."""
    dataset = run.info.dataset
    figure = latent_scatter(
        frame.mean,
        frame.labels,
        dataset.class_names if dataset else (),
        role_colours(),
        axes=main_dimensions(frame.mean, frame.logvar, run.info.has_shares),
        height=height,
        words=sentences("figure."),
        rings=run.info.has_shares,
    )
    show_chart(figure, key)
    words = "train.map.caption" if frame.mean.shape[1] <= 2 else "train.map.caption_many"
    if not run.info.has_shares and run.info.is_continuous:
        words += "_bare"
    st.caption(text(words, count=len(frame.mean), step=frame.step))


def show_strips(frame: Snapshot) -> None:
    """Show the frame's reconstructions under their inputs, and its samples."""
    if frame.reconstructions is not None and frame.inputs is None:
        show_row(frame.reconstructions, text("train.reconstructions"))
    elif frame.reconstructions is not None and frame.inputs is not None:
        show_pairs(frame.inputs, frame.reconstructions, text("train.inputs"))
    if frame.samples is not None:
        show_row(frame.samples, text("train.samples"))
