"""How it is minimised: Adam and its learning rate."""

import math
from dataclasses import dataclass

from explorer.config.checks import check_between, check_choice, check_whole
from explorer.config.model import ModelConfig

LEARNING_RATE_SCHEDULES = ("cosine", "constant", "burda")
MATMUL_PRECISIONS = ("auto", "float32", "bfloat16")
LEARNING_RATE = 2e-3
GENTLE_WIDTH = 128
"""Channels up to which convolutions bear LEARNING_RATE."""


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam and its learning rate over the planned steps."""

    batch_size: int = 128
    learning_rate: float | None = None
    """None: `suited_rate` of the model, which a `Config` puts in its place."""
    schedule: str = "cosine"
    """cosine (after `warmup_steps`, down to `final_fraction`); constant; burda (eight plateaus
    lr·10^(−i/7), i = 0…7, of lengths in proportion 3^i: Burda et al. 2015, Sect. 5)."""
    warmup_steps: int = 200
    final_fraction: float = 0.02
    epsilon: float = 1e-8
    inner_steps: int = 0
    """At most so many encoder-only updates before each update of the decoder, until the mutual
    information of held-out codes stops rising (He et al. 2019); 0 is off."""
    matmul_precision: str = "auto"
    """What the wide layers multiply in while they learn: float32; bfloat16 (sums, weights and the
    layers next to the code stay float32); auto takes bfloat16 where the processor has it and it was
    measured to cost nothing (an mlp in float32 with a Bernoulli likelihood, on the CPU)."""

    def __post_init__(self) -> None:
        check_choice("schedule", self.schedule, LEARNING_RATE_SCHEDULES)
        check_choice("matmul_precision", self.matmul_precision, MATMUL_PRECISIONS)
        check_whole("batch_size", self.batch_size, 1, 65536)
        if self.learning_rate is not None:
            check_between("learning_rate", self.learning_rate, 1e-8, 10.0)
        check_whole("warmup_steps", self.warmup_steps, 0, 10**9)
        check_between("final_fraction", self.final_fraction, 0.0, 1.0)
        check_between("epsilon", self.epsilon, 1e-16, 1.0)
        check_whole("inner_steps", self.inner_steps, 0, 1000)

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        return LEARNING_RATE if self.learning_rate is None else self.learning_rate

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate at 0-based `step` of `steps` planned ones."""
        if self.schedule == "burda":
            ends = [(3**stage - 1) / (3**8 - 1) for stage in range(1, 9)]
            stage = sum(step >= end * steps for end in ends[:-1])
            return float(self.peak * 10 ** (-stage / 7))
        warmup = min(self.warmup_steps, steps // 10)
        if step < warmup:
            return self.peak * (step + 1) / warmup
        if self.schedule == "constant":
            return self.peak
        position = min(1.0, (step - warmup) / max(1, steps - warmup))
        fall = 0.5 * (1 + math.cos(math.pi * position))
        return self.peak * (self.final_fraction + (1 - self.final_fraction) * fall)


def suited_rate(model: ModelConfig) -> float:
    """Return a learning rate that convolutions of these widths bear from the first update on.

    Adam moves every weight by about as much, whatever its gradient, so that what reaches a unit
    moves with the number of its inputs: the rate falls as 1/width beyond GENTLE_WIDTH channels
    (Yang et al. 2022, arXiv:2203.03466, Table 3). Measured on `colour-shapes`, σ² = 0.1, nats per
    image of −log p(x|z) at the start and at its highest in the first updates:

    | channels | batch | rate | start | highest | KL after 14 updates |
    |---|---|---|---|---|---|
    | 64-128-256-512 | 16 | 2e-3 | −252 | 14,460 | 0 |
    | 64-128-256-512 | 16 | 5e-4 | −252 | 199 | 8 |
    | 64-128-256-512 | 128 | 2e-3 | −253 | 2,174 | |
    | 64-128-256-512 | 128 | 5e-4 | −253 | −253 | |
    | 32-64-128-256 | 16 | 2e-3 | −245 | 229 | 0 |
    | 32-64-128-256 | 16 | 1e-3 | −245 | 238 | 1 |

    At 256 channels both do; at 512 2e-3 ends trainings. A warm-up over 200 updates in place of it
    reaches −692 with KL 0 where 5e-4 has −997 with KL 8.
    """
    widest = max(model.hidden, default=1) if model.network == "conv" else 1
    return LEARNING_RATE * min(1.0, GENTLE_WIDTH / widest)
