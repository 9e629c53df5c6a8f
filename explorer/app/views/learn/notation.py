"""Appendix: the notes' symbols side by side, and their slips corrected."""

import streamlit as st

from explorer.app.text import text
from explorer.app.views.learn.parts import (
    choose_segment,
    say,
    show_formula,
    show_heading,
    show_question,
    tint_prose,
)
from explorer.export.learn.signs import (
    HERE,
    IDENTITIES,
    NOTES,
    SLIPS,
    SWAPPED,
    SYMBOLS,
    count_slips,
)


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: one identity in six notations, the table of symbols, the slips."""
    left, right = st.columns([1, 1], gap="large")
    with left:
        show_heading("notation")
        say("learn.notation.letters")
        say("learn.notation.watch")
    with right:
        note = choose_segment(
            text("learn.notation.choose"),
            [*NOTES, HERE],
            key="note",
            name=_name_note,
            start=HERE,
            labelled=True,
        )
        show_formula(r"\begin{aligned}" + IDENTITIES[note] + r"\end{aligned}")
    with st.container(key="learn_notation_symbols"):
        st.markdown(_symbol_table(note))
    st.caption(text("learn.notation.caption"))
    with st.expander(text("learn.notation.slips", count=count_slips()), key="learn_notation_slips"):
        st.markdown(_slip_table())
    remark = text(f"learn.notation.question.{'right' if note == SWAPPED else 'other'}")
    show_question("notation", note == SWAPPED, remark)


def _name_note(note: str) -> str:
    return text("learn.notation.here") if note == HERE else note


def _symbol_table(chosen: str) -> str:
    """Return the table of symbols as Markdown, a row for each note, the chosen one marked."""
    heads = [text(f"learn.notation.column.{name}") for name in ("note", *SYMBOLS)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for place, note in enumerate((*NOTES, HERE)):
        name = f"**{_name_note(note)}** ◂" if note == chosen else _name_note(note)
        cells = [_cell(meaning, column[place]) for meaning, column in SYMBOLS.items()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return tint_prose("\n".join(lines))


def _cell(meaning: str, symbol: str) -> str:
    if meaning == "letter" and symbol:
        return text(f"learn.notation.letter.{symbol}")
    return symbol or "–"


def _cell_text(key: str) -> str:
    """Return a sentence for a cell: its bars, as in p(x|z), end no cell."""
    return text(key).replace("|", r"\|")


def _slip_table() -> str:
    """Return all slips as Markdown: the note, what it says, what holds, and where to see it."""
    heads = [text(f"learn.notation.column.{name}") for name in ("note", "says", "holds", "see")]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for note, slips in SLIPS.items():
        for slip in slips:
            key = f"learn.notation.slip.{slip.name}"
            cells = (
                note,
                f"${slip.says}$ {_cell_text(f'{key}.says')}",
                f"${slip.holds}$ {_cell_text(f'{key}.holds')}",
                f"[{text(f'{key}.see')}]({slip.link})",
            )
            lines.append(f"| {' | '.join(cells)} |")
    return tint_prose("\n".join(lines))
