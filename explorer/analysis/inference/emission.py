"""p(x|z) as features of z times features of x, so that many images share each decoded z.

For an exponential family log p(x|z) = F(z)·P(x) + S(z) + c(x): F is the decoder's last hidden
layer (or its output where that is smaller), P(x) = Wᵀ T(x), and S gathers the log-normaliser. One
decoded z then serves all images, and one image costs a dot product per z. Of other likelihoods F is
the decoder's output and each pair of z and x is scored by itself.
"""

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from explorer.models.base import Model

PAIR_VALUES = 8_000_000
"""Pixels scored at once where z and x do not factor."""


class Decoded(NamedTuple):
    """What is known of codes: features F (M, f) and log-normalisers S (M,)."""

    features: Tensor
    normaliser: Tensor


class Stretch(NamedTuple):
    """Codes that lie side by side, decoded: `units` are those that are on in any; None are all."""

    decoded: Decoded
    units: Tensor | None


class Seen(NamedTuple):
    """What is known of images: projections P (N, f) and constants c (N,)."""

    projection: Tensor
    constant: Tensor

    def image(self, index: int | Tensor) -> "Seen":
        """Return those of one image, or of one a code for places (M,)."""
        if isinstance(index, int):
            index = torch.tensor([index])
        return Seen(self.projection[index], self.constant[index])

    def through(self, units: Tensor | None) -> "Seen":
        """Return what a stretch's units see of the images."""
        return self if units is None else Seen(self.projection[:, units], self.constant)


class Rectified(NamedTuple):
    """A decoder of rectified linear layers: (weight, bias) of its hidden ones and of the last."""

    hidden: list[tuple[Tensor, Tensor]]
    last: tuple[Tensor, Tensor]


class Emission:
    """The decoder and likelihood of one model, in `dtype`, split into features of z and of x."""

    def __init__(
        self, model: Model, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
    ) -> None:
        self.dtype = dtype
        self.device = torch.device(device)
        own = copy.deepcopy(model).to(device=device, dtype=dtype).eval()
        self.likelihood = own.likelihood
        self.factors = own.likelihood.is_exponential
        self._shape = own.shape
        body, last = own.split_decoder()
        folds = self.factors and own.likelihood.output_is_natural
        self._last = last if folds else None
        self._body = body if folds or last is None else nn.Sequential(body, last)
        self._rectified = self._find_rectified()

    def rectified(self) -> Rectified | None:
        """Return the layers where each is linear with a bias and rectified, else None.

        The last one's columns, each a unit's pixels, lie together in memory.
        """
        return self._rectified

    @torch.no_grad()
    def _find_rectified(self) -> Rectified | None:
        if self._last is None or not isinstance(self._body, nn.Sequential) or not self._body:
            return None
        linear, rectifiers = list(self._body)[::2], list(self._body)[1::2]
        layers: list[tuple[Tensor, Tensor]] = [
            (layer.weight, layer.bias)
            for layer in [*linear, self._last]
            if isinstance(layer, nn.Linear) and layer.bias is not None
        ]
        rectified = all(isinstance(layer, nn.ReLU) for layer in rectifiers)
        if not rectified or not len(layers) - 1 == len(linear) == len(rectifiers):
            return None
        weight, bias = layers[-1]
        return Rectified(layers[:-1], (weight.T.contiguous().T, bias))

    @torch.no_grad()
    def features(self, z: Tensor) -> Decoded:
        """Return F and S for codes z (M, K)."""
        hidden = self._body(z.to(device=self.device, dtype=self.dtype)).flatten(1)
        if not self.factors:
            return Decoded(hidden, hidden.new_zeros(len(hidden)))
        output = hidden if self._last is None else self._last(hidden)
        natural, normaliser = self.likelihood.natural(output)
        return Decoded(natural if self._last is None else hidden, normaliser)

    def thin(self, decoded: Decoded) -> Stretch:
        """Return codes side by side without the features that are 0 for all of them: most are."""
        if not self.factors:
            return Stretch(decoded, None)
        features, normaliser = decoded
        units = (features != 0).any(0).nonzero()[:, 0]
        return Stretch(Decoded(features[:, units], normaliser.clone()), units)

    @torch.no_grad()
    def project(self, x: Tensor) -> Seen:
        """Return P and c for target images x (N, C, H, W)."""
        flat = x.detach().to(device=self.device, dtype=self.dtype).flatten(1)
        if not self.factors:
            return Seen(flat, flat.new_zeros(len(flat)))
        statistic, constant = self.likelihood.statistics(flat)
        if self._last is None:
            return Seen(statistic, constant)
        weight, bias = self._last.weight, self._last.bias
        shift = 0.0 if bias is None else statistic @ bias
        return Seen(statistic @ weight, constant + shift)

    @torch.no_grad()
    def score(self, decoded: Decoded, seen: Seen) -> Tensor:
        """Return log p(x_n|z_m) of every pair, (M, N), in nats."""
        if self.factors:
            features, normaliser = decoded
            return features @ seen.projection.T + normaliser[:, None] + seen.constant
        columns = [self._score_rows(decoded.features, image) for image in seen.projection]
        return torch.stack(columns, 1)

    @torch.no_grad()
    def score_rows(self, decoded: Decoded, seen: Seen) -> Tensor:
        """Return log p(x_m|z_m), (M,), in nats, of as many codes as images."""
        if self.factors:
            dots = torch.linalg.vecdot(decoded.features, seen.projection)
            return dots + decoded.normaliser + seen.constant
        return self._score_rows(decoded.features, seen.projection)

    def log_likelihood(self, z: Tensor, x: Tensor) -> Tensor:
        """Return log p(x_n|z_m), shape (M, N), in nats."""
        return self.score(self.features(z), self.project(x))

    def _score_rows(self, output: Tensor, flat: Tensor) -> Tensor:
        """Return log p, (M,), of flat images (D,) or (M, D) for flat output (M, P·D)."""
        channels, *sides = self._shape
        step = max(1, PAIR_VALUES // output.shape[1])
        parts = []
        for start in range(0, len(output), step):
            part = output[start : start + step]
            image = flat if flat.ndim == 1 else flat[start : start + step]
            x = image.expand(len(part), -1).reshape(-1, channels, *sides)
            parts.append(-self.likelihood.nll(part.reshape(len(part), -1, *sides), x))
        return torch.cat(parts) if parts else output.new_zeros(0)
