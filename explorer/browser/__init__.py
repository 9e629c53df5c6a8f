"""The browser side: ES modules and styles by room; Python only names where they lie."""

from pathlib import Path

ASSETS = Path(__file__).parent
"""The root under which every module and every style of the browser side lies."""


def read_styles(*rooms: str) -> str:
    """Return the styles of `rooms` as one sheet; of equal rules the later room's holds."""
    return "".join((ASSETS / room / "style.css").read_text(encoding="utf-8") for room in rooms)
