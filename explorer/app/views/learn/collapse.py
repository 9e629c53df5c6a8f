"""Chapter 7: β and collapse."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.app.cached import get_codes, measure_wake_up
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.kept import Kept
from explorer.app.parts.pictures import show_row
from explorer.app.parts.sliders import live_choice
from explorer.app.session import library
from explorer.app.text import sentences, text
from explorer.app.views.learn.parts import (
    frame_sliders,
    open_page,
    say,
    show_formula,
    show_heading,
    show_question,
)
from explorer.codes import match_latents
from explorer.errors import ExplorerError
from explorer.export.learn.collapse import START, SWEEP, count_awake
from explorer.export.learn.words import COLLAPSE, judge_collapse
from explorer.figures.beta import small_maps
from explorer.figures.eigenvalues import kl_over_beta
from explorer.paths import resource
from explorer.runs.run import Run
from explorer.runs.sweeps import read_sweep

MEASURED = Kept("learn_collapse_measured", False)
"""Whether the visitor asked for the eigenvalues to be measured here."""
MAP_POINTS = 1000
MAP_SIDE = 190
STRIP = 8
NAMED = 4


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: prose on the left, the shipped sweep over β on the right."""
    try:
        sweep = read_sweep(resource("pretrained") / SWEEP)
        theory = library().stored_beside(sweep, "theory")
    except ExplorerError:
        theory = None
    if theory is None:
        show_heading("collapse")
        st.info(text("learn.collapse.missing"))
        return
    by_beta = {sweep.configs[name].objective.beta: run for name, run in sweep.runs().items()}
    betas = sorted(by_beta)
    results: list[Mapping[str, Any]] = [by_beta[beta].info.results["test"] for beta in betas]
    left, right = open_page()
    with left:
        show_heading("collapse")
        say("learn.collapse.price")
        words = sentences("learn.collapse.formula.")
        show_formula(COLLAPSE % (words["objective"], words["wakes"]))
        say("learn.collapse.rule")
        eigenvalues = _show_source(theory["wake_up"])
    with right:
        with frame_sliders():
            place = live_choice(
                text("learn.collapse.beta"),
                [f"{beta:g}" for beta in betas],
                betas.index(START),
                key="sweep_beta",
                role="beta",
            )
        beta = betas[place]
        active = _show_numbers(beta, results[place])
        figure = kl_over_beta(
            betas,
            np.array([result["kl_per_dim"] for result in results]),
            eigenvalues,
            role_colours(),
            sentences("learn.collapse.figure."),
            beta=beta,
            height=200,
        )
        show_chart(figure, "learn_collapse_kl", text("learn.collapse.caption"))
        _show_model(by_beta[beta], by_beta[1.0])
    with left:
        st.page_link(
            "views/beta/page.py",
            label=text("learn.collapse.lab"),
            icon=":material/science:",
            query_params={"sweep": SWEEP},
        )
        st.page_link(
            "views/collapse/page.py",
            label=text("learn.collapse.page"),
            icon=":material/healing:",
            query_params={"run": "digits-collapsed"},
        )
    right_answer, key, values = judge_collapse(beta, active)
    show_question("collapse", right_answer, text(key, **values))


def _show_source(recorded: list[float]) -> list[float]:
    """Say where the eigenvalues come from, and measure them where that is asked for."""
    measured = MEASURED.get()
    kind, values = "recorded", recorded
    with st.container(horizontal=True, vertical_alignment="center"):
        if measured:
            with st.spinner(text("learn.collapse.measuring")):
                found = measure_wake_up("mnist", "bernoulli", 1.0)
            if found:
                kind, values = "measured", found
        shown = ", ".join(f"{value:.1f}" for value in values[:NAMED])
        st.caption(text(f"learn.collapse.{kind}", values=shown))
        if not measured and library().has_images("mnist"):
            st.button(
                text("learn.collapse.measure"),
                key="learn_collapse_measure",
                type="tertiary",
                on_click=MEASURED.put,
                args=(True,),
            )
    return values


def _show_numbers(beta: float, result: Mapping[str, Any]) -> int:
    figures = count_awake(beta, result)
    st.markdown(
        text("learn.collapse.numbers", **figures),
        help=text("learn.collapse.numbers.help", images=result["images"], dead=DEAD_NATS),
    )
    return int(figures["active"])


def _show_model(run: Run, reference: Run) -> None:
    """Show the map and a strip of one model, its dimensions put in the order of `reference`."""
    codes, target = get_codes(run), get_codes(reference)
    if codes is None or target is None:
        return
    order, sign = match_latents(target.mean, codes.mean)
    left, right = st.columns([1, 1.1], vertical_alignment="center")
    with left:
        labels = None if codes.labels is None else codes.labels[:MAP_POINTS]
        points = codes.mean[:MAP_POINTS, order] * sign
        figure = small_maps([""], [points], [labels], role_colours(), columns=1, side=MAP_SIDE)
        show_chart(figure, "learn_collapse_map")
    with right:
        frame = run.snapshot(run.snapshot_steps()[-1])
        strips = {"reconstructions": frame.reconstructions, "samples": frame.samples}
        for name, images in strips.items():
            if images is not None:
                show_row(images[:STRIP], text(f"learn.collapse.{name}"))
        st.caption(text("learn.collapse.map", count=min(MAP_POINTS, len(codes.mean))))
