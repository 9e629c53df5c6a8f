"""What the server answers to a map whose networks are too large for the browser."""

from typing import Any

from explorer.app.parts.kept import Kept
from explorer.export.answers import ANSWERS
from explorer.runs.run import Run

_ANSWERED: dict[str, Kept[tuple[str, Any, dict[str, Any] | None] | None]] = {
    kind: Kept(f"explore_{kind}", None) for kind in ANSWERS
}


def answer_all(run: Run, result: Any) -> list[dict[str, Any]]:
    """Return the answers to all that the component asks, each computed once.

    They are sent again with later ones: of two messages in a row a page may see only the second.
    """
    found = (answer_once(run, kind, result.get(kind)) for kind in ANSWERS)
    return [answer for answer in found if answer is not None]


def answer_once(run: Run, kind: str, request: Any) -> dict[str, Any] | None:
    """Return the answer to one request, however often the page runs for the same."""
    if not request:
        return None
    known = _ANSWERED[kind].get()
    if known is None or known[:2] != (run.fingerprint, request):
        known = (run.fingerprint, request, ANSWERS[kind](run.model, request))
        _ANSWERED[kind].put(known)
    return known[2]
