"""What the commands print: a result in words or as JSON, and a line of progress."""

import codecs
import contextlib
import io
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

SPELT = {
    "μ": "mu", "σ": "sigma", "β": "beta", "²": "^2", "−": "-", "×": "x", "…": "...", "·": "*",
    "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "≥": ">=", "≤": "<=", "±": "+-",
    "→": "->", "Σ": "sum", "ε": "eps", "δ": "delta", "λ": "lambda", "½": "1/2", "√": "sqrt",
    "ρ": "rho", "η": "eta", **dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)),
}  # fmt: skip
"""What is written for characters that a terminal's code page lacks."""


def spell_what_is_missing() -> None:
    """Let no output fail for a code page: a character that it lacks is spelt out, else a "?"."""
    codecs.register_error("explorer.spell", _spell)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="explorer.spell")


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SPELT.get(letter, "?") for letter in lacking), error.end


def report(as_json: bool, values: dict[str, Any], text: str) -> None:
    """Print the human text or, with --json, one line of JSON."""
    print(json.dumps(values, allow_nan=False) if as_json else text)


@contextlib.contextmanager
def progress_line() -> Iterator[Any]:
    """Yield a function that rewrites one line of a terminal, and does nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    shown = 0.0

    def show(text: str) -> None:
        nonlocal shown
        if time.monotonic() - shown > 0.1:
            shown = time.monotonic()
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
