"""Chapter 2: p(x) as an infinite mixture of Gaussians."""

import streamlit as st

from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.sliders import live_choice
from explorer.app.text import sentences, text
from explorer.app.views.learn.parts import (
    choose_segment,
    frame_sliders,
    offer_draw,
    open_page,
    say,
    show_formula,
    show_heading,
    show_question,
)
from explorer.export.learn.mixture import (
    COUNTS,
    KINDS,
    MIXTURE,
    NAMES,
    START,
    Mixture,
    caption_of,
    draw_mixture,
    judge_mixture,
    mix,
    tell_mixture,
)


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: prose and formula on the left, the mixture being built on the right."""
    left, right = open_page()
    with left:
        show_heading("mixture")
        say("learn.mixture.prose.parts")
        show_formula(MIXTURE)
        say("learn.mixture.prose.limit")
        say("learn.mixture.prose.slip")
    with right:
        mixture = _show_controls()
        _show_picture(mixture)
    is_right, key, values = judge_mixture(mixture)
    show_question("mixture", is_right, text(key, **values))


def _show_controls() -> Mixture:
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = choose_segment(
            text("learn.mixture.codes"),
            KINDS,
            key="codes",
            name=lambda name: text(f"learn.mixture.codes.{name}"),
        )
        seed = offer_draw("mixture") if kind == "drawn" else 0
    with frame_sliders():
        place = live_choice(
            text("learn.mixture.count"), NAMES, COUNTS.index(START), key="gaussians"
        )
    return mix(kind, (*COUNTS, None)[place], seed)


def _show_picture(mixture: Mixture) -> None:
    figure = draw_mixture(mixture, role_colours(), sentences("learn.mixture."))
    show_chart(figure, "learn_mixture_picture")
    key, values = tell_mixture(mixture)
    st.markdown(text(key, **values))
    st.caption(text(caption_of(mixture)))
