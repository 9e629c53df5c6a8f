"""A chapter: prose with places in it, controls with their stops, and what each stop shows."""

import html
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.export.learn.prose import write_prose
from explorer.figures.pictures import data_uri, encode_png
from explorer.text import say


@dataclass(frozen=True)
class Control:
    """A slider: its key in the address and the catalogue's for its name, and where it may stand.

    With `names`, what the stops are called in a language, it is a list to choose from; one that
    `turns` is a button that goes to the next stop, after the last to the first; it works where the
    control `only_with` names stands on the option beside it.
    """

    key: str
    label: str
    options: Sequence[str]
    start: int = 0
    role: str = ""
    names: Callable[[str], Sequence[str]] | None = None
    turns: bool = False
    only_with: tuple[str, str] | None = None


@dataclass(frozen=True)
class Chapter:
    """One chapter: `lines` lays out its prose, "#slot" for a place that the controls fill.

    `show` returns what a stop of the controls puts into each place, as HTML; `figures` are the
    places beside the prose, in their order, `below` those under both.
    """

    name: str
    controls: Sequence[Control]
    lines: Callable[[str], list[str]]
    figures: Sequence[str]
    show: Callable[[str, tuple[int, ...]], dict[str, str]]
    below: Sequence[str] = ()
    is_computed: bool = True
    """Whether there is anything to compute: a reader is told that it was done beforehand."""

    def stops(self) -> Iterator[tuple[int, ...]]:
        """Return every stop of all controls together, the last control's first."""
        return itertools.product(*(range(len(control.options)) for control in self.controls))

    @property
    def start(self) -> tuple[int, ...]:
        """Where the controls stand at first."""
        return tuple(control.start for control in self.controls)


def paragraph(language: str, key: str, **values: object) -> str:
    """Return a sentence of the catalogue as a paragraph."""
    return f"<p>{write_prose(say(language, key, **values))}</p>"


def caption(language: str, key: str, **values: object) -> str:
    """Return what stands below a figure."""
    return f'<p class="caption">{write_prose(say(language, key, **values))}</p>'


def judge(language: str, chapter: str, is_right: bool, remark: str) -> dict[str, str]:
    """Return the chapter's question, and what the state of the controls says to it."""
    state = say(language, "learn.right" if is_right else "learn.not_yet")
    return {
        "answer": f'<p class="{"right" if is_right else "open"}"><strong>{html.escape(state)}'
        f"</strong> {write_prose(remark)}</p>"
    }


def picture(sheet: np.ndarray, told: str, width: int = 620) -> str:
    """Return a sheet of pictures (H, W, 3) uint8 with what stands below it."""
    source = data_uri(encode_png(sheet))
    words = html.escape(told, quote=True)
    return (
        f'<figure><img class="pixels" src="{source}" alt="{words}" width="{width}">'
        f"<figcaption>{words}</figcaption></figure>"
    )
