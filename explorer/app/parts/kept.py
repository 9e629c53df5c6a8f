"""What a visit keeps by key: values of the pages' own, and what its widgets stand on."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """One value that a page keeps while the visit lasts; `start` until it is put."""

    key: str
    start: T

    def get(self) -> T:
        """Return the value."""
        value: T = st.session_state.get(self.key, self.start)
        return value

    def put(self, value: T) -> None:
        """Keep another value."""
        st.session_state[self.key] = value

    def forget(self) -> None:
        """Go back to the start."""
        st.session_state.pop(self.key, None)


def count_up(number: Kept[int]) -> None:
    """Add one, for the callback of a button: another seed, another widget."""
    number.put(number.get() + 1)


def is_shown(key: str) -> bool:
    """Tell whether the widget `key` stands on the page, as far as the last run drew it."""
    return key in st.session_state


def read_widget(key: str, start: Any = None) -> Any:
    """Return what the widget `key` stands on, `start` where it was never drawn."""
    return st.session_state.get(key, start)


def move_widget(key: str, value: object) -> None:
    """Put the widget `key` on a value; in a callback or after Back, before the widget is drawn."""
    st.session_state[key] = value
