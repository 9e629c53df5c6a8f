"""What is told of a foreign model beside its networks: which images, which loss, which reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import ExplorerError


@dataclass(frozen=True)
class Told:
    """What a person knows of a model that was trained elsewhere, as `explorer.adopt` explains it.

    Raises ExplorerError for a β that no training has.
    """

    images: Any
    likelihood: str
    sigma2: float | None = None
    binarise: bool = False
    reading: Mapping[str, Any] = field(default_factory=dict)
    """What is known of it; nothing is the probe's question."""
    beta: float | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        check_beta(self.beta)


def check_beta(beta: float | None) -> float | None:
    """Return a β that a training can have had."""
    if beta is not None and not 0 <= beta < 1e9:
        raise ExplorerError("beta is the weight of KL in the loss, a number from 0.")
    return beta
