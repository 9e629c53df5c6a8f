"""The text catalogue: every sentence that a user reads, one JSON file per page and language."""

import json
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en",)
_FOLDER = Path(__file__).parent


@cache
def catalogue(language: str = "en") -> dict[str, str]:
    """Return all sentences of a language by key, such as "train.start"."""
    sentences: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.json")):
        sentences.update(json.loads(path.read_text(encoding="utf-8")))
    return sentences


def text(key: str, **values: Any) -> str:
    """Return the sentence `key`, with `values` put in as `str.format` does."""
    sentence = catalogue()[key]
    return sentence.format(**values) if values else sentence


def sentences(prefix: str) -> dict[str, str]:
    """Return the sentences below `prefix`, keys without it: what a browser component is given."""
    return {
        key.removeprefix(prefix): value
        for key, value in catalogue().items()
        if key.startswith(prefix)
    }
