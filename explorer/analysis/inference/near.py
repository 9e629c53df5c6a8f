"""One image's decoder: only the hidden units that can be on where the image's codes lie.

Where a posterior has its mass, nine in ten units of a trained ReLU decoder stay off. Which they are
is not guessed from the codes decoded: codes fall into small squares, and bounds on every unit over
a square follow by affine arithmetic (Singh et al. 2018, NeurIPS, "Fast and effective robustness
certification"). A unit whose upper bound is nowhere above 0 adds exactly nothing and is left out:
answers are the whole decoder's, up to rounding. Decoders of other layers are used whole.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear

from explorer.analysis.inference.emission import Emission, Rectified, Seen

CHUNK = 256
"""Codes decoded at once: their pixels stay in the processor's cache."""
ACROSS = 1 << 30
"""Squares are numbered by rows of this many."""


class NearEmission:
    """log p(x|z) of one image, `seen` (1, f) by an emission, for codes near each other.

    `side` is that of the squares over which units are bounded, in units of z: small ones bound
    tightly, large ones are few. `kept` is what is left of the decoder, None where it is whole.
    """

    def __init__(self, emission: Emission, seen: Seen, side: float) -> None:
        self._emission = emission
        self._seen = seen
        self._side = side
        self._whole = emission.rectified()
        self._squares: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._on: list[Tensor] = []
        self.kept: Rectified | None = None
        self._projection = seen.projection[0]

    @torch.no_grad()
    def score(self, z: Tensor) -> Tensor:
        """Return log p(x|z_m), (M,), nats, for codes z (M, K) in float64."""
        if self._whole is not None:
            self._cover(self._whole, z)
        codes = z.to(self._emission.dtype)
        return torch.cat([self._score(part) for part in torch.split(codes, CHUNK)])

    def _score(self, z: Tensor) -> Tensor:
        if self.kept is None:
            return self._emission.score(self._emission.features(z), self._seen)[:, 0]
        hidden = z
        for weight, bias in self.kept.hidden:
            hidden = linear(hidden, weight, bias).relu_()
        normaliser = self._emission.likelihood.natural(linear(hidden, *self.kept.last))[1]
        return hidden @ self._projection + normaliser + self._seen.constant

    def _cover(self, whole: Rectified, z: Tensor) -> None:
        """Keep the units that can be on in the squares around codes z (M, K), too."""
        places = np.floor(z.numpy() / self._side).astype(np.int64)
        rows = ACROSS ** np.arange(z.shape[1])
        numbers, first = np.unique(places @ rows, return_index=True)
        fresh = ~np.isin(numbers, self._squares, assume_unique=True)
        if not fresh.any():
            return
        self._squares = np.concatenate([self._squares, numbers[fresh]])
        centre = torch.from_numpy((places[first[fresh]] + 0.5) * self._side)
        on = _bound(whole, centre.to(self._emission.dtype), self._side)
        if self._on:
            on = [now | before for now, before in zip(on, self._on, strict=True)]
            if all(map(torch.equal, on, self._on)):
                return
        self._on = on
        self.kept = _narrow(whole, on)
        self._projection = self._seen.projection[0, on[-1]]


def _bound(whole: Rectified, centre: Tensor, side: float) -> list[Tensor]:
    """Return for each hidden layer which units can be on in squares around centres (M, K).

    A layer's units are centre + slope · ε ± slack with ε in [−1, 1]^K, (M, n), (M, K, n), (M, n).
    """
    slope = (torch.eye(centre.shape[1], dtype=centre.dtype) * side / 2).expand(len(centre), -1, -1)
    slack = torch.zeros_like(centre)
    on = []
    for weight, bias in whole.hidden:
        centre, slope = linear(centre, weight, bias), slope @ weight.T
        slack = slack @ weight.abs().T
        reach = slope.abs().sum(1) + slack
        low, high = centre - reach, centre + reach
        on.append((high > 0).any(0))
        # A unit that may be either lies between two lines of this slope.
        share = (high.relu() / (high - low).clamp_min(1e-30)).where(low < 0, 1.0)
        lift = -share * low.clamp_max(0) / 2
        centre, slope, slack = share * centre + lift, share[:, None] * slope, share * slack + lift
    return on


def _narrow(whole: Rectified, on: list[Tensor]) -> Rectified:
    """Return the layers without the rows and columns of units that stay off."""
    hidden, inputs = [], torch.ones(whole.hidden[0][0].shape[1], dtype=torch.bool)
    for (weight, bias), outputs in zip(whole.hidden, on, strict=True):
        hidden.append((weight[outputs][:, inputs], bias[outputs]))
        inputs = outputs
    weight, bias = whole.last
    return Rectified(hidden, (weight[:, inputs], bias))
