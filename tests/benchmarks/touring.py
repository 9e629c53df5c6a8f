"""What a page costs the server: CPU seconds of one visitor's turns, first and then again.

They hardly depend on what else the machine does, and say how many visitors a core is enough for.
"""

import os
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.opening import BARE, BARE_FLAGS
from tests.visiting import Visitor

MODELS = ("digits-2d", "mnist-2d", "mnist-20d", "strokes-vae-2d", "strokes-mixture-2d")
PAGES = ("", "learn", "train", "beta", "collapse", "elbo", "models", "runs")
OF_A_MODEL = ("", "collapse", "elbo")
PARTS = {
    "learn": ("chapter", "latents mixture elbo kl sigma reparameterise collapse notation".split()),
    "elbo": ("section", "microscope reveal samples chains players".split()),
    "models": ("section", ["compare", "codebook"]),
}
"""What a page's address says besides: a chapter of Learn costs another thing than the next."""
SETTLE_SECONDS = 0.05
BARE_TURNS = 20


def list_places() -> Iterator[tuple[str, str]]:
    """Yield every page with every part and model: its name and its address's query."""
    for page in PAGES:
        word, parts = PARTS.get(page, ("", [""]))
        for model in MODELS if page in OF_A_MODEL else ("",):
            for part in parts:
                asked = [f"model={model}"] * bool(model) + [f"{word}={part}"] * bool(part)
                yield page, "&".join(asked)


def cpu_seconds(pid: int) -> float:
    """Return what a process has used so far; NaN where the platform does not tell."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return float("nan")
    user, system = told.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def measure_memory(pid: int) -> tuple[float, float, int, int]:
    """Return megabytes of a process, those of its children too, its threads and its children."""
    shown = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,rss=,nlwp="], capture_output=True, text=True, check=True
    )
    rows = [[int(part) for part in line.split()] for line in shown.stdout.splitlines()]
    own = next(row for row in rows if row[0] == pid)
    children = [row[2] for row in rows if row[1] == pid]
    return own[2] / 1024, (own[2] + sum(children)) / 1024, own[3], len(children)


def tour(server: Any, visitor: Visitor) -> dict[str, list[float]]:
    """Turn to every place once; return the server's CPU seconds by page."""
    found = defaultdict(list)
    for page, query in list_places():
        found[page or "explore"].append(turn_once(server, visitor, page, query))
    return found


def turn_once(server: Any, visitor: Visitor, page: str, query: str = "") -> float:
    """Return the CPU seconds of one turn, what the server does after its end among them."""
    before = cpu_seconds(server.process.pid)
    visitor.turn(page, query)
    time.sleep(SETTLE_SECONDS)
    return cpu_seconds(server.process.pid) - before


def measure_bare_page(runs: Path) -> float:
    """Return the CPU seconds of a turn of a bare Streamlit page, which no app goes below."""
    from tests.browser.conftest import Server

    server = Server(runs, BARE, BARE_FLAGS)
    try:
        with Visitor(server.url) as visitor:
            visitor.turn()
            before = cpu_seconds(server.process.pid)
            for _ in range(BARE_TURNS):
                visitor.turn()
            return (cpu_seconds(server.process.pid) - before) / BARE_TURNS
    finally:
        server.stop()


def show_tours(tours: list[dict[str, list[float]]], bare: float) -> None:
    """Print means of a page's turns: on the first tour, and on those after it."""
    print("\n| one visitor, CPU ms a turn | first | then | most, then |\n|---|---|---|---|")
    for page in tours[0]:
        later = [value for tour in tours[1:] for value in tour[page]]
        first = statistics.mean(tours[0][page])
        shown = (first, statistics.mean(later), max(later))
        print(f"| {page} |" + "".join(f" {1000 * value:.0f} |" for value in shown))
    print(f"| a bare page of Streamlit | | {1000 * bare:.0f} | |")
