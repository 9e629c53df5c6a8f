"""What a foreign network may be, at most: of everything else there is one sentence and no memory.

Counts are per image unless they say otherwise.
"""

from dataclasses import dataclass

from explorer.errors import ExplorerError, shorten

MAX_FILE_BYTES = 500_000_000
MAX_LAYERS = 1_000
"""Layers or operators of one network, those inside branches included."""
MAX_DEPTH = 32
"""Branches inside branches."""
MAX_WEIGHTS = 100_000_000
"""Of encoder or decoder."""
MAX_VALUES = 8_000_000
"""Of one array between two layers."""
MAX_TOTAL_VALUES = 400_000_000
"""Of all arrays that one image makes on its way."""
MAX_MULTIPLY_ADDS = 50_000_000_000
CHUNK_VALUES = 64_000_000
"""Values of the widest array of one batch; larger batches go through in parts."""


def check_values(count: int, where: str) -> None:
    """Raise unless an array of `count` values per image is one that we would hold."""
    if count > MAX_VALUES:
        raise ExplorerError(
            f"{where} makes {count:,} values of one image; at most {MAX_VALUES:,} are supported: "
            "use smaller images or fewer channels."
        )


def check_weights(count: int, where: str) -> None:
    """Raise unless a network of `count` weights is one that we would hold."""
    if count > MAX_WEIGHTS:
        raise ExplorerError(
            f"{where} has {count:,} weights; at most {MAX_WEIGHTS:,} are supported: bring a "
            "smaller network, or its codes alone (.npz)."
        )


@dataclass
class Cost:
    """What one image costs: multiply-adds, all values on its way, and the widest array."""

    multiply_adds: int = 0
    values: int = 0
    widest: int = 0

    def add(self, multiply_adds: int, values: int) -> None:
        """Count one layer; raise where the network becomes too large."""
        self.multiply_adds += multiply_adds
        self.values += values
        self.widest = max(self.widest, values)
        if self.multiply_adds > MAX_MULTIPLY_ADDS or self.values > MAX_TOTAL_VALUES:
            raise ExplorerError(
                "This network is too large to be looked at: one image takes more than "
                f"{MAX_MULTIPLY_ADDS // 10**9} billion multiply-adds or {MAX_TOTAL_VALUES:,} "
                "values; bring a smaller one, or its codes alone (.npz)."
            )


def shown(name: object) -> str:
    """Return a foreign name as errors may quote it: short, and without characters of control."""
    return shorten("".join(c if c.isprintable() else "?" for c in str(name)), 60)
