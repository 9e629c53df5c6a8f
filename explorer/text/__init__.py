"""The text catalogue: every sentence that a user reads, one JSON file per page and language.

The language is an argument here; only the app asks Streamlit for the visitor's (`app/text.py`).
"""

import json
import numbers
import string
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = {"en": "EN", "zh-Hans": "简", "zh-Hant": "繁"}
"""Languages by their tag, as the switch shows them; a folder here holds the sentences of each."""

WRITTEN_OUT = 1e6
"""Numbers below this have no exponent, however few of their digits are shown."""
_FOLDER = Path(__file__).parent
_TRADITIONAL = {"hant", "tw", "hk", "mo"}


@cache
def catalogue(language: str = "en") -> dict[str, str]:
    """Return all sentences of a language by key, such as "train.start"."""
    found: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.json")):
        found.update(json.loads(path.read_text(encoding="utf-8")))
    return found


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


def say(language: str, key: str, **values: Any) -> str:
    """Return the sentence `key` in `language`, with `values` put in as `str.format` does.

    Numbers are shown with a true minus sign.
    """
    sentence = _spoken(language)[key]
    return _FORMATTER.vformat(sentence, (), values) if values else sentence


def sentences(language: str, prefix: str) -> dict[str, str]:
    """Return the sentences below `prefix`, keys without it: what a figure or the map is given."""
    return {
        key.removeprefix(prefix): value
        for key, value in _spoken(language).items()
        if key.startswith(prefix)
    }


def paragraph(language: str, *parts: str) -> str:
    """Return sentences one after another, with a space between where the language has one."""
    return ("" if language.startswith("zh") else " ").join(part for part in parts if part)


def number(value: float, spec: str = ".2f") -> str:
    """Return a number as `format` does, with a true minus sign and thousands written out.

    >>> number(1234, ".3g"), number(2e9, ".3g")
    ('1,230', '2e+09')
    """
    shown = format(value, spec)
    if spec.endswith("g") and "e+" in shown and abs(value) < WRITTEN_OUT:
        shown = f"{float(shown):,.0f}"
    return shown.replace("-", "−")


class _Formatter(string.Formatter):
    """`str.format` with true minus signs in numbers."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, numbers.Real):
            return number(value, format_spec)  # type: ignore[arg-type]
        return str(super().format_field(value, format_spec))


_FORMATTER = _Formatter()
