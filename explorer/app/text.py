"""The catalogue's sentences in the visitor's language."""

import re
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer import text as catalogue
from explorer.app.session import CHOSEN, chosen_language
from explorer.text import LANGUAGES, closest_language, number
from explorer.text.retold import retell

__all__ = ["explain", "in_words", "language", "number", "paragraph", "plain", "sentences", "text"]

JOINER = "\u2060"
"""An invisible character at which no word may be parted."""
_LIVE = re.compile(r"(?<=:)(?=\S)|(?=@)|(?<=@)|(?<=www)(?=\.)", re.IGNORECASE)
"""Where addresses, emoji and Streamlit's colours and icons are recognised, even in plain text."""
_MARKS = re.compile(r"[!-/:-@\[-`{-~]")


def language() -> str:
    """Return the visitor's language: chosen, else the address's, else the browser's, else "en".

    Outside a running page (tests) it is English.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    for wanted in (chosen_language(), st.query_params.get(CHOSEN)):
        if wanted in LANGUAGES:
            return str(wanted)
    return closest_language(st.context.locale)


def text(key: str, **values: Any) -> str:
    """Return the sentence `key` with `values` put in (see `explorer.text.say`)."""
    return catalogue.say(language(), key, **values)


def plain(words: object) -> str:
    """Return what others wrote (a name, an id, a message) so that no part of it is Markdown.

    Marks are escaped, lines are joined, and an invisible joiner parts what would become a link or
    an emoji in spite of that.
    """
    line = _LIVE.sub(JOINER, " ".join(str(words).split()))
    return _MARKS.sub(r"\\\g<0>", line)


def in_words(error: object) -> str:
    """Return an error's sentence, raised or stored, in the visitor's language."""
    return retell(language(), str(error))


def explain(error: object) -> str:
    """Return `in_words` as plain text: no part of it is Markdown."""
    return plain(in_words(error))


def sentences(prefix: str) -> dict[str, str]:
    """Return the sentences below `prefix`, keys without it."""
    return catalogue.sentences(language(), prefix)


def paragraph(*parts: str) -> str:
    """Return sentences one after another, as the language writes them."""
    return catalogue.paragraph(language(), *parts)
