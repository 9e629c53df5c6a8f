"""A page as a list of sections: what each needs of the run it is about, and how it is drawn.

What cannot be served says so in its place, and why; it takes no other section with it.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import streamlit as st

from explorer.app.parts.failures import told
from explorer.app.text import text
from explorer.library import find_lack
from explorer.runs.run import Run

T = TypeVar("T")
Gap = Literal["small", "medium", "large"]


@dataclass(frozen=True)
class Section(Generic[T]):
    """One part of a page about a subject of type T."""

    draw: Callable[[T], object]
    title: str = ""
    """Key of its heading; a section without one is left out in silence where it lacks something."""
    lede: str = ""
    """Key of the sentence below the heading."""
    needs: tuple[str, ...] = ()
    """What it asks of the run (keys of `explorer.library.NEEDS`); each has its sentence `need.*`
    for those that have it not."""
    key: str = ""
    """Of a container around it, by which styles and cards know it."""
    silent: bool = False
    """Whether it is left out without a word, title or not, where it lacks something."""

    def show(self, subject: T, run: Run | None = None) -> None:
        """Draw it, or say which need of the run is not met."""
        lack = None if run is None else find_lack(run, self.needs)
        if lack is not None and (self.silent or not self.title):
            return
        with st.container(key=self.key) if self.key else nullcontext(), told():
            if self.title:
                st.markdown(f"**{text(self.title)}**")
            if lack is not None:
                st.caption(text(f"need.{lack}"))
                return
            if self.lede:
                st.caption(text(self.lede))
            self.draw(subject)


def show_sections(sections: Sequence[Section[T]], subject: T, run: Run | None = None) -> None:
    """Show sections one below the other."""
    for section in sections:
        section.show(subject, run)


def show_beside(
    sections: Sequence[Section[T]],
    subject: T,
    run: Run | None = None,
    *,
    widths: Sequence[float] | None = None,
    gap: Gap = "small",
) -> None:
    """Show sections side by side, in columns of one width unless `widths` says how they relate."""
    columns = st.columns(widths or len(sections), gap=gap)
    for section, column in zip(sections, columns, strict=True):
        with column:
            section.show(subject, run)
