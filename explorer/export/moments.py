"""The codes of a training at its moments, as the browser's timeline shows them at its playhead."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.codes import kl_of_codes, latent_name
from explorer.export.film import MOST_POINTS, choose_frames, encode_film_frame
from explorer.runs.run import Snapshot

MOST_MOMENTS = 120
LAST = 3
"""Frames that go along every time: one that the browser missed comes once more."""


def describe_moments(
    run: Any,
    newest: Snapshot,
    axes: tuple[int, int],
    steps: Sequence[int],
    words: Mapping[str, str],
) -> dict[str, Any]:
    """Return what the timeline is given beside the frames (`encode_moment`) at `steps`.

    `run` is an `explorer.runs.run.Run`, `axes` are `choose_axes` of its newest frame; `words` are
    the sentences map and plane, and the names of the plane's axes.
    """
    dataset, labels = run.info.dataset, newest.labels
    return {
        "placing": f"{run.id} {axes}",
        "steps": choose_moments(steps),
        "labels": None if labels is None else [int(label) for label in labels[:MOST_POINTS]],
        "classes": list(dataset.class_names) if dataset else [],
        "axes": [latent_name(axis) for axis in axes if axis >= 0],
        "latents": [latent_name(index) for index in range(newest.mean.shape[1])],
        "rings": run.info.has_shares and axes[1] >= 0,
        "dead": DEAD_NATS,
        "words": dict(words),
    }


def choose_moments(steps: Sequence[int]) -> list[int]:
    """Return the steps whose codes are shown: all of them, or evenly taken ones."""
    return choose_frames(steps, MOST_MOMENTS)


def encode_moment(frame: Snapshot, axes: tuple[int, int]) -> dict[str, Any]:
    """Return a frame's codes as a film has them, without pictures, and its latents' measures."""
    return {**encode_film_frame(frame, axes), "made": None, "measures": measure_latents(frame)}


def measure_latents(frame: Snapshot) -> dict[str, list[float]] | None:
    """Return Var μ, mean σ² and KL (nats) of each latent; None without log-variances."""
    if frame.logvar is None:
        return None
    mean, logvar = frame.mean.astype(np.float64), frame.logvar.astype(np.float64)
    measures = {
        "var_mean": mean.var(0),
        "mean_var": np.exp(logvar).mean(0),
        "kl": kl_of_codes(mean, logvar).mean(0),
    }
    # What a diverged training left is no number that a browser could read.
    return {
        name: [round(float(value), 4) for value in np.nan_to_num(values)]
        for name, values in measures.items()
    }
