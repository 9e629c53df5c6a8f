"""The radial spectrum of latents or images: their variance over spatial frequencies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from explorer.analysis.checks import Floats
from explorer.errors import ExplorerError

MOST_ITEMS = 500
FEWEST_POSITIONS = 4


@dataclass(frozen=True)
class RadialSpectrum:
    """Power by cycles per picture, (R,): 1 everywhere for noise without structure, of any variance.

    Ring r holds the modes whose distance from zero frequency rounds to r, up to half of the shorter
    side; the mean of each channel of each item is left out.
    """

    cycles: tuple[int, ...]
    power: Floats


def measure_spectrum(pictures: ArrayLike) -> RadialSpectrum:
    """Return the spectrum of pictures (N, C, H, W), each channel over its own variance.

    Power is |FFT|² of a mode over H·W and the variance, mean over channels, items and the ring.

    >>> wave = np.cos(2 * np.pi * 3 * np.arange(16) / 16) * np.ones((1, 1, 16, 1))
    >>> int(measure_spectrum(wave).power.argmax()) + 1
    3
    """
    values = np.asarray(pictures, dtype=np.float64)
    if values.ndim != 4 or min(values.shape[2:]) < FEWEST_POSITIONS:
        raise ExplorerError("A spectrum needs pictures (N, C, H, W) of at least 4 × 4 positions.")
    chosen = np.linspace(0, len(values) - 1, min(len(values), MOST_ITEMS)).astype(int)
    values = values[chosen]
    values = values - values.mean((2, 3), keepdims=True)
    variance = (values**2).mean((0, 2, 3))
    if not (variance > 0).any():
        raise ExplorerError("These pictures are constant: they have no spectrum.")
    height, width = values.shape[2:]
    power = (np.abs(np.fft.fft2(values)) ** 2).mean(0) / (height * width)
    moving = variance > 0
    mean = (power[moving] / variance[moving, None, None]).mean(0)
    rows, columns = np.fft.fftfreq(height) * height, np.fft.fftfreq(width) * width
    ring = np.rint(np.hypot(rows[:, None], columns[None, :])).astype(int)
    cycles = range(1, min(height, width) // 2 + 1)
    return RadialSpectrum(tuple(cycles), np.array([mean[ring == r].mean() for r in cycles]))
