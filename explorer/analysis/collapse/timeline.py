"""When did each latent dimension die or wake? From the KL that training logged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

DEAD_NATS = 0.01
"""Below this mean KL a dimension is asleep."""
AWAKE_NATS = 0.03
"""Above this it is awake; in between it stays what it was, so that noise makes no events."""


@dataclass(frozen=True)
class Event:
    """A dimension that died or woke at a step: `kind` is "died" or "woke"."""

    dimension: int
    step: int
    kind: str


def find_events(steps: ArrayLike, kl_per_dim: ArrayLike) -> list[Event]:
    """Return the events of KL (T, K) in nats over steps (T,), in order of step.

    >>> find_events([0, 10, 20, 30], [[1.0, 0], [0.5, 0], [0.001, 0.2], [0.002, 0.3]])
    [Event(dimension=0, step=20, kind='died'), Event(dimension=1, step=20, kind='woke')]
    """
    kl = np.asarray(kl_per_dim, dtype=np.float64)
    events = []
    if kl.ndim == 2 and len(kl):
        awake = kl[0] > DEAD_NATS
        for step, row in zip(np.asarray(steps).tolist(), kl, strict=True):
            now = np.where(row < DEAD_NATS, False, np.where(row > AWAKE_NATS, True, awake))
            for index in np.flatnonzero(now != awake):
                events.append(Event(int(index), int(step), "woke" if now[index] else "died"))
            awake = now
    return events
