"""Codes as they are judged, with what must be said of them first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.checks import Floats, plain
from explorer.analysis.codes_in.gaps import Gaps
from explorer.analysis.codes_in.spread import Spread
from explorer.analysis.codes_in.told import Told

JUDGED_VALUES, FEWEST_JUDGED = 1_000_000, 2000
"""Of larger files so many values of mean are judged, of at least so many items: some seconds."""


@dataclass(frozen=True)
class CodesIn:
    """Codes as they are judged: mean and logvar (M, K), logvar None for means alone.

    Of grids that are judged per channel `positions` is their shape, (H, W): the rows of an item
    follow one another in that order, unless some were left out for NaN.
    `rows` (M,) are the items in the file that the rows come from and `count` how many it has;
    `dimensions` (K,) the indices of the latents that are kept. `labels` (M,) are numbers into
    `class_names` or None; `columns` further values (M,) by name. With steps (T,) there is
    `kl_per_dim` (T, K) and mean and logvar are those of the last. `spread` says how the second
    array is read, `found` what the file holds, `told` what must be said above the verdicts.
    """

    name: str
    mean: Floats
    logvar: Floats | None
    rows: NDArray[np.int64]
    count: int
    dimensions: tuple[int, ...]
    axes: str = "NK"
    positions: tuple[int, ...] = ()
    steps: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    kl_per_dim: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    labels: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] = ()
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    spread: Spread | None = None
    gaps: Gaps | None = None
    found: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()

    def judged(self) -> tuple[Floats, Floats | None]:
        """Return mean and logvar to be judged: all rows, or some evenly spread over them."""
        most = max(FEWEST_JUDGED, JUDGED_VALUES // self.mean.shape[1])
        if len(self.mean) <= most:
            return self.mean, self.logvar
        chosen = np.linspace(0, len(self.mean) - 1, most).astype(int)
        return self.mean[chosen], None if self.logvar is None else self.logvar[chosen]

    def points(self) -> list[dict[str, Any]]:
        """Return the timeline as log points, as a run's metrics have them."""
        return [
            {"step": int(step), "kl_per_dim": kl.tolist()}
            for step, kl in zip(self.steps, self.kl_per_dim, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return what is said of the file as plain values, the codes themselves apart."""
        spread = None if self.spread is None else self.spread.to_dict()
        return plain({
            "name": self.name, "items": self.count, "rows": len(self.mean),
            "latent_dim": self.mean.shape[1], "dimensions": self.dimensions, "axes": self.axes,
            "means_alone": self.logvar is None, "spread": spread, "gaps": self.gaps,
            "classes": self.class_names, "columns": sorted(self.columns), "found": self.found,
            "told": [told.to_dict() for told in self.told],
        })  # fmt: skip
