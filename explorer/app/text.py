"""The catalogue's sentences in the visitor's language."""

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer import text as catalogue
from explorer.text import LANGUAGES, closest_language, number

__all__ = ["CHOSEN", "language", "number", "paragraph", "sentences", "text"]

CHOSEN = "lang"
"""The chosen language's name in the address and in the visitor's session."""


def language() -> str:
    """Return the visitor's language: chosen, else the address's, else the browser's, else "en".

    Outside a running page (tests) it is English.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    for wanted in (st.session_state.get(CHOSEN), st.query_params.get(CHOSEN)):
        if wanted in LANGUAGES:
            return str(wanted)
    return closest_language(st.context.locale)


def text(key: str, **values: Any) -> str:
    """Return the sentence `key` with `values` put in (see `explorer.text.say`)."""
    return catalogue.say(language(), key, **values)


def sentences(prefix: str) -> dict[str, str]:
    """Return the sentences below `prefix`, keys without it."""
    return catalogue.sentences(language(), prefix)


def paragraph(*parts: str) -> str:
    """Return sentences one after another, as the language writes them."""
    return catalogue.paragraph(language(), *parts)
