"""What is minimised, and how β moves."""

import dataclasses
from dataclasses import dataclass

from explorer.config.checks import check_between, check_choice, check_whole
from explorer.errors import ExplorerError

BETA_SCHEDULES = ("constant", "linear", "cyclical")


@dataclass(frozen=True)
class ObjectiveConfig:
    """What is minimised: reconstruction + β·KL, and how β moves."""

    beta: float = 1.0
    schedule: str = "constant"
    """constant; linear (0 to β over the first `warmup`); cyclical (`cycles` such ramps)."""
    warmup: float = 0.2
    """Fraction of the planned steps (linear) or of each cycle (cyclical) in which β rises."""
    cycles: int = 4
    samples: int = 1
    """L, the Monte-Carlo samples of z per image."""
    importance_samples: int = 1
    """k of the importance-weighted bound; 1 is the plain ELBO."""
    free_bits: float = 0.0
    """λ in nats per dimension below which KL costs nothing."""
    free_bits_total: float = 0.0
    """λ in nats over all dimensions together below which KL costs nothing."""
    capacity: float = 0.0
    """C in nats: γ·|KL − C| is priced in place of β·KL, and C rises as β would; 0 is off."""
    capacity_weight: float = 10.0
    """γ of the capacity target."""

    def __post_init__(self) -> None:
        check_choice("schedule", self.schedule, BETA_SCHEDULES)
        check_between("beta", self.beta, 0.0, 1e4)
        check_between("warmup", self.warmup, 0.0, 1.0)
        check_whole("cycles", self.cycles, 1, 1000)
        check_whole("samples", self.samples, 1, 1000)
        check_whole("importance_samples", self.importance_samples, 1, 1000)
        check_between("free_bits", self.free_bits, 0.0, 100.0)
        check_between("free_bits_total", self.free_bits_total, 0.0, 1e4)
        check_between("capacity", self.capacity, 0.0, 1e4)
        check_between("capacity_weight", self.capacity_weight, 0.0, 1e6)
        floors = (self.free_bits, self.free_bits_total, self.capacity)
        if sum(floor > 0 for floor in floors) > 1:
            raise ExplorerError("Choose one of free bits, total free bits and a capacity target.")
        if self.importance_samples > 1 and (
            self.samples > 1 or any(floors) or self.beta != 1 or self.schedule != "constant"
        ):
            raise ExplorerError(
                "An importance-weighted bound (importance_samples > 1) goes with β = 1, a constant "
                "schedule, one sample, no free bits and no capacity target."
            )

    @property
    def is_plain(self) -> bool:
        """Whether it is reconstruction + β·KL from one sample of z, and nothing else."""
        floors = (self.free_bits, self.free_bits_total, self.capacity)
        return self.samples == self.importance_samples == 1 and not any(floors)

    def at(self, step: int, steps: int) -> "ObjectiveConfig":
        """Return what holds at 0-based `step` of `steps`: a capacity target C rises like β.

        Burgess et al. 2018, Eq. 8: C from 0 to its final value, linearly.
        """
        if not self.capacity or self.schedule == "constant":
            return self
        # C must stay above 0, which would turn the target off.
        risen = max(1e-9, self.capacity * self._rise(step, steps))
        return dataclasses.replace(self, capacity=risen)

    def beta_at(self, step: int, steps: int) -> float:
        """Return β at 0-based `step` of `steps` planned ones.

        Linear warm-up as in Bowman et al. 2016; cyclical as in Fu et al. 2019, Eq. 6.
        """
        return self.beta * self._rise(step, steps)

    def _rise(self, step: int, steps: int) -> float:
        if self.schedule == "constant":
            return 1.0
        cycles = 1 if self.schedule == "linear" else min(self.cycles, steps)
        # In whole numbers, so that each cycle begins at 0 whatever `steps / cycles` rounds to.
        position = step * cycles % steps / steps
        return min(1.0, position / self.warmup) if self.warmup else 1.0
