"""Scale and shift of latents, as latent diffusion asks for them: where 0.18215 comes from.

Rombach et al. (2022, appendix G) divide latents by the standard deviation of all their values,
scaling_factor = 1/std; others subtract their mean first (shift_factor) or do both per channel
(latents_mean, latents_std). Nothing is said of how good the pictures will be.
"""

import math
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from explorer.analysis.checks import Floats, plain
from explorer.analysis.codes_in.arrays import Progress
from explorer.analysis.codes_in.axes import AxesNeeded
from explorer.analysis.codes_in.reading import read_any_codes
from explorer.analysis.codes_in.result import CodesIn
from explorer.analysis.codes_in.spectrum import (
    FEWEST_POSITIONS,
    RadialSpectrum,
    measure_spectrum,
)
from explorer.analysis.codes_in.told import Told

AS_GIVEN = (
    "One array without a spread: its values are taken for the latents that are used. If they are "
    "means and samples are used, σ² is missing from their standard deviation."
)
SAID_HERE = ("means_alone", "sample_or_mean")


@dataclass(frozen=True)
class LatentScale:
    """Latents in figures, arrays (C,) per channel and numbers over all values together.

    `mean` and `std_means` are of μ, `mean_sigma` is E σ, `std` that of samples, by the law of total
    variance and without drawing any. Without a spread `std_means` and `mean_sigma` are None, and
    mean and std are of the values as given (`samples_of` is "values", else "moments").
    """

    name: str
    mean: Floats
    std_means: Floats | None
    mean_sigma: Floats | None
    std: Floats
    global_mean: float
    global_std_means: float | None
    global_std: float
    channels: tuple[int, ...]
    items: int
    axes: str
    told: tuple[Told, ...] = ()
    spectrum: RadialSpectrum | None = None
    """Of μ, or of the values as given; None where they have no two axes of positions."""

    @property
    def samples_of(self) -> str:
        """Whether samples are those of two moments, or the values as given."""
        return "values" if self.std_means is None else "moments"

    @property
    def scaling_factor(self) -> float | None:
        """1/std of all values of samples; None where they are all equal."""
        return 1 / self.global_std if self.global_std > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, under the names that diffusion configurations use."""
        return plain({
            "name": self.name, "items": self.items, "axes": self.axes, "channels": self.channels,
            "samples_of": self.samples_of, "note": AS_GIVEN * (self.std_means is None) or None,
            "latents_mean": self.mean, "latents_std": self.std,
            "std_of_means": self.std_means, "mean_sigma": self.mean_sigma,
            "global_mean": self.global_mean, "global_std_of_means": self.global_std_means,
            "global_std": self.global_std, "scaling_factor": self.scaling_factor,
            "radial_spectrum": self.spectrum and vars(self.spectrum),
            "shift_factor": self.global_mean, "told": [told.to_dict() for told in self.told],
        })  # fmt: skip


def read_latent_scale(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    name: str | None = None,
    *,
    axes: str | None = None,
    spread: str | None = None,
    progress: Progress | None = None,
) -> LatentScale:
    """Return scale and shift of a file of latents: two moments, or samples alone.

    What the file may be: `read_any_codes`. Of four axes and more the usual order with the fewest
    channels is taken where `axes` says none, and that is told; of three, AxesNeeded asks.
    """
    try:
        codes = read_any_codes(source, name, axes=axes, spread=spread, progress=progress)
    except AxesNeeded as needed:
        usual = _fewest_channels(needed)
        if usual is None:
            raise
        codes = read_any_codes(source, name, axes=usual, spread=spread, progress=progress)
    return measure_scale(codes)


def measure_scale(codes: CodesIn) -> LatentScale:
    """Return scale and shift of codes whose columns are channels."""
    mu = codes.mean
    mean, between = mu.mean(0), mu.var(0)
    sigma = None if codes.logvar is None else np.exp(0.5 * codes.logvar)
    total = between + (0.0 if sigma is None else (sigma**2).mean(0))
    return LatentScale(
        name=codes.name,
        mean=mean,
        std_means=None if sigma is None else np.sqrt(between),
        mean_sigma=None if sigma is None else sigma.mean(0),
        std=np.sqrt(total),
        global_mean=float(mean.mean()),
        global_std_means=None if sigma is None else _whole_std(mean, between),
        global_std=_whole_std(mean, total),
        channels=codes.dimensions,
        items=codes.count,
        axes=codes.axes,
        told=tuple(told for told in codes.told if told.code not in SAID_HERE),
        spectrum=_measure_spectrum(codes),
    )


def _measure_spectrum(codes: CodesIn) -> RadialSpectrum | None:
    items = len(np.unique(codes.rows))
    whole = len(codes.mean) == items * math.prod(codes.positions)
    if len(codes.positions) != 2 or min(codes.positions) < FEWEST_POSITIONS or not whole:
        return None
    grids = codes.mean.reshape(items, *codes.positions, -1)
    if not np.ptp(grids):
        return None
    return measure_spectrum(np.moveaxis(grids, -1, 1))


def _whole_std(mean: Floats, variance: Floats) -> float:
    """Return the standard deviation of all channels' values together."""
    return float(np.sqrt(variance.mean() + mean.var()))


def _fewest_channels(needed: AxesNeeded) -> str | None:
    choices = sorted(needed.choices, key=lambda choice: choice.latents)
    if len(choices) < 2 or len(choices[0].axes) < 4 or choices[0].latents == choices[1].latents:
        return None
    return choices[0].axes
