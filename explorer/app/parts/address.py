"""The address of a page: what cannot be read there is left out and told in one sentence."""

from collections.abc import Collection, Iterable, Mapping

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.app.parts.kept import Kept, count_up, is_shown
from explorer.app.text import text

REFUSED: Kept[tuple[str, ...]] = Kept("address_refused", ())
"""Names of what this page's address had and its controls cannot be."""

PAGES: Mapping[str, Collection[str]] = {
    "after": ("collapse",),
    "chapter": ("learn",),
    "image": ("elbo", "models"),
    "images": ("models", "train"),
    "models": ("models",),
    "position": ("models",),
    "section": ("elbo", "models"),
    "step": ("beta", "collapse"),
    "subject": ("collapse",),
    "sweep": ("beta", "collapse"),
    "ticked": ("runs",),
    "vq": ("models",),
}
"""Which pages have what is said in an address, by the last part of theirs; what is not listed, all
may have."""


def keep_own(page: str) -> None:
    """Take out of the address what only other pages say there.

    Where one page follows another fast, the browser's history has for the first what the second
    wrote: whoever goes back would copy an address of both.
    """
    leave_behind(name for name, pages in PAGES.items() if page not in pages)


def is_led_back() -> bool:
    """Tell whether the browser's Back or Forward led here: the address is then what counts.

    Streamlit keeps what its widgets stand on where both addresses are of one page. A change of
    the address alone would not tell: one that the visitor has just made is written to it later.
    """
    context = get_script_run_ctx(suppress_warning=True)
    return bool(getattr(context, "is_history_navigation", False))


def is_led_over(key: str, led: Kept[int]) -> bool:
    """Tell whether Back or Forward led here while the component `key` stands; count it in `led`.

    A component keeps what its hand did last: another count tells it to do what the address says.
    """
    if not (is_led_back() and is_shown(key)):
        return False
    count_up(led)
    return True


def refuse(name: str) -> None:
    """Remember that what the address has as `name` cannot be, until `tell_refused`."""
    if name not in REFUSED.get():
        REFUSED.put((*REFUSED.get(), name))


def tell_refused() -> None:
    """Say once what was left out of the address."""
    if names := REFUSED.get():
        st.toast(text("app.address_refused", names=text("app.comma").join(names)), duration="long")
        REFUSED.forget()  # Last: a rerun that is due stops the script at the toast.


def read_as(name: str, other: str) -> None:
    """Take what the address says of a run as `name`, where it says so as `other`.

    Pages call it model or run by what they show of it; a link that was changed by hand opens all.
    """
    asked = st.query_params.get(other)
    if asked is not None:
        leave_behind((other,))
        if name not in st.query_params:
            st.query_params[name] = asked


def leave_behind(names: Iterable[str]) -> None:
    """Take out of the address what was said of a subject that is looked at no more."""
    for name in names:
        st.query_params.pop(name, None)


def write_address(name: str, value: object, start: object) -> None:
    """Keep `name` in the address while it is not as the page opens.

    Numbers are written as short as they can be read back.
    """
    if value == start:
        st.query_params.pop(name, None)
        return
    written = f"{value:.12g}" if isinstance(value, float) else str(value)
    if st.query_params.get(name) != written:
        st.query_params[name] = written
