"""What the chapters of Learn share: prose and formulas in role colours, and questions."""

import re
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.app.parts.address import is_led_back, refuse
from explorer.app.parts.charts import role_colours
from explorer.app.parts.choices import kept_choice
from explorer.app.parts.kept import is_shown, move_widget
from explorer.app.text import text

CHART = {"displayModeBar": False}
SEED_DIGITS = 6
SHORT, LONG = 0.72, 0.85
_IN_FORMULA = re.compile(r"@(\w+)\{")
_IN_PROSE = re.compile(r"@(\w+)\[([^\]]*)\]")


def tint(latex: str) -> str:
    r"""Return LaTeX with each `@role{…}` in the colour of that role, such as `@kl{\mathrm{KL}}`.

    Roles are the fields of `figures.palette.Roles`.
    """
    return _IN_FORMULA.sub(lambda found: rf"\textcolor{{{_colour(found[1])}}}{{", latex)


def tint_prose(sentence: str) -> str:
    """Return Markdown with each `@role[symbol]` as a formula in the colour of that role."""
    return _IN_PROSE.sub(
        lambda found: rf"$\textcolor{{{_colour(found[1])}}}{{{found[2]}}}$", sentence
    )


def say(key: str, **values: object) -> None:
    """Show a paragraph of the catalogue, with `@role[symbol]` in colour."""
    st.markdown(tint_prose(text(key, **values)))


def show_formula(latex: str) -> None:
    """Show a formula, with `@role{…}` in colour, on a line of its own."""
    st.latex(tint(latex))


def open_page(prose: float = SHORT) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return the columns of a chapter's prose, so wide beside 1, and of the figure that it moves.

    A figure of three fifths leaves lines of some sixty letters, and the chapter on one screen.
    """
    left, right = st.columns([prose, 1], gap="large")
    return left, right


def show_heading(chapter: str) -> None:
    """Show the chapter's title, `learn.<chapter>.title`."""
    st.markdown(f"### {text(f'learn.{chapter}.title')}")


def show_question(chapter: str, right: bool, remark: str) -> None:
    """Show the chapter's question, `learn.<chapter>.question`, and what the state says to it.

    The controls above answer it: `right` tells whether they do now, `remark` why or why not, as a
    sentence that is already filled in.
    """
    with st.container(border=True, key=f"learn_question_{chapter}"):
        state = "right" if right else "not_yet"
        icon = ":green[:material/check_circle:]" if right else ":material/radio_button_unchecked:"
        st.markdown(f"**{text('learn.question')}** {tint_prose(text(f'learn.{chapter}.question'))}")
        st.markdown(f"{icon} **{text(f'learn.{state}')}** {tint_prose(remark)}")


def choose_segment(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    name: Callable[[str], str],
    start: str | None = None,
    labelled: bool = False,
) -> str:
    """Return the chosen one of `options`, first `start` or else the first of them.

    `name` gives what is shown. The option itself is written to the URL under `key`, and read from
    there when the page opens, so that a link means the same in every language.
    """
    start = start or options[0]
    widget = f"learn_{key}"
    kept = kept_choice(widget, options, key, start)
    chosen = st.segmented_control(
        label,
        options,
        default=kept,
        required=True,
        key=widget,
        format_func=name,
        label_visibility="visible" if labelled else "collapsed",
    )
    assert chosen is not None  # It is required.
    if (chosen != start or key in st.query_params) and st.query_params.get(key) != chosen:
        st.query_params[key] = chosen
    return chosen


def choose_switch(label: str, *, key: str) -> bool:
    """Return whether a switch is on; where it is, the URL has `key` = 1."""
    widget = f"learn_{key}"
    asked = st.query_params.get(key) == "1"
    if is_led_back() and is_shown(widget):
        move_widget(widget, asked)
    kept = kept_choice(widget, (False, True), None, asked)
    if st.toggle(label, bool(kept), key=widget):
        st.query_params[key] = "1"
        return True
    st.query_params.pop(key, None)
    return False


def frame_sliders() -> DeltaGenerator:
    """Return the place of a chapter's sliders: on a phone it stays in view while one reads on."""
    return st.container(key="learn_sliders")


def offer_draw(chapter: str) -> int:
    """Show a button, `learn.<chapter>.again`, that draws again; return the seed of the drawing.

    The seed is kept in the URL, as `draw`.
    """
    asked = st.query_params.get("draw", "0")
    is_seed = asked.isdecimal() and len(asked) <= SEED_DIGITS
    seed = int(asked) if is_seed else 0
    if not is_seed:
        refuse("draw")
        st.query_params.pop("draw")
    st.button(
        text(f"learn.{chapter}.again"),
        key=f"learn_{chapter}_again",
        on_click=_draw,
        args=(seed + 1,),
    )
    return seed


def _draw(seed: int) -> None:
    st.query_params["draw"] = str(seed)


def _colour(role: str) -> str:
    colour: str = getattr(role_colours(), role)
    return colour
