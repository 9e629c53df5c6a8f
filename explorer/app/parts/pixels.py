"""A covered picture whose pixels are uncovered by brush, by rows or at random."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.app.parts.kept import read_widget
from explorer.app.parts.mount import do_nothing, enclose, inline_component

_MARKUP = """<div class="pixel-brush">
  <div class="modes" role="radiogroup">
    <button type="button" role="radio" data-role="rows"></button>
    <button type="button" role="radio" data-role="random"></button>
    <button type="button" role="radio" data-role="brush"></button>
  </div>
  <canvas tabindex="0" role="img"></canvas>
  <div class="level">
    <button type="button" data-role="play"></button>
    <input type="range" min="0" step="1">
    <button type="button" data-role="cover"></button>
    <button type="button" data-role="show"></button>
  </div>
  <output></output>
</div>"""


def visible_pixels(shape: Sequence[int], key: str, start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels of the picture (…, H, W) under `key` are visible, (H, W).

    Until the visitor has touched it, those of `start`.
    """
    height, width = shape[-2:]
    mask = str((read_widget(key) or {}).get("mask", ""))
    if len(mask) != height * width:
        return start
    return np.array([pixel == "1" for pixel in mask]).reshape(height, width)


def pixel_brush(
    picture: NDArray[np.uint8],
    random_order: Sequence[int],
    words: Mapping[str, str],
    *,
    key: str,
    mode: str,
    start: NDArray[np.bool_],
) -> None:
    """Show `picture` (C, H, W) under its cover; `visible_pixels` tells what is uncovered.

    It opens in `mode` (rows, random or brush) with the pixels of `start` visible; `random_order`
    is the order of the H·W pixels at random. `words`: rows, random, brush, play, pause, cover,
    show, slider, picture, count (with {count} and {total}). Keep it inside a fragment and call it
    last, after what it moves: a picture that plays takes its next step once this run has shown the
    one before.
    """
    opened = "".join("1" if pixel else "0" for pixel in start.ravel())
    data = {
        "shape": list(picture.shape),
        "pixels": picture.ravel().tolist(),
        "random": list(random_order),
        "mode": mode,
        "start": opened,
        "words": dict(words),
        "stamp": key,
        "echo": (read_widget(key) or {}).get("mask", opened),
    }
    mount = inline_component("pixel_brush", "brush", _MARKUP)
    mount(key=key, data=enclose(data), default={"mask": opened}, on_mask_change=do_nothing)
