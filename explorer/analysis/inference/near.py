"""One image's decoder: only the hidden units that can be on where the image's codes lie.

Where a posterior has its mass, nine in ten units of a trained ReLU decoder stay off. Which they are
is not guessed from the codes decoded: codes fall into small squares, and bounds on every unit over
a square follow by affine arithmetic (Singh et al. 2018, NeurIPS, "Fast and effective robustness
certification"). A unit whose upper bound is nowhere above 0 adds exactly nothing and is left out:
answers are the whole decoder's, up to rounding. Of the last hidden layer, whose values are there
before the pixels are computed, those units are left out that no code of a handful switches on.
Decoders of other layers are used whole.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear

from explorer.analysis.inference.emission import Emission, Rectified, Seen

CHUNK = 256
"""Codes decoded at once: their pixels stay in the processor's cache."""
SQUARES_AT_ONCE = 1024
ACROSS = 1 << 30
"""Squares are numbered by rows of this many."""


class Kept(NamedTuple):
    """What is left of a decoder: hidden layers, and which units (k,) remain of the last of them."""

    hidden: list[tuple[Tensor, Tensor]]
    units: Tensor


class NearEmission:
    """log p(x|z) of one image, `seen` (1, f) by an emission, for codes near each other.

    `side` is that of the squares over which units are bounded, in units of z: small ones bound
    tightly, large ones are few. `kept` is what is left of the decoder, None where it is whole or
    nothing has been covered.
    """

    def __init__(self, emission: Emission, seen: Seen, side: float) -> None:
        self._emission = emission
        self._seen = seen
        self._projection = seen.projection[0]
        self.side = side
        self.whole = emission.rectified()
        if self.whole is not None:
            weight, self._last_bias = self.whole.last
            self._last_rows = weight.T
        self.kept: Kept | None = None
        self._squares: set[int] = set()
        self._on: list[Tensor] = []

    @torch.no_grad()
    def score(self, z: Tensor) -> Tensor:
        """Return log p(x|z_m), (M,), nats, for codes z (M, K) in float64."""
        cover([self], [z])
        return self.score_covered(z)

    @torch.no_grad()
    def score_covered(self, z: Tensor) -> Tensor:
        """Return the same for codes that `cover` has been asked for."""
        codes = z.to(self._emission.dtype)
        return torch.cat([self._score(part) for part in torch.split(codes, CHUNK)])

    def through(self, emission: Emission, seen: Seen) -> "NearEmission":
        """Return the same units' scores by another emission of this model, for precision."""
        other = NearEmission(emission, seen, self.side)
        other._squares = set(self._squares)
        if self._on and other.whole is not None:
            other._on, other.kept = self._on, _narrow(other.whole, self._on)
        return other

    def uncovered(self, z: Tensor) -> NDArray[np.int64]:
        """Return the squares around codes z (M, K) that no bound is known of, (S, K)."""
        places = np.floor(z.numpy() / self.side).astype(np.int64)
        numbers = places @ ACROSS ** np.arange(z.shape[1])
        # Nodes come in order: most lie in the square of the one before.
        turns = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
        fresh = {int(numbers[turn]): turn for turn in turns}
        return places[[turn for number, turn in fresh.items() if number not in self._squares]]

    def keep(self, squares: NDArray[np.int64], on: list[Tensor]) -> None:
        """Keep the units of each layer that are on, (n,), in these squares (S, K), too."""
        assert self.whole is not None
        self._squares.update((squares @ ACROSS ** np.arange(squares.shape[1])).tolist())
        if self._on:
            on = [now | before for now, before in zip(on, self._on, strict=True)]
            if all(map(torch.equal, on, self._on)):
                return
        self._on = on
        self.kept = _narrow(self.whole, on)

    def _score(self, z: Tensor) -> Tensor:
        if self.kept is None:
            return self._score_whole(z)
        hidden = z
        for weight, bias in self.kept.hidden:
            hidden = linear(hidden, weight, bias).relu_()
        # Faster than asking each; a unit that is no number is used, too.
        used = (hidden.sum(0) != 0).nonzero()[:, 0]
        hidden, units = hidden.index_select(1, used), self.kept.units[used]
        output = torch.addmm(self._last_bias, hidden, self._last_rows.index_select(0, units))
        normaliser = self._emission.likelihood.normalise_(output)
        if not math.isfinite(float(normaliser.sum())):
            return self._score_whole(z)
        return hidden @ self._projection[units] + normaliser + self._seen.constant

    def _score_whole(self, z: Tensor) -> Tensor:
        return self._emission.score(self._emission.features(z), self._seen)[:, 0]


@torch.no_grad()
def cover(near: Sequence[NearEmission], codes: Sequence[Tensor]) -> None:
    """Keep the units that can be on around codes (M, K) of each image, bounded for all at once.

    All are of one model.
    """
    fresh = [(one, one.uncovered(z)) for one, z in zip(near, codes, strict=True) if one.whole]
    fresh = [(one, squares) for one, squares in fresh if len(squares)]
    whole = fresh[0][0].whole if fresh else None
    if whole is None:
        return
    centre = np.concatenate([(squares + 0.5) * one.side for one, squares in fresh])
    half = np.concatenate([np.full(len(squares), one.side / 2) for one, squares in fresh])
    places = torch.from_numpy(centre).to(whole.last[0]), torch.from_numpy(half).to(whole.last[0])
    parts = [
        bound_units(whole, *part)
        for part in zip(*(torch.split(place, SQUARES_AT_ONCE) for place in places), strict=True)
    ]
    on = [torch.cat(layer) for layer in zip(*parts, strict=True)]
    start = 0
    for one, squares in fresh:
        rows = slice(start, start + len(squares))
        one.keep(squares, [layer[rows].any(0) for layer in on])
        start += len(squares)


def bound_units(whole: Rectified, centre: Tensor, half: Tensor) -> list[Tensor]:
    """Return for each hidden layer which units can be on in squares, (M, n).

    Squares have centres (M, K) and half sides (M,). A layer's units are centre + slope · ε ± slack
    with ε in [−1, 1]^K: `affine` (M, 1 + K, n) holds centre and slope, `slack` is (M, n).
    """
    squares, latents = centre.shape
    slope = torch.eye(latents, dtype=centre.dtype) * half[:, None, None]
    affine = torch.cat([centre[:, None], slope], 1)
    slack = torch.zeros_like(centre)
    inputs = torch.arange(latents)
    found = []
    for weight, bias in whole.hidden:
        narrow = weight.index_select(1, inputs)
        affine, slack = affine @ narrow.T, slack @ narrow.abs().T
        affine[:, 0] += bias
        reach = affine[:, 1:].abs().sum(1) + slack
        low, high = affine[:, 0] - reach, affine[:, 0] + reach
        on = high > 0
        found.append(on)
        inputs = on.any(0).nonzero()[:, 0]
        low, high = low[:, inputs], high[:, inputs]
        # A unit that may be either lies between two lines of this slope.
        share = (high.relu() / (high - low).clamp_min(1e-30)).where(low < 0, 1.0)
        lift = -share * low.clamp_max(0) / 2
        affine = share[:, None] * affine[:, :, inputs]
        affine[:, 0] += lift
        slack = share * slack[:, inputs] + lift
    return found


def _narrow(whole: Rectified, on: list[Tensor]) -> Kept:
    """Return the layers without the rows and columns of units that stay off."""
    hidden, inputs = [], torch.arange(whole.hidden[0][0].shape[1])
    for (weight, bias), outputs in zip(whole.hidden, on, strict=True):
        units = outputs.nonzero()[:, 0]
        narrow = weight.index_select(0, units).index_select(1, inputs)
        hidden.append((narrow, bias.index_select(0, units)))
        inputs = units
    return Kept(hidden, inputs)
