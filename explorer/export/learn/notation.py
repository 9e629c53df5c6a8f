"""The appendix without a server: one identity as each note writes it, the signs, the slips."""

import html
from collections.abc import Sequence
from functools import cache

from explorer.export.learn.chapter import Chapter, Control, caption, judge, paragraph
from explorer.export.learn.mathml import write_formula
from explorer.export.learn.prose import write_prose
from explorer.export.learn.signs import (
    HERE,
    IDENTITIES,
    NOTES,
    SLIPS,
    SWAPPED,
    SYMBOLS,
    count_slips,
)
from explorer.text import say

CHOICES = (*NOTES, HERE)


def make_chapter() -> Chapter:
    """Return the appendix; where the app leads to a page, it names the page."""
    control = Control(
        "note", "learn.notation.choose", CHOICES, CHOICES.index(HERE), names=_name_notes
    )
    return Chapter(
        "notation",
        (control,),
        _lines,
        ("identity",),
        _show,
        ("symbols", "slips"),
        is_computed=False,
    )


def _lines(language: str) -> list[str]:
    return [
        paragraph(language, "learn.notation.letters"),
        paragraph(language, "learn.notation.watch"),
    ]


def _show(language: str, stop: tuple[int, ...]) -> dict[str, str]:
    note = CHOICES[stop[0]]
    is_right = note == SWAPPED
    remark = say(language, f"learn.notation.question.{'right' if is_right else 'other'}")
    return {
        "identity": write_formula(rf"\begin{{aligned}}{IDENTITIES[note]}\end{{aligned}}"),
        "symbols": _symbols(language, note) + caption(language, "learn.notation.caption"),
        "slips": _slips(language),
        **judge(language, "notation", is_right, remark),
    }


def _name_notes(language: str) -> list[str]:
    return [*NOTES, say(language, "learn.notation.here")]


def _symbols(language: str, chosen: str) -> str:
    """Return the table of signs, a row for each note, the chosen one marked."""
    rows = []
    for place, (note, name) in enumerate(zip(CHOICES, _name_notes(language), strict=True)):
        cells = [_sign(language, meaning, column[place]) for meaning, column in SYMBOLS.items()]
        rows.append((name, cells, note == chosen))
    return _table(language, ("note", *SYMBOLS), rows)


def _sign(language: str, meaning: str, sign: str) -> str:
    if meaning == "letter" and sign:
        return say(language, f"learn.notation.letter.{sign}")
    return sign or "–"


@cache
def _slips(language: str) -> str:
    """Return all slips behind a line: the note, what it says, what holds, where to see it."""
    rows = [
        (
            note,
            (
                f"${slip.says}$ {say(language, f'learn.notation.slip.{slip.name}.says')}",
                f"${slip.holds}$ {say(language, f'learn.notation.slip.{slip.name}.holds')}",
                say(language, f"learn.notation.slip.{slip.name}.see"),
            ),
            False,
        )
        for note, slips in SLIPS.items()
        for slip in slips
    ]
    told = html.escape(say(language, "learn.notation.slips", count=count_slips()))
    table = _table(language, ("note", "says", "holds", "see"), rows)
    return f"<details><summary>{told}</summary>{table}</details>"


def _table(
    language: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str], bool]]
) -> str:
    """Return a table: names of columns, and rows of a name, its cells and whether it is chosen."""
    heads = "".join(
        f'<th scope="col">{html.escape(say(language, f"learn.notation.column.{name}"))}</th>'
        for name in columns
    )
    body = "".join(
        f'<tr{" class=chosen" if is_chosen else ""}><th scope="row">{html.escape(name)}</th>'
        f"{''.join(f'<td>{write_prose(cell)}</td>' for cell in cells)}</tr>"
        for name, cells, is_chosen in rows
    )
    return f'<div class="table"><table><tr>{heads}</tr>{body}</table></div>'
