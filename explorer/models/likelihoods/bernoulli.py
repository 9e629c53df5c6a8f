"""Binary pixels: the likelihood of handwriting, and of grey values taken as probabilities."""

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Independent
from torch.nn import functional

from explorer.models.likelihoods.base import Likelihood

LARGEST_EXPONENT = 80.0
"""Logits up to which e^l is a number in fp32."""
CERTAIN = 28.0
"""Logits from which e^−l adds nothing to a sum over pixels; its cube, which log1p forms, is below
1e-38 from 29 on, and processors take many times as long for such numbers."""


class BernoulliLikelihood(Likelihood):
    """Each pixel is 1 with probability sigmoid(logit).

    With `binarise` a fresh binary draw of each grey image is scored; without it the grey values
    themselves, which is a cross-entropy and no likelihood.
    """

    scores = "binary"
    bounded = True
    float32_suffices = True
    has_slope = True

    def __init__(self, name: str = "bernoulli", *, binarise: bool = True) -> None:
        super().__init__(name)
        self.binarise = binarise

    def distribution(self, output: Tensor) -> Distribution:
        """Return independent Bernoulli pixels."""
        return Independent(Bernoulli(logits=output, validate_args=False), 3, validate_args=False)

    def nll(self, output: Tensor, x: Tensor) -> Tensor:
        """Return Σ softplus(logit) − x·logit; for grey x a cross-entropy, not a likelihood."""
        per_pixel = functional.binary_cross_entropy_with_logits(output, x, reduction="none")
        return per_pixel.flatten(1).sum(1)

    def nll_and_slope(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return Σ max(logit, 0) + log(1 + e^−|logit|) − x·logit, and p − x."""
        per_pixel = output.abs().clamp_max_(CERTAIN).neg_().exp_().log1p_()
        per_pixel.add_(output.clamp_min(0)).addcmul_(x, output, value=-1)
        return per_pixel.sum(-1), torch.sigmoid(output).sub_(x)

    def score_and_fisher(self, output: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x − p and p(1 − p)."""
        probability = torch.sigmoid(output)
        return (x - probability).flatten(1), (probability * (1 - probability)).flatten(1)

    @property
    def binarises(self) -> bool:
        """Whether `target` draws binary pixels."""
        return self.binarise

    def target(
        self, images: Tensor, dtype: torch.dtype, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return a fresh draw with P(pixel = 1) = grey value, or the grey values in [0, 1]."""
        if not self.binarise:
            return super().target(images, dtype, generator)
        if images.dtype != torch.uint8:
            draw = torch.rand(images.shape, generator=generator, device=images.device)
            return (draw < images).to(dtype)
        # A random byte alone gives P(high < v) = v/256; its neighbour breaks the tie, and
        # v/256 + v/256² is v/255 to 1.5e-5. Held below 255, it lets pixels of 255 always win it.
        count = images.numel()
        random = random_bytes(torch.Size([count + 1]), images.device, generator)
        high = random[:-1].view(images.shape)
        low = random[1:].clamp(max=254).view(images.shape)
        draw = (high < images) | ((high == images) & (low < images))
        # Bytes become numbers five times faster than truth values do.
        return draw.view(torch.uint8).to(dtype)

    def output_for(self, mean_image: Tensor, count: int) -> Tensor:
        """Return logits of the mean, clipped to 1/(count + 2): none starts at infinity."""
        edge = 1.0 / (count + 2)
        return torch.logit(mean_image.double().clamp(edge, 1 - edge))

    def natural(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits and −Σ softplus(logit)."""
        return output, -sum_softplus(output)

    def statistics(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and 0."""
        return flat, flat.new_zeros(len(flat))

    def at_collapse(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return x − p̄ and p̄(1 − p̄), in logits."""
        mean = flat.mean(0)
        return flat - mean, mean * (1 - mean)

    def score_covariance(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return the covariance of the binarised pixels for grey images (N, D), and p̄(1 − p̄).

        Off the diagonal it is the grey values' own: draws of two pixels are independent.
        """
        covariance, variance = super().score_covariance(flat)
        covariance.fill_diagonal_(0)
        return covariance + torch.diag(variance), variance


def sum_softplus(logits: Tensor) -> Tensor:
    """Return Σ_pixels softplus(logit), shape (M,), from logits (M, D).

    As log(1 + e^l) in place, half of `softplus`'s time; what is lost below 1's last place is lost
    from a sum of order 1 a pixel.
    """
    if logits.numel() and logits.max() > LARGEST_EXPONENT:
        return functional.softplus(logits).sum(1)
    return torch.exp(logits).add_(1).log_().sum(1)


def random_bytes(
    shape: torch.Size, device: torch.device, generator: torch.Generator | None
) -> Tensor:
    """Return uniform uint8 of `shape`, drawn eight at a time (twice as fast as `bernoulli`)."""
    count = shape.numel()
    words = torch.empty((count + 7) // 8, dtype=torch.int64, device=device)
    words.random_(-(2**63), None, generator=generator)
    return words.view(torch.uint8)[:count].view(shape)
