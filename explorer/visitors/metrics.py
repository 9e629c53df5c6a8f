"""One line for whoever runs a server: how many, how much, and nothing of anybody."""

import os
import time

from explorer.jobs.process import resident_bytes
from explorer.visitors.house import House

HERE_SECONDS = 300.0
"""Somebody seen within so long is here."""


def write_metrics(house: House) -> str:
    """Return the server's state in one line of NAME=NUMBER after "ok"."""
    from explorer.jobs.host import peek_runner

    runner = peek_runner()
    training, waiting = (0, 0) if runner is None else runner.count()
    values = {
        "visitors": house.count(since=time.time() - HERE_SECONDS),
        "kept": house.count(),
        "training": training,
        "waiting": waiting,
        "memory_mb": round((resident_bytes(os.getpid()) or 0) / 1e6),
        "refused": house.refused,
    }
    return " ".join(["ok", *(f"{name}={value}" for name, value in values.items())]) + "\n"
