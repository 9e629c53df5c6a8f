"""The text catalogue: every sentence that a user reads, one JSON file per page and language."""

import json
import numbers
import string
import sys
from functools import cache
from pathlib import Path
from typing import Any

from explorer.figures.words import number

__all__ = [
    "CHOSEN",
    "LANGUAGES",
    "catalogue",
    "closest_language",
    "language",
    "number",
    "paragraph",
    "sentences",
    "text",
]

LANGUAGES = {"en": "EN", "zh-Hans": "简", "zh-Hant": "繁"}
"""Languages by their tag, as the switch shows them; a folder here holds the sentences of each."""

CHOSEN = "lang"
"""The chosen language's name in the address and in the visitor's session."""

_FOLDER = Path(__file__).parent
_TRADITIONAL = {"hant", "tw", "hk", "mo"}


@cache
def catalogue(language: str = "en") -> dict[str, str]:
    """Return all sentences of a language by key, such as "train.start"."""
    sentences: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.json")):
        sentences.update(json.loads(path.read_text(encoding="utf-8")))
    return sentences


@cache
def _spoken(language: str) -> dict[str, str]:
    """All sentences, in English where the language lacks one."""
    return {**catalogue(), **catalogue(language)}


def closest_language(locale: str | None) -> str:
    """Return the language for a browser's locale: "zh-TW" → "zh-Hant", "de" or None → "en"."""
    parts = (locale or "").lower().replace("_", "-").split("-")
    if parts[0] != "zh":
        return "en"
    if "hans" in parts:
        return "zh-Hans"
    return "zh-Hant" if _TRADITIONAL & set(parts) else "zh-Hans"


def language() -> str:
    """Return the visitor's language: chosen, else the address's, else the browser's, else "en".

    Outside a running page (tests, the command line) it is English.
    """
    if "streamlit" not in sys.modules:
        return "en"
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    for wanted in (st.session_state.get(CHOSEN), st.query_params.get(CHOSEN)):
        if wanted in LANGUAGES:
            return str(wanted)
    return closest_language(st.context.locale)


def text(key: str, **values: Any) -> str:
    """Return the sentence `key`, with `values` put in as `str.format` does.

    Numbers are shown with a true minus sign.
    """
    sentence = _spoken(language())[key]
    return _FORMATTER.vformat(sentence, (), values) if values else sentence


def sentences(prefix: str) -> dict[str, str]:
    """Return the sentences below `prefix`, keys without it: what a figure or the map is given."""
    return {
        key.removeprefix(prefix): value
        for key, value in _spoken(language()).items()
        if key.startswith(prefix)
    }


def paragraph(*parts: str) -> str:
    """Return sentences one after another, with a space between where the language has one."""
    return ("" if language().startswith("zh") else " ").join(part for part in parts if part)


class _Formatter(string.Formatter):
    """`str.format` with true minus signs in numbers."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, numbers.Real):
            return number(value, format_spec)  # type: ignore[arg-type]
        return str(super().format_field(value, format_spec))


_FORMATTER = _Formatter()
