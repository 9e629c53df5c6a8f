"""Anyone's codes from an .npz file: of one moment, or over the steps of a training."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.analysis.checks import Floats, check_codes
from explorer.errors import ExplorerError


@dataclass(frozen=True)
class OwnCodes:
    """The last moment's mean and logvar (N, K), and KL (T, K) in nats at steps (T,).

    Without an array `steps` in the file T is 0: there is no timeline.
    """

    mean: Floats
    logvar: Floats
    steps: np.ndarray
    kl_per_dim: Floats

    def points(self) -> list[dict[str, Any]]:
        """Return the timeline as log points, as a run's metrics have them."""
        return [
            {"step": int(step), "kl_per_dim": kl.tolist()}
            for step, kl in zip(self.steps, self.kl_per_dim, strict=True)
        ]


def read_codes(path: str | os.PathLike[str], name: str | None = None) -> OwnCodes:
    """Read mean and logvar, both (N, K), or both (T, N, K) with steps (T,), from an .npz file.

    `name` is what errors call the file. ExplorerError for a file that is none, for wrong shapes,
    for steps that do not rise and for values that are no codes.
    """
    name = name or str(path)
    try:
        with np.load(Path(path), allow_pickle=False) as archive:
            missing = {"mean", "logvar"} - set(archive.files)
            if missing:
                raise ExplorerError(
                    f"{name} has no array {sorted(missing)[0]!r}; it needs mean and logvar (N, K)."
                )
            mean, logvar = archive["mean"], archive["logvar"]
            steps = archive["steps"] if "steps" in archive.files else None
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ExplorerError(f"{name} cannot be read as an .npz file of codes.") from error
    if any(array.dtype.kind not in "fiu" for array in (mean, logvar)):
        raise ExplorerError(f"{name} holds codes that are no real numbers.")
    if steps is None:
        if mean.ndim == 3:
            raise ExplorerError(
                f"{name} holds codes (T, N, K) without their steps; add an array steps (T,)."
            )
        mu, lv = check_codes(mean, logvar)
        return OwnCodes(mu, lv, np.zeros(0, np.int64), np.zeros((0, mu.shape[1])))
    return _read_timeline(name, mean, logvar, steps)


def _read_timeline(name: str, mean: np.ndarray, logvar: np.ndarray, steps: np.ndarray) -> OwnCodes:
    if mean.ndim != 3 or mean.shape != logvar.shape or steps.shape != mean.shape[:1]:
        raise ExplorerError(
            f"With steps (T,), mean and logvar are (T, N, K); in {name} steps is {steps.shape}, "
            f"mean {mean.shape}, logvar {logvar.shape}."
        )
    if not mean.size:
        raise ExplorerError(f"{name} holds no codes: its arrays are empty.")
    rising = steps.dtype.kind in "iuf" and bool(np.isfinite(steps).all())
    rising = rising and bool((steps == np.round(steps)).all()) and bool((np.diff(steps) > 0).all())
    if not rising or steps[0] < 0:
        raise ExplorerError(f"The steps in {name} must be whole numbers from 0 that rise.")
    kl = np.zeros((len(steps), mean.shape[2]))
    for index in range(len(steps)):
        mu, lv = check_codes(mean[index], logvar[index])
        kl[index] = 0.5 * (np.expm1(lv) - lv + mu**2).mean(0)
    return OwnCodes(mu, lv, steps.astype(np.int64), kl)
