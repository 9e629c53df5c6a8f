"""How long it is trained."""

from dataclasses import dataclass

from explorer.config.checks import check_between, check_whole
from explorer.errors import ExplorerError


@dataclass(frozen=True)
class BudgetConfig:
    """How long: exactly one of steps, epochs or seconds.

    Seconds are those of learning, film included. They come to fewer updates on a machine that turns
    out slower than it was at the start; the last figures and codes are measured afterwards.
    """

    steps: int | None = None
    epochs: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.steps, self.epochs, self.seconds)) != 1:
            raise ExplorerError("Give exactly one budget: steps, epochs or seconds.")
        if self.steps is not None:
            check_whole("steps", self.steps, 1, 10**9)
        if self.epochs is not None:
            check_between("epochs", self.epochs, 1e-6, 1e6)
        if self.seconds is not None:
            check_between("seconds", self.seconds, 0.1, 7 * 86400)
