"""What a person answers of a pasted loss: fields in place of what was understood."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from explorer.analysis.loss.understood import Understood
from explorer.errors import ExplorerError

ANSWERS = (
    "reconstruction", "reconstruction_batch", "reconstruction_pixels", "reconstruction_weight",
    "scale", "kl", "kl_batch", "kl_latents", "kl_weight", "annealing", "floor",
)  # fmt: skip
"""Fields of `Understood` that a person corrects, in the order in which they are shown."""
NUMBERS = ("reconstruction_weight", "scale", "kl_weight")
SETTLED = {"kl": "kl_unknown", "kl_batch": "shapes_unclear", "kl_latents": "shapes_unclear"}
"""Doubts that are settled by an answer."""
ANSWERED_BY = {"kl_sizes": ("kl_batch", "kl_latents")}
"""What is asked for by one name and answered in other fields."""


def correct(understood: Understood, corrections: Mapping[str, Any]) -> Understood:
    """Return the loss with these fields in place of what was understood.

    ExplorerError for a field that no loss has, and for a value that the field cannot have.

    >>> correct(Understood(kl="unknown"), {"kl": "kl", "kl_weight": "4"}).kl_weight
    4.0
    """
    if unknown := [name for name in corrections if name not in ANSWERS]:
        raise ExplorerError(f"{unknown[0]!r} is no field of a loss; they are {', '.join(ANSWERS)}.")
    given = {name: _as_field(name, value) for name, value in corrections.items()}
    settled = {SETTLED[name] for name in given if name in SETTLED}
    doubts = tuple(doubt for doubt in understood.doubts if doubt.code not in settled)
    return replace(understood, **given, doubts=doubts)


def _as_field(name: str, value: Any) -> Any:
    if name not in NUMBERS:
        return str(value)
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ExplorerError(f"{name} is a number; {value!r} is none.") from error
