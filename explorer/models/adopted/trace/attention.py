"""`nn.MultiheadAttention` while it is recorded: the same arithmetic with the batch in front.

Torch's own code puts the tokens before the batch and folds the heads into it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn import functional


@contextmanager
def batches_first() -> Iterator[None]:
    """Let attention of torch keep the batch in front, wherever it is asked to."""
    theirs = nn.MultiheadAttention.forward

    def forward(
        self: nn.MultiheadAttention,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> Any:
        masked = key_padding_mask is not None or attn_mask is not None or is_causal
        extra = self.bias_k is not None or self.add_zero_attn or self.in_proj_weight is None
        if masked or extra or not self.batch_first:
            return theirs(
                self,
                query,
                key,
                value,
                key_padding_mask,
                need_weights,
                attn_mask,
                average_attn_weights,
                is_causal,
            )
        weights = self.in_proj_weight.chunk(3)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        heads = []
        for given, weight, bias in zip((query, key, value), weights, biases, strict=True):
            part = functional.linear(given, weight, bias)
            heads.append(part.reshape(*part.shape[:2], self.num_heads, -1).transpose(1, 2))
        q, k, v = heads
        seen = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.out_proj(seen), None

    nn.MultiheadAttention.forward = forward  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.MultiheadAttention.forward = theirs  # type: ignore[method-assign]
