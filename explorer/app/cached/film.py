"""The frames of films, encoded once for all visitors and ticks."""

from typing import Any

import numpy as np

from explorer.app.bounded import keep
from explorer.app.session import library
from explorer.codes import Array
from explorer.datasets.images import choose_probe
from explorer.export.film import encode_film_frame
from explorer.export.lab import Placing, encode_member_frame
from explorer.export.moments import encode_moment
from explorer.runs.run import Run, Snapshot


@keep
def _frame_for(path: str, step: int, stamp: str, axes: tuple[int, int]) -> dict[str, Any]:
    return encode_film_frame(Run(path).snapshot(step), axes)


def get_frame(run: Run, step: int, axes: tuple[int, int]) -> dict[str, Any]:
    """Return one frame of a run's film on two axes; an ExplorerError where it was cut away.

    A second axis of −1 is that of a model with one latent: its classes lie in rows.
    """
    return _frame_for(str(run.path), step, run.stamp(f"snapshots/{step:09d}.npz"), axes)


@keep
def _member_frame_for(path: str, step: int, stamp: str, placing: Placing) -> dict[str, Any]:
    return encode_member_frame(Run(path).snapshot(step), placing)


def get_member_frame(run: Run, step: int, placing: Placing) -> dict[str, Any]:
    """Return one frame of a model of a sweep; an ExplorerError where it was cut away."""
    stamp = run.stamp(f"snapshots/{step:09d}.npz")
    return _member_frame_for(str(run.path), step, stamp, placing)


@keep
def _moment_for(path: str, step: int, stamp: str, axes: tuple[int, int]) -> dict[str, Any]:
    return encode_moment(Run(path).snapshot(step), axes)


def get_moment(run: Run, step: int, axes: tuple[int, int]) -> dict[str, Any]:
    """Return a run's codes and latents at one frame; an ExplorerError where it was cut away."""
    return _moment_for(str(run.path), step, run.stamp(f"snapshots/{step:09d}.npz"), axes)


def get_inputs(run: Run, frame: Snapshot) -> Array | None:
    """Return the images (M, C, H, W) of which a frame holds reconstructions; None without them.

    A shipped film leaves them to their data set, where they are the first rows of its
    probe; of a sweep's films, that have fewer points, as well.
    """
    if frame.inputs is not None or frame.reconstructions is None or library().is_own(run):
        return frame.inputs
    dataset = library().images_of(run, at_once=True)
    if dataset is None:
        return None
    split = dataset.split("validation")
    rows = choose_probe(split)
    if split.labels is None or frame.labels is None:
        return None
    if not np.array_equal(split.labels[rows[: len(frame.labels)]], frame.labels):
        return None
    return split.images[rows[: len(frame.reconstructions)]]
