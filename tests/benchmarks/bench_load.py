"""A class at once: visitors who turn pages, change models and move sliders, without and with a job.

Thirty sockets speak Streamlit's own protocol with one server on the loopback address; what a page
costs is the time from the request to the end of its script, and the server's CPU seconds, which
other work on the machine leaves alone. --minutes=N is the time of each of the two halves,
--visitors=N their number. The browser's own work is in none of the figures.
"""

import dataclasses
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from explorer.jobs.queue import LocalRunner
from explorer.recipes import default_config
from tests.benchmarks.touring import (
    MODELS,
    OF_A_MODEL,
    PAGES,
    PARTS,
    cpu_seconds,
    measure_bare_page,
    measure_memory,
    show_tours,
    tour,
)
from tests.visiting import Turn, Visitor

PAUSE_SECONDS = 10.0
"""From the end of one page to the next, on average."""
MOVES = 3
TOURS = 3


class Notes:
    """What all visitors saw: seconds by page, and what went wrong."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.errors: dict[str, list[str]] = defaultdict(list)
        self.cpu_seconds = 0.0
        """Of the server, meanwhile."""

    def note(self, what: str, turn: Turn) -> None:
        with self.lock:
            self.seconds[what].append(turn.seconds)
            self.errors[what] += turn.errors

    def fail(self, what: str, error: Exception) -> None:
        with self.lock:
            self.errors[what].append(f"{type(error).__name__}: {error}")


def visit(url: str, seed: int, deadline: float, notes: Notes) -> None:
    """Turn pages at random until the deadline, as one visitor."""
    choose = random.Random(seed)
    page = "connect"
    try:
        with Visitor(url) as visitor:
            while time.monotonic() < deadline:
                page = choose.choice(PAGES)
                asked = [f"model={choose.choice(MODELS)}"] if page in OF_A_MODEL else []
                if page in PARTS:
                    word, parts = PARTS[page]
                    asked.append(f"{word}={choose.choice(parts)}")
                turn = visitor.turn(page, "&".join(asked))
                notes.note(page or "explore", turn)
                for slider in turn.sliders[:1] * MOVES:
                    moved = visitor.move(slider, choose.uniform(slider.low, slider.high))
                    notes.note("a slider", moved)
                rest = choose.uniform(0.5, 1.5) * PAUSE_SECONDS
                time.sleep(max(0.0, min(rest, deadline - time.monotonic())))
    except Exception as error:  # The others go on; the table tells.
        notes.fail(page or "explore", error)


def crowd(server: Any, visitors: int, minutes: float) -> Notes:
    """Let visitors come within one pause of each other, and return what they saw."""
    notes, deadline = Notes(), time.monotonic() + 60 * minutes
    before = cpu_seconds(server.process.pid)
    threads = [
        threading.Thread(target=visit, args=(server.url, seed, deadline, notes))
        for seed in range(visitors)
    ]
    for thread in threads:
        thread.start()
        time.sleep(PAUSE_SECONDS / visitors)
    for thread in threads:
        thread.join()
    notes.cpu_seconds = cpu_seconds(server.process.pid) - before
    return notes


def option(name: str, start: float) -> float:
    """Return the number that the command line gives as --name=N."""
    given = [part.partition("=")[2] for part in sys.argv if part.startswith(f"--{name}=")]
    return float(given[-1]) if given else start


def main(quick: bool = False) -> None:
    from tests.browser.conftest import Server

    minutes = option("minutes", 0.5 if quick else 7.5)
    visitors = int(option("visitors", 8 if quick else 30))
    state: list[tuple[str, tuple[float, float, int, int]]] = []
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        server = Server(runs, LATENT_EXPLORER_CACHE=str(Path(folder) / "cache"))
        runner = LocalRunner()
        try:
            with Visitor(server.url) as first:
                tours = [tour(server, first) for _ in range(2 if quick else TOURS)]
            state.append(("one visitor has seen all pages", measure_memory(server.process.pid)))
            idle = crowd(server, visitors, minutes)
            state.append((f"after {visitors} visitors", measure_memory(server.process.pid)))
            config = default_config("digits", 2, 60 * minutes)
            future = runner.submit(dataclasses.replace(config, seed=1), runs / "job")
            busy = crowd(server, visitors, minutes)
            state.append(("after as many beside a training", measure_memory(server.process.pid)))
            runner.stop(runs / "job")
            future.result()
            time.sleep(5 if quick else 60)
            state.append(("all have left", measure_memory(server.process.pid)))
        finally:
            server.stop()
            runner.close()
        bare = measure_bare_page(runs)
    cores, load = os.cpu_count(), os.getloadavg()[1]
    print(f"{visitors} visitors, {minutes:g} minutes a half, {cores} cores, load {load:.1f}")
    for name, notes in (("idle", idle), ("beside a training", busy)):
        show(name, notes)
    show_tours(tours, bare)
    print("\n| server | RSS, MB | with its processes, MB | threads |\n|---|---|---|---|")
    for name, (own, all_of_it, threads, _) in state:
        print(f"| {name} | {own:.0f} | {all_of_it:.0f} | {threads} |")


def show(name: str, notes: Notes) -> None:
    """Print the table of what visitors saw, and the first error of each page."""
    print(f"\n| {name} | turns | median, s | p95, s | errors |\n|---|---|---|---|---|")
    everything = [value for values in notes.seconds.values() for value in values]
    rows = sorted({*notes.seconds, *notes.errors})
    for row, values in [*((row, notes.seconds.get(row, [])) for row in rows), ("all", everything)]:
        failed = sum(map(len, notes.errors.values())) if row == "all" else len(notes.errors[row])
        middle = f"{statistics.median(values):.2f} | {percentile(values):.2f}" if values else "|"
        print(f"| {row} | {len(values)} | {middle} | {failed} |")
    print(f"\nThe server used {notes.cpu_seconds / len(everything):.3f} CPU s a turn.")
    for row, errors in notes.errors.items():
        if errors:
            print(f"\n{row}: {errors[0]}")


def percentile(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


if __name__ == "__main__":
    main()
