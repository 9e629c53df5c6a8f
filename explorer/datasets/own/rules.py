"""What all pictures of a set are made to: size, channels and scale, asked for or found."""

from dataclasses import dataclass, field

from explorer.datasets.own.fit import FITS, has_colour
from explorer.datasets.own.source import Block
from explorer.datasets.own.values import Extremes, Scales
from explorer.errors import ExplorerError

LARGEST_SIDE = 512
LARGEST_OWN = 128
"""Pictures that all have one size keep it up to this; beyond, networks here are too slow."""
USUAL_SIZE = (64, 64)


@dataclass(frozen=True)
class Wish:
    """What the user asks for; validated at once.

    Raises ExplorerError for a size, fit, number of channels or background that cannot be.
    """

    size: int | tuple[int, int] | None = None
    """A side in pixels, or (height, width); None takes the pictures' own where they agree."""
    fit: str = "crop"
    channels: int | None = None
    """1 (grey), 3 (colour), or None: colour if any picture has some."""
    background: int = 0
    """The grey, 0 to 255, behind transparent pixels and in margins."""

    def __post_init__(self) -> None:
        sides = self.target
        if sides is not None and not all(
            isinstance(side, int) and 1 <= side <= LARGEST_SIDE for side in sides
        ):
            raise ExplorerError(
                f"The size is a whole number from 1 to {LARGEST_SIDE} pixels, or two of them, "
                f"not {self.size!r}."
            )
        if self.fit not in FITS:
            raise ExplorerError(f"A picture is fitted by {', '.join(FITS)}, not {self.fit!r}.")
        if self.channels not in (None, 1, 3):
            raise ExplorerError(f"Images have 1 or 3 channels, not {self.channels!r}.")
        if not isinstance(self.background, int) or not 0 <= self.background <= 255:
            raise ExplorerError(f"The background is a grey from 0 to 255, not {self.background!r}.")

    @property
    def target(self) -> tuple[int, int] | None:
        """The (height, width) that was asked for."""
        if self.size is None:
            return None
        if isinstance(self.size, tuple | list):
            height, width = self.size if len(self.size) == 2 else (0, 0)
            return height, width
        return self.size, self.size


@dataclass(frozen=True)
class Rules:
    """What holds for every picture of one reading."""

    size: tuple[int, int]
    size_rule: str
    channels: int
    channel_rule: str
    scales: Scales


@dataclass
class Seen:
    """What the pictures that were looked at so far are like."""

    wish: Wish
    extremes: Extremes = field(default_factory=Extremes)
    first: tuple[int, int] | None = None
    mixed: bool = False
    coloured: bool = False

    def add(self, block: Block) -> None:
        """Take in one block of pictures."""
        assert block.pixels is not None
        self.first = self.first or block.size
        self.mixed = self.mixed or block.size != self.first
        self.extremes.add(block.pixels)
        if self.wish.channels is None and not self.coloured:
            self.coloured = has_colour(block.pixels)

    def target(self) -> tuple[int, int] | None:
        """Return the size of all images, None while it hangs on pictures and none was seen."""
        if self.wish.target is not None or self.first is None:
            return self.wish.target
        fits = not self.mixed and max(self.first) <= LARGEST_OWN
        return self.first if fits else USUAL_SIZE

    def rules(self) -> Rules:
        """Return the rules that these pictures, and the wish, speak for."""
        size = self.target()
        assert size is not None and self.first is not None
        own = size == self.first and not self.mixed
        size_rule = "told" if self.wish.target is not None else "own" if own else "mixed"
        if self.wish.channels is not None:
            channels, channel_rule = self.wish.channels, "told"
        else:
            channels, channel_rule = (3, "colour") if self.coloured else (1, "grey")
        return Rules(size, size_rule, channels, channel_rule, self.extremes.scales())
