"""Whether a run directory is what its format says: one sentence for each fault, and where it is."""

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from explorer.archives.npz import load_arrays
from explorer.errors import ExplorerError, shorten
from explorer.files import parse_json, read_json, read_limited
from explorer.runs.arrays import tidy_codes, tidy_frame
from explorer.runs.fields import LARGEST_WHOLE, is_text
from explorer.runs.info import LIVE_STATES, RunInfo, UnreadableRun
from explorer.runs.points import ROUNDING, find_fault
from explorer.runs.run import LARGEST_LOG, LONGEST_NAME, RUN_ID, Run
from explorer.runs.schema import describe_field

MOST_PER_FILE = 10
"""Faults of one file that are told; the first of many tells what the others are."""
AGREEMENT = 1e-3
"""By which parts may miss their sum, as a share of the largest: logs keep six digits, or fewer."""


@dataclass(frozen=True)
class Fault:
    """What is wrong, in one sentence, and where: a file of the folder and a place in it."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}{self.place and ', ' + self.place}: {self.message}"


def find_runs(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the run directories of `folder`: itself, or those within it; an error without any."""
    path = Path(os.path.abspath(folder))
    if os.path.isfile(path / "run.json"):
        return [path]
    within = sorted(found.parent for found in path.glob("*/run.json")) if path.is_dir() else []
    if not within:
        raise ExplorerError(f"There is no run.json in {shorten(str(folder), 200)}.")
    return within


def check_run(folder: str | os.PathLike[str]) -> list[Fault]:
    """Return every fault of the run in `folder`, by the readers that all pages use.

    No fault means that every page which the run's kind has can show it. Of each file the first
    `MOST_PER_FILE` are told.
    """
    run = Run(Path(os.path.abspath(folder)))
    faults = []
    if not RUN_ID.fullmatch(run.id):
        faults.append(
            Fault(
                ".",
                "",
                "The folder's name may hold letters, digits, dots, dashes and underscores "
                "alone, 80 at most, and begins with a letter or a digit.",
            )
        )
    try:
        info = run.info
    except UnreadableRun as error:
        return [*faults, Fault("run.json", "", _say_part(error))]
    parts = (
        _check_results(info),
        _check_log(run, info),
        _check_film(run, info),
        _check_codes(run, info),
        _check_viewer(run),
        _check_weights(run, info),
    )
    return [*faults, *(fault for part in parts for fault in islice(part, MOST_PER_FILE))]


def _say_part(error: UnreadableRun) -> str:
    """Say what a field of run.json must be; whatever else is wrong, as the reader says it."""
    if error.code == "part" and error.detail != "config":
        meant = describe_field(error.detail)
        if meant is None:
            return f"{error.detail} is no field of a run description."
        return f"{error.detail} is missing or not what it must be: {meant}."
    return f"It {str(error).rpartition('run.json ')[2]}"  # Its path is the fault's place.


def _check_results(info: RunInfo) -> Iterator[Fault]:
    for split, figures in info.results.items():
        for message in _disagreements(figures):
            yield Fault("run.json", f"results.{split}", message)


def _check_log(run: Run, info: RunInfo) -> Iterator[Fault]:
    path = run.path / "metrics.jsonl"
    if not path.exists():
        return
    try:
        lines = read_limited(path, LARGEST_LOG).split(b"\n")
    except OSError as error:
        yield Fault(path.name, "", f"It cannot be read: {error.strerror or error}.")
        return
    except ExplorerError as error:
        yield Fault(path.name, "", str(error))
        return
    last: dict[str, tuple[int, int]] = {}
    for number, line in enumerate(lines[:-1], 1):
        place = f"line {number:,}"
        try:
            point = parse_json(line)
        except ValueError:
            yield Fault(path.name, place, "It is no JSON in UTF-8; NaN and Infinity are none.")
            continue
        wrong = find_fault(point, info.latent_dim)
        if wrong is not None:
            yield Fault(path.name, place, f"{wrong[0].upper()}{wrong[1:]}.")
            continue
        for message in _disagreements(point):
            yield Fault(path.name, place, message)
        split, step = point.get("split", ""), point["step"]
        before, where = last.get(split, (0, 0))
        if step < before:
            yield Fault(
                path.name,
                place,
                f"Step {step:,} follows step {before:,} (line {where:,}) of the "
                "same split; steps never fall.",
            )
        last[split] = step, number
    if lines[-1] and info.status.state not in LIVE_STATES:
        yield Fault(path.name, f"line {len(lines):,}", "Its end is missing; it is not read.")


def _disagreements(point: Any) -> Iterator[str]:
    """Say which figures do not agree: the ELBO with its terms, KL with its shares."""
    reconstruction, kl, elbo = (point.get(key) for key in ("reconstruction", "kl", "elbo"))
    shares = point.get("kl_per_dim")
    if None not in (reconstruction, kl, elbo) and not _agree(elbo, [-reconstruction, -kl]):
        yield (
            f"elbo is {elbo:g}, but −(reconstruction + kl) is {-(reconstruction + kl):g}: the ELBO "
            "has no β; what was optimised is the objective."
        )
    if kl is not None and shares is not None and not _agree(kl, shares):
        yield f"kl is {kl:g}, but kl_per_dim sums to {math.fsum(shares):g}."


def _agree(whole: float, parts: Sequence[float]) -> bool:
    size = max(1.0, abs(whole), sum(map(abs, parts)))
    return abs(whole - math.fsum(parts)) <= max(AGREEMENT * size, ROUNDING)


def _check_film(run: Run, info: RunInfo) -> Iterator[Fault]:
    folder = run.path / "snapshots"
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        name = f"snapshots/{path.name}"
        if path.name.startswith("."):
            continue  # Being written.
        step = path.stem
        is_step = step.isascii() and step.isdecimal() and int(step) <= LARGEST_WHOLE
        if path.suffix != ".npz" or not is_step or f"{int(step):09d}" != step:
            yield Fault(name, "", "A frame is named by its step, such as 000000100.npz.")
        else:
            yield from _check_arrays(path, name, lambda arrays: tidy_frame(arrays, info))


def _check_codes(run: Run, info: RunInfo) -> Iterator[Fault]:
    path = run.path / "codes.npz"
    if path.exists():
        yield from _check_arrays(path, path.name, lambda arrays: tidy_codes(arrays, info))


def _check_arrays(path: Path, name: str, tidy: Callable[[Any], Any]) -> Iterator[Fault]:
    try:
        tidy(load_arrays(path, name="It"))
    except ExplorerError as error:
        yield Fault(name, "", str(error))


def _check_viewer(run: Run) -> Iterator[Fault]:
    path = run.path / "viewer.json"
    if not path.exists():
        return
    try:
        values = read_json(path)
    except ExplorerError:
        yield Fault(path.name, "", "It is no JSON in UTF-8.")
        return
    name = values.get("name", run.id) if isinstance(values, dict) else None
    if not name or not is_text(name, LONGEST_NAME):
        yield Fault(path.name, "", f"It is a table whose name has 1 to {LONGEST_NAME} characters.")


def _check_weights(run: Run, info: RunInfo) -> Iterator[Fault]:
    if not info.has_model or info.status.state in LIVE_STATES:
        return
    try:
        _ = run.model
    except ExplorerError as error:
        yield Fault("checkpoint.safetensors", "", str(error))


def describe_faults(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what `latent-explorer check` tells: how many runs, and each fault with its run."""
    runs = find_runs(folder)
    faults = [(run.name, fault) for run in runs for fault in check_run(run)]
    rows = [{"run": name, **vars(fault), "text": str(fault)} for name, fault in faults]
    return json.loads(json.dumps({"runs": [run.name for run in runs], "faults": rows}))
