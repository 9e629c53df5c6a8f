"""Which axis is which: codes of grids and sequences, asked about and laid out as rows.

A code of a picture or a sound may be a grid of positions: (N, C, H, W), (N, K, T), (N, T, K). The
person says which axes those are; then every position is an item (`per` channel), or every position
and channel a dimension (`per` position). Three axes are never taken for training steps by
themselves: that needs an array of steps.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.codes_in.numbers import list_words, say_shape
from explorer.errors import ExplorerError

Floats = NDArray[np.floating]
LATENTS, ITEMS = "KC", "N"
PER = ("channel", "position")
USUAL = {3: ("NKT", "NTK"), 4: ("NCHW", "NHWC"), 5: ("NCTHW", "NTHWC")}
"""The orders that are offered, by the number of axes."""
TELLING = 0.5
"""Share of the spreads' variance between one axis' indices, from which it is pointed at."""


@dataclass(frozen=True)
class Choice:
    """One way to read the axes: its code for `--axes`, and the sizes that result."""

    axes: str
    items: int
    latents: int
    positions: int

    def __str__(self) -> str:
        items, positions = f"{self.items:,} items", f"{self.positions:,} positions"
        return f"--axes {self.axes} for {items} of {self.latents:,} latents at {positions}"


class AxesNeeded(ExplorerError):
    """The axes must be said first; `choices` are the usual ways, `likely` the latents' axis.

    `asked` is the question alone, for those who choose on a page and not by an option.
    """

    def __init__(
        self, message: str, choices: tuple[Choice, ...], likely: int | None, *asked: str
    ) -> None:
        super().__init__(message)
        self.choices, self.likely = choices, likely
        self.asked = asked or (message,)


@dataclass(frozen=True)
class Axes:
    """The axes as said: one letter each, N items, K or C latents, any other letter positions."""

    letters: str
    latent: int
    per: str = "channel"

    @property
    def is_timeline(self) -> bool:
        """Whether the first axis is training steps: S items latents."""
        return self.letters.startswith("S")


def parse_axes(letters: str, count: int, per: str = "channel") -> Axes:
    """Return axes from letters such as NCHW; SNK are steps, items, latents.

    >>> parse_axes("NCHW", 4).latent
    1
    """
    letters = letters.upper()
    if letters == "TNK":
        letters = "SNK"
    found = [place for place, letter in enumerate(letters) if letter in LATENTS]
    plain = letters[0] == ITEMS or letters == "SNK"
    if len(letters) != count or len(set(letters)) != count or not plain or len(found) != 1:
        usual = list_words([*USUAL.get(count, ("NK",)), *(["SNK"] if count == 3 else [])], "or")
        raise ExplorerError(
            f"The axes {letters!r} do not fit {count} axes: one letter each, N first, one K or C; "
            f"{usual}."
        )
    if per not in PER:
        raise ExplorerError(f"Grids are judged per {list_words(list(PER), 'or')}, not {per!r}.")
    return Axes(letters, found[0], per)


def ask_for_axes(
    name: str,
    shape: tuple[int, ...],
    spread: Floats | None,
    *,
    moments: bool = False,
    stacked: int | None = None,
) -> AxesNeeded:
    """Return the question which axes are which, with what the values themselves say.

    `spread` are spreads (or means) of some items in the array's own axes. `moments` says that the
    latents' axis holds both moments, `stacked` along which axis of 2 they seem to lie.
    """
    choices = tuple(
        Choice(
            letters,
            shape[0],
            shape[latent] // (2 if moments else 1),
            int(np.prod(shape[1:])) // shape[latent],
        )
        for letters in USUAL.get(len(shape), ())
        for latent in [parse_axes(letters, len(shape)).latent]
    )
    if not choices:
        return AxesNeeded(
            f"{name} holds codes of {len(shape)} axes, {say_shape(shape)}; reshape them to "
            "(items, dimensions).",
            (),
            None,
        )
    likely = None if spread is None else latent_axis(spread)
    parts = [str(choice) for choice in choices]
    if len(shape) == 3:
        parts.append(
            f"an array steps ({shape[0]:,},) if they are {shape[0]:,} moments of a training of "
            f"{shape[1]:,} items and {shape[2]:,} latents"
        )
    hint = ""
    if stacked is not None:
        hint = (
            f"Its two parts along axis {stacked} fit as mean and spread: save them apart, "
            "np.savez(path, mean=…, logvar=…)."
        )
    elif likely is not None:
        hint = f"Its spreads differ most along axis {likely} (of {shape[likely]:,}), as latents do."
    question = f"{name} holds codes {say_shape(shape)}: say what the axes are."
    options = (
        f"{'; '.join(parts)}. With --per position each position of each latent is a dimension of "
        "its own."
    )
    message = " ".join(part for part in (question, options, hint) if part)
    return AxesNeeded(message, choices, likely, question, hint)


def latent_axis(values: Floats) -> int | None:
    """Return the axis (not the first) along which the values' means differ most, if it is clear.

    Spreads depend on the dimension more than on the item or the position; None where no axis
    explains half of their variance, or where two do alike.
    """
    numbers = np.asarray(values, dtype=np.float64)
    total = numbers.var()
    if not total > 0:
        return None
    shares = []
    for axis in range(1, numbers.ndim):
        others = tuple(place for place in range(numbers.ndim) if place != axis)
        shares.append(float(numbers.mean(others).var() / total))
    order = np.argsort(shares)[::-1]
    best = shares[order[0]]
    second = shares[order[1]] if len(order) > 1 else 0.0
    return int(order[0]) + 1 if best >= TELLING and best >= 2 * second else None


def lay_out(values: Floats, axes: Axes) -> Floats:
    """Return codes (N, …) as rows: (N·positions, K) per channel, (N, K·positions) per position."""
    if axes.per == "position":
        return np.moveaxis(values, axes.latent, 1).reshape(len(values), -1)
    moved = np.moveaxis(values, axes.latent, -1)
    return moved.reshape(-1, moved.shape[-1])


def positions_of(shape: tuple[int, ...], axes: Axes) -> int:
    """Return how many positions an item has."""
    return int(np.prod(shape[1:])) // shape[axes.latent]


def halve(values: Any, axis: int = 1) -> tuple[Any, Any]:
    """Return the two halves of an array of moments (N, 2C, …) along an axis."""
    return tuple(np.split(values, 2, axis=axis))  # type: ignore[return-value]
