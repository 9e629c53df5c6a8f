"""Products of linear layers that learn, of one model or of several side by side.

Shapes: M members or none, B images; x (M, B, in), W (M, out, in), b (M, out).
"""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


@functools.cache
def has_bfloat16() -> bool:
    """Tell whether this processor multiplies in bfloat16; without that it is slower, not faster."""
    # Not there before torch 2.10; then the products stay in float32.
    found: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def learn_product(x: Tensor, weight: Tensor, bias: Tensor, halve: bool) -> Tensor:
    """Return x Wᵀ + b, (M, B, out), for autograd to differentiate (see `multiply`)."""
    product: Tensor = _Product.apply(x, weight, bias, halve)  # type: ignore[no-untyped-call]
    return product


def multiply(x: Tensor, weight: Tensor, bias: Tensor, halve: bool) -> Tensor:
    """Return x Wᵀ + b, (M, B, out).

    With `halve` the factors of this product and of its gradients are rounded to bfloat16; their
    sums, and all that is added to them, stay in float32. A processor may leave sums of 16 products
    and fewer as they are.
    """
    with _rounded(halve, x, weight) as (x, weight):
        if x.dim() == 2:
            return torch.addmm(bias, x, weight.t())
        return torch.baddbmm(bias[:, None], x, weight.mT)


def differentiate(
    x: Tensor, weight: Tensor, slope: Tensor, halve: bool, for_x: bool = True
) -> tuple[Tensor | None, Tensor, Tensor]:
    """Return the gradients of x, W and b from the one of their product, `slope` (M, B, out).

    That of W lies in memory as W does; torch's own of a stacked W comes transposed, and to turn it
    round takes as long as the product.
    """
    to_bias = slope.sum(-2)
    with _rounded(halve, x, weight, slope) as (x, weight, slope):
        return slope @ weight if for_x else None, slope.mT @ x, to_bias


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, halve: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.halve = halve
        return multiply(x, weight, bias, halve)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        x, weight = ctx.saved_tensors
        (slope,) = gradients
        return *differentiate(x, weight, slope, ctx.halve, ctx.needs_input_grad[0]), None


@contextlib.contextmanager
def _rounded(halve: bool, *factors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Yield factors whose products are those of their halves, where these are asked for."""
    if not halve:
        yield factors
    elif factors[0].device.type == "cpu" and has_bfloat16():
        # oneDNN rounds them as it packs them, which spares a pass over each. torch has this for
        # the whole process alone: what another thread multiplies meanwhile is rounded, too.
        products = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
        before = products.fp32_precision
        products.fp32_precision = "bf16"
        try:
            yield factors
        finally:
            products.fp32_precision = before
    else:
        yield tuple(factor.bfloat16().to(factor.dtype) for factor in factors)
