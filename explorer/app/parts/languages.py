"""The language switch in the app's bar, on every page."""

import streamlit as st

from explorer.app.session import CHOSEN
from explorer.app.text import language, text
from explorer.text import LANGUAGES

_SWITCH = "language_switch"
# Han characters are drawn as the document's language asks, so the page must say which it is.
_DECLARE = "<script>document.documentElement.lang = '{language}'</script>"


def show_language_switch() -> None:
    """Show the switch and keep what is chosen in the session and, once chosen, in the address."""
    current = language()
    if st.query_params.get(CHOSEN) in LANGUAGES:
        st.session_state.setdefault(CHOSEN, current)
    st.session_state[_SWITCH] = current
    with st.container(key="language"):
        st.segmented_control(
            text("app.language"),
            list(LANGUAGES),
            key=_SWITCH,
            on_change=_choose,
            required=True,
            format_func=LANGUAGES.__getitem__,
            label_visibility="collapsed",
        )
        st.html(_DECLARE.format(language=current), unsafe_allow_javascript=True)
    if (chosen := st.session_state.get(CHOSEN)) and st.query_params.get(CHOSEN) != chosen:
        st.query_params[CHOSEN] = chosen


def _choose() -> None:
    if (chosen := st.session_state[_SWITCH]) in LANGUAGES:
        st.session_state[CHOSEN] = chosen
