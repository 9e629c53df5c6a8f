"""A sweep as the browser drags through it: every model's film on the same two axes, in short."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.codes import lay_on_axes, main_dimensions
from explorer.export.film import MOST_POINTS, encode_frame, encode_pictures
from explorer.runs.run import Snapshot

MOST_BYTES, MOST_FRAMES = 3_000_000, 240
"""Of the films of all models together, as far as one frame of each allows."""
SHOWN_PICTURES = 6


@dataclass(frozen=True)
class Placing:
    """Which dimensions of a model lie on the two axes, and whether they are flipped.

    −1 stands where it has none.
    """

    axes: tuple[int, int]
    signs: tuple[float, float]


def choose_reference(betas: Sequence[float], latents: Sequence[int]) -> int:
    """Return the place of the model whose latents all others are matched to.

    It is the one nearest β = 1, where both terms weigh the same, and of these the largest.
    """
    distance = np.abs(np.log(np.maximum(betas, 1e-6)))
    return int(np.lexsort((-np.asarray(latents), distance))[0])


def place_members(
    frames: Sequence[Snapshot], reference: int, has_shares: bool
) -> tuple[tuple[int, int], list[Placing]]:
    """Return the two main dimensions of the reference, and how each model lies on them."""
    target = frames[reference]
    main = main_dimensions(target.mean, target.logvar, has_shares)
    placings = [
        Placing(*lay_on_axes(target.mean, main, frame.mean))
        if len(frame.mean) == len(target.mean)
        else Placing(main_dimensions(frame.mean, frame.logvar, has_shares), (1.0, 1.0))
        for frame in frames
    ]
    return main, placings


def count_frames(frame: Snapshot, members: int) -> int:
    """Return how many frames of each of so many models are sent."""
    pictures = (frame.reconstructions, frame.samples)
    size = 4 * min(len(frame.mean), MOST_POINTS)
    size += sum(each[:SHOWN_PICTURES].nbytes for each in pictures if each is not None)
    return max(1, min(MOST_FRAMES, MOST_BYTES // max(1, size)) // max(1, members))


def encode_member_frame(frame: Snapshot, placing: Placing) -> dict[str, Any]:
    """Return a frame as `encode_frame` does, on the placing's axes, with samples beside it."""
    return encode_frame(frame, placing.axes, placing.signs) | {
        "made": encode_pictures(frame.reconstructions, SHOWN_PICTURES),
        "drawn": encode_pictures(frame.samples, SHOWN_PICTURES),
    }
