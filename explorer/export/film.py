"""A run's film as the browser plays it: codes on two axes, pictures and log points, in short."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer.codes import main_dimensions
from explorer.runs.run import Snapshot
from explorer.runs.trace import thin

MOST_FRAMES, MOST_POINTS, MOST_LOGGED = 200, 1000, 240
SHOWN_PICTURES = 10
ROW, TOP, GOLDEN = 0.35, 2.7, 0.618034
"""Of codes with one latent: a row's height, the first one's middle, how codes lie in it."""
UNIT = 1000.0
"""Codes are sent as whole thousandths, up to ±32.7."""


def describe_film(
    run: Any,
    newest: Snapshot,
    frames: Sequence[Mapping[str, Any]],
    points: Sequence[Mapping[str, Any]],
    axes: tuple[int, int],
    beta: str,
    words: Mapping[str, str],
) -> dict[str, Any]:
    """Return what the stage is given: `frames` as `encode_frame` does, all or what is new.

    `run` is an `explorer.runs.run.Run`, `points` its log; `words` are the sentences of stage.
    """
    info = run.info
    labels = newest.labels
    return {
        "run": run.id,
        "axes": list(axes),
        "frames": list(frames),
        "labels": None if labels is None else [int(label) for label in labels[:MOST_POINTS]],
        "names": list(info.dataset.class_names) if info.dataset else [],
        "inputs": encode_pictures(newest.inputs),
        "log": encode_log(points),
        "rings": info.has_shares and axes[1] >= 0,
        "beta": beta if info.has_density else "",  # Without a KL it weighs nothing.
        "words": dict(words),
    }


def describe_empty_film(run: Any, waiting: str, words: Mapping[str, str]) -> dict[str, Any]:
    """Return what the stage is given of a run without a frame; `waiting` says what it waits for."""
    return {
        "run": run.id,
        "axes": [],
        "frames": [],
        "labels": None,
        "names": [],
        "inputs": None,
        "log": [],
        "rings": run.info.has_shares,
        "beta": "",
        "waiting": waiting,
        "words": dict(words),
    }


def choose_frames(steps: Sequence[int], most: int = MOST_FRAMES) -> list[int]:
    """Return the steps whose frames are played: all of them, or evenly taken ones."""
    if most == 1:
        return [int(step) for step in steps[-1:]]
    return [int(step) for step in thin(list(steps), most)]


def choose_axes(newest: Snapshot, has_shares: bool) -> tuple[int, int]:
    """Return the two dimensions that a film is played on; (0, −1) of a model with one latent."""
    if newest.mean.shape[1] == 1:
        return 0, -1
    return main_dimensions(newest.mean, newest.logvar, has_shares)


def encode_film_frame(frame: Snapshot, axes: tuple[int, int]) -> dict[str, Any]:
    """Return a frame on the axes that `choose_axes` found, on a plane or on a line."""
    return encode_line_frame(frame) if axes[1] < 0 else encode_frame(frame, axes)


def encode_frame(
    frame: Snapshot, axes: tuple[int, int], signs: tuple[float, float] = (1.0, 1.0)
) -> dict[str, Any]:
    """Return a frame: its step, codes (N, 2) as int16 thousandths, and its pictures, as base64.

    Where a model has no dimension for an axis (−1), its codes lie at 0 there.
    """
    return _encode_codes(frame, lay_out(frame.mean[:MOST_POINTS], axes, signs))


def encode_line_frame(frame: Snapshot) -> dict[str, Any]:
    """Return a frame of a model with one latent as `encode_frame` does: each class in its own row.

    Rows, and places within them, tell nothing of the model: codes would lie on one another.
    """
    codes = lay_out(frame.mean[:MOST_POINTS], (0, -1))
    count = len(codes)
    # Multiples of the golden ratio lie evenly in a row, whatever its length.
    codes[:, 1] = ROW * ((np.arange(count) * GOLDEN) % 1.0 - 0.5)
    if frame.labels is not None:
        classes, rows = np.unique(frame.labels, return_inverse=True)
        codes[:, 1] += np.linspace(TOP, -TOP, len(classes))[rows[:count]] if len(classes) > 1 else 0
    return _encode_codes(frame, codes)


def _encode_codes(frame: Snapshot, codes: Any) -> dict[str, Any]:
    held = np.clip(np.nan_to_num(codes) * UNIT, -32767, 32767).round().astype("<i2")
    return {
        "step": frame.step,
        "codes": _encode(held),
        "made": encode_pictures(frame.reconstructions),
    }


def lay_out(mean: Any, axes: tuple[int, int], signs: tuple[float, float] = (1.0, 1.0)) -> Any:
    """Return codes (N, K) on two axes (N, 2), 0 where the model has no dimension for one (−1)."""
    codes = np.zeros((len(mean), 2), np.float32)
    for place, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        if axis >= 0:
            codes[:, place] = sign * mean[:, axis]
    return codes


def encode_pictures(pictures: Any, most: int = SHOWN_PICTURES) -> dict[str, Any] | None:
    """Return uint8 pictures (M, C, H, W), the first of them, with their shape; None without any."""
    if pictures is None:
        return None
    shown = np.ascontiguousarray(pictures[:most])
    return {"shape": list(shown.shape), "bytes": _encode(shown)}


def encode_log(
    points: Sequence[Mapping[str, Any]], most: int = MOST_LOGGED
) -> list[dict[str, Any]]:
    """Return log points with what a stage shows: step, reconstruction, kl, kl_per_dim and beta."""
    places = thin(list(range(len(points))), most)
    names = ("step", "reconstruction", "kl", "kl_per_dim", "beta")
    return [{name: points[int(i)].get(name) for name in names} for i in places]


def _encode(array: Any) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")
