"""The film of a run with categorical codes: how its codebook is used, beside its pictures."""

import streamlit as st

from explorer.analysis.representation.codebook import measure_usage
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.film import choose_step, show_strips
from explorer.app.text import number, sentences, text
from explorer.errors import ExplorerError
from explorer.figures.codebook import usage_bars
from explorer.runs.run import Run, Snapshot


def show_film(run: Run) -> None:
    """Show the newest frame, and a slider that goes back to earlier ones."""
    steps = run.snapshot_steps()
    if not steps:
        return
    left, right = st.columns(2)
    with right:
        step = choose_step(steps, "train_film", text("train.film"), text("train.film.latest"))
    try:
        frame = run.snapshot(steps[-1] if step is None else step)
    except ExplorerError:
        return  # Cut away by a resumed job between the two looks; the next tick shows the rest.
    if frame.indices is not None:
        with left:
            st.markdown(f"**{text('train.usage')}**")
            show_usage(run, frame)
    with right:
        show_strips(frame)


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
