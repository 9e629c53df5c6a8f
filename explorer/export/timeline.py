"""KL of each latent over a training, or over a sweep, as the browser's timeline draws it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.analysis.consultation.fates import Fate, list_events
from explorer.analysis.consultation.sweep import SweepAnswer
from explorer.codes import latent_name
from explorer.runs.trace import thin

MOST_ROWS, MOST_LATENTS = 240, 60


def build_timeline(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows (at, name, kl, beta), names and marks of log points with kl_per_dim.

    Latents with the most KL stand first; of many points some are taken, evenly, and of many latents
    the first. A mark has `after` where its date is an interval. `rows` may be empty.
    """
    known = [point for point in points if "kl_per_dim" in point]
    if not known:
        return {"rows": [], "names": [], "marks": [], "dead": DEAD_NATS}
    kl = np.array([point["kl_per_dim"] for point in known], dtype=np.float64)
    order = np.argsort(-np.maximum(kl, 0).mean(0), kind="stable")[:MOST_LATENTS]
    places = {int(dimension): row for row, dimension in enumerate(order)}
    rows = [
        {
            "at": int(known[i]["step"]),
            "name": f"{int(known[i]['step']):,}",
            "kl": [round(float(value), 4) for value in kl[i, order]],
            "beta": known[i].get("beta"),
        }
        for i in (int(place) for place in thin(list(range(len(known))), MOST_ROWS))
    ]
    marks = [mark_event(event, places) for event in list_events(known)]
    return {
        "rows": rows,
        "names": [latent_name(dimension) for dimension in order],
        "marks": [mark for mark in marks if mark is not None],
        "dead": DEAD_NATS,
    }


def mark_event(event: Fate, places: Mapping[int, int]) -> dict[str, Any] | None:
    """Return where an event is marked, None where its latent is not shown."""
    if event.dimension not in places:
        return None
    return {
        "row": places[event.dimension],
        "kind": event.kind,
        "at": event.step,
        "after": event.after if event.is_coarse else None,
    }


def build_sweep_timeline(found: SweepAnswer) -> dict[str, Any]:
    """Return the same of a sweep's answer: a row a member, latents by their rank.

    Seeds have no distance: they stand one after another.
    """
    latents = min(found.latents, MOST_LATENTS)
    rows = []
    for place, member in enumerate(found.members):
        kl = [*member.kl, *([0.0] * latents)][:latents]
        rows.append(
            {
                "at": place + 1.0 if found.axis == "seed" else member.value,
                "name": f"{member.value:g}",
                "kl": [round(value, 4) for value in kl],
                "beta": None,
            }
        )
    marks = [
        {"row": fall.rank, "kind": "died", "at": fall.at, "after": fall.after}
        for fall in found.falls
        if fall.rank < latents
    ]
    names = [f"#{rank + 1}" for rank in range(latents)]
    return {"rows": rows, "names": names, "marks": marks, "dead": DEAD_NATS}
