"""Binary pixels: the likelihood of handwriting, and of grey values taken as probabilities."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Independent

from explorer.models.likelihoods.base import Likelihood

LARGEST_EXPONENT = 80.0
"""Logits up to which e^l and e^−l are numbers in fp32, and none below 1e-38 (denormal), for which
processors take hundreds of times as long; beyond, 1 + e^−l is 1."""
CERTAIN = 28.0
"""Logits from which e^−l adds nothing to a sum over pixels in fp32; its cube, which log1p forms, is
below 1e-38 from 29 on."""
BLOCK_VALUES = 1 << 18
"""Pixels whose cost is computed at once: what lies between stays in the processor's cache."""


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
        return cross_entropy(output.flatten(1), x.flatten(1))

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

    def normalise_(self, output: Tensor) -> Tensor:
        """Return −Σ softplus(logit), or −∞ where some logit's e^l is no number."""
        return sum_softplus_(output).neg_()

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


def cross_entropy(logits: Tensor, x: Tensor) -> Tensor:
    """Return Σ softplus(logit) − x·logit of each row of two (B, D), twice differentiable."""
    return cast(Tensor, _CrossEntropy.apply(logits, x))  # type: ignore[no-untyped-call]


class _CrossEntropy(torch.autograd.Function):
    """Σ softplus(logit) − x·logit of each row of two (B, D), with its slope sigmoid(logit) − x.

    As torch's own, in a fraction of the time where pixels are sure: no number that arises is
    denormal.
    """

    @staticmethod
    def forward(logits: Tensor, x: Tensor) -> Tensor:
        return sum_by_blocks(_cross_entropy, logits, x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None]:
        logits, x = ctx.saved_tensors
        # Of what is differentiable itself, for those who differentiate twice.
        certain = logits.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT)
        of_logits = (
            slope[:, None] * (torch.sigmoid(certain) - x) if ctx.needs_input_grad[0] else None
        )
        return of_logits, -slope[:, None] * logits if ctx.needs_input_grad[1] else None


def _cross_entropy(logits: Tensor, x: Tensor) -> Tensor:
    """Return Σ (1 − x)·logit − min(logit, 0) + log(1 + e^−|logit|), (B,).

    The first two cancel where a pixel is sure and right, and so come before what is small.
    """
    return (1 - x).mul_(logits).sub_(logits.clamp_max(0)).add_(_uncertain(logits)).sum(1)


def _uncertain(logits: Tensor) -> Tensor:
    """Return log(1 + e^−|logit|), what a pixel costs beyond a sure one."""
    certain = CERTAIN if logits.dtype == torch.float32 else LARGEST_EXPONENT
    return logits.abs().clamp_max_(certain).neg_().exp_().log1p_()


def sum_softplus(logits: Tensor) -> Tensor:
    """Return Σ_pixels softplus(logit), shape (M,), from logits (M, D)."""
    found = sum_by_blocks(lambda part: _sum_logs_(part.clamp_min(-LARGEST_EXPONENT)), logits)
    if found.isfinite().all():
        return found
    return sum_by_blocks(lambda part: _uncertain(part).add_(part.relu()).sum(1), logits)


def sum_softplus_(logits: Tensor) -> Tensor:
    """Return the same, (M,), and write over the logits (M, D); infinite from e^l = ∞ on."""
    return _sum_logs_(logits.clamp_min_(-LARGEST_EXPONENT))


def _sum_logs_(logits: Tensor) -> Tensor:
    """Return Σ log(1 + e^logit) in place, in a fraction of `softplus`'s time.

    What is lost below 1's last place is lost from a sum of order 1 a pixel.
    """
    return logits.exp_().add_(1).log_().sum(1)


def sum_by_blocks(total: Callable[..., Tensor], *flat: Tensor) -> Tensor:
    """Return the totals (M,) of rows (M, D), a block of rows after the other."""
    rows = max(1, BLOCK_VALUES // max(1, flat[0].shape[1]))
    if len(flat[0]) <= rows:
        return total(*flat)
    parts = zip(*(torch.split(one, rows) for one in flat), strict=True)
    return torch.cat([total(*part) for part in parts])


def random_bytes(
    shape: torch.Size, device: torch.device, generator: torch.Generator | None
) -> Tensor:
    """Return uniform uint8 of `shape`, drawn eight at a time (twice as fast as `bernoulli`)."""
    count = shape.numel()
    words = torch.empty((count + 7) // 8, dtype=torch.int64, device=device)
    words.random_(-(2**63), None, generator=generator)
    return words.view(torch.uint8)[:count].view(shape)
