"""What torch.nn has no module for: small layers without weights, and branches that meet again.

Shapes leave out the batch: axis 0 is the first one of an image.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.models.adopted.layers.limits import Cost

Shape = tuple[int, ...]
LOGIT_EDGE = 1e-6
"""Probabilities are held this far from 0 and 1: beyond it float32 has no digits left."""


class Opaque(nn.Module):
    """A whole network that is no layer of ours: x (B, …) → all its arrays, joined, (B, total).

    `kind` says what it is, and `file` holds its bytes (N,) uint8; None where no file can hold it.
    """

    kind: ClassVar[str]
    file: Tensor | None = None

    def __init__(self) -> None:
        super().__init__()
        self.cost = Cost()

    def follow(self, shape: Shape) -> Shape:
        """Return the shape (total,) of what comes out for inputs of `shape` (without the batch)."""
        raise NotImplementedError


class Affine(nn.Module):
    """x·weight + bias with constants that broadcast over an image, either of which may be None."""

    def __init__(self, weight: Tensor | None, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = None if weight is None else nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return x·weight + bias, of the shape of x."""
        if self.weight is not None:
            x = x * self.weight
        return x if self.bias is None else x + self.bias


class Exp(nn.Module):
    """e^x."""

    def forward(self, x: Tensor) -> Tensor:
        """Return e^x."""
        return torch.exp(x)


class Log(nn.Module):
    """ln x."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ln x."""
        return torch.log(x)


class Erf(nn.Module):
    """The error function, of which some exporters make GELU."""

    def forward(self, x: Tensor) -> Tensor:
        """Return erf x."""
        return torch.erf(x)


class Logit(nn.Module):
    """ln p/(1 − p), for a decoder of probabilities whose last sigmoid cannot be taken off."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, at most 13.8 from 0."""
        return torch.logit(x, LOGIT_EDGE)


class Clamp(nn.Module):
    """Values held between two bounds."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low, self.high = low, high

    def forward(self, x: Tensor) -> Tensor:
        """Return x within the bounds."""
        return x.clamp(self.low, self.high)


class Pad(nn.Module):
    """Rows and columns around a picture: padding is (left, right, top, bottom)."""

    def __init__(self, padding: Sequence[int], mode: str, value: float) -> None:
        super().__init__()
        self.padding, self.mode, self.value = list(padding), mode, value

    def forward(self, x: Tensor) -> Tensor:
        """Return x with its border."""
        value = self.value if self.mode == "constant" else None
        return functional.pad(x, self.padding, self.mode, value)


class Reshape(nn.Module):
    """Another shape for the same values."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Return x as (B, *shape)."""
        return x.reshape(x.shape[0], *self.shape)


class Permute(nn.Module):
    """Another order of an image's axes."""

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.order = (0, *(axis + 1 for axis in order))

    def forward(self, x: Tensor) -> Tensor:
        """Return x with its axes in the new order."""
        return x.permute(self.order)


class Slice(nn.Module):
    """Every `step`-th value from `start` to before `stop` along one axis."""

    def __init__(self, axis: int, start: int, stop: int, step: int) -> None:
        super().__init__()
        self.axis, self.part = axis, slice(start, stop, step)

    def forward(self, x: Tensor) -> Tensor:
        """Return the part of x."""
        return x[(slice(None),) * (self.axis + 1) + (self.part,)]


class Branches(nn.Module):
    """Several networks of the same input; an empty one hands it on as it is."""

    def __init__(self, branches: Sequence[nn.Sequential]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)


class Sum(Branches):
    """What the branches put out, added: a residual block where one of them is empty."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum, by broadcasting."""
        total: Tensor = self.branches[0](x)
        for branch in self.branches[1:]:
            total = total + branch(x)
        return total


class Product(Branches):
    """What the branches put out, multiplied: a gate."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the product, by broadcasting."""
        total: Tensor = self.branches[0](x)
        for branch in self.branches[1:]:
            total = total * branch(x)
        return total


class MatrixProduct(Branches):
    """What two branches put out as matrices, multiplied: attention is two of these."""

    def forward(self, x: Tensor) -> Tensor:
        """Return first @ second, of (B, …, n, m) and (B, …, m, p)."""
        first, second = (branch(x) for branch in self.branches)
        return torch.matmul(first, second)


class Concat(Branches):
    """What the branches put out, side by side along one axis."""

    def __init__(self, branches: Sequence[nn.Sequential], axis: int) -> None:
        super().__init__(branches)
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs joined."""
        return torch.cat([branch(x) for branch in self.branches], self.axis + 1)


def count_multiply_adds(
    module: nn.Module, shape_in: tuple[int, ...], shape_out: tuple[int, ...]
) -> int:
    """Return a layer's multiply-adds for one image, from its shapes without the batch."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        return module.weight.numel() * math.prod(shape_out) // module.weight.shape[0]
    if isinstance(module, nn.ConvTranspose2d):
        return module.weight.numel() * math.prod(shape_in[1:])
    return math.prod(shape_out)
