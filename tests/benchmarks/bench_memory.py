"""What a server holds: megabytes and libraries after each page alone, and in an hour of turns.

Each page is opened on a server of its own; then one server is led through every page, part and
shipped model in three languages, and visitors come and go: as many turns as one who looks at a page
for ten seconds takes in an hour. Linux alone tells what a process holds.
"""

import os
import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from explorer.library import Library
from explorer.text import LANGUAGES
from tests.benchmarks.touring import (
    OF_A_MODEL,
    PAGES,
    PARTS,
    list_places,
    measure_memory,
)
from tests.visiting import Visitor

TURNS = 360
STAY = 12
"""Turns of a visitor, who then leaves."""
OPEN = 3
"""Visitors at a time."""
MOVES = 2
HEAD = "| {} | MB | processes beside it | libraries |\n|---|---|---|---|"
NAMED = ("torch", "pandas", "scipy", "sklearn")
"""Libraries whose memory is worth a name."""


def main(quick: bool = False) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        cache = str(Path(folder) / "cache")
        print(
            "| a server of its own for | MB | processes beside it | libraries |\n|---|---|---|---|"
        )
        with serve(runs, cache) as server:
            show("nothing yet", server)
        for again in ("first", "then"):
            for page in PAGES:
                with serve(runs, cache) as server, Visitor(server.url) as visitor:
                    visitor.turn(page)
                    show(f"{page or 'explore'}, {again}", server)
            if quick:
                break
        print("\n" + HEAD.format("one server for all"))
        with serve(runs, cache) as server:
            with Visitor(server.url) as visitor:
                for page in PAGES:
                    for place, query in list_places():
                        if place == page:
                            visitor.turn(place, query)
                    show(f"after {page or 'explore'}", server)
            models = [run.id for run in Library(runs).runs({"model", "map"})]
            turns = TURNS // 10 if quick else TURNS
            for part in range(1, 5):
                errors = stay(server.url, turns // 4, models, part)
                show(f"after {part * turns // 4} turns more, {errors} errors", server)
    print(f"\nLoad {os.getloadavg()[1]:.1f}")


@contextmanager
def serve(runs: Path, cache: str) -> Iterator[Any]:
    """Run a server that shares what others of this bench have kept on disk."""
    from tests.browser.conftest import Server

    server = Server(runs, LATENT_EXPLORER_CACHE=cache)
    try:
        yield server
    finally:
        server.stop()


def stay(url: str, turns: int, models: list[str], seed: int) -> int:
    """Let visitors turn pages and move sliders in turn; return how many errors they saw."""
    choose, errors = random.Random(seed), 0
    present: list[tuple[Visitor, int]] = []
    for number in range(turns):
        if len(present) < OPEN:
            present.append((Visitor(url).__enter__(), 0))
        visitor, seen = present.pop(0)
        page = choose.choice(PAGES)
        asked = [f"lang={choose.choice(list(LANGUAGES))}"]
        if page in OF_A_MODEL:
            asked.append(f"model={choose.choice(models)}")
        if page in PARTS:
            word, parts = PARTS[page]
            asked.append(f"{word}={choose.choice(parts)}")
        turn = visitor.turn(page, "&".join(asked))
        errors += len(turn.errors)
        for slider in turn.sliders[:1] * MOVES:
            errors += len(visitor.move(slider, choose.uniform(slider.low, slider.high)).errors)
        if seen + 1 < STAY and number + 1 < turns:
            present.append((visitor, seen + 1))
        else:
            visitor.__exit__(None, None, None)
    for visitor, _ in present:
        visitor.__exit__(None, None, None)
    return errors


def show(name: str, server: Any) -> None:
    """Print a row of what a server holds now."""
    pid = server.process.pid
    own, _, _, beside = measure_memory(pid)
    print(f"| {name} | {own:.0f} | {beside} | {', '.join(list_libraries(pid))} |", flush=True)


def list_libraries(pid: int) -> list[str]:
    """Return which of NAMED a process has loaded, by the files that are mapped into it."""
    try:
        mapped = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    except OSError:
        return ["not told here"]
    return [name for name in NAMED if re.search(rf"site-packages/{name}/", mapped)]


if __name__ == "__main__":
    main()
