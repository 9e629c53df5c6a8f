"""Small pictures for a start page, without a plotting library."""

import io
from typing import Any

import numpy as np
from PIL import Image

from explorer.export.payload import Pictures
from explorer.figures.palette import CLASSES

WIDTH, HEIGHT = 480, 300
MOST_POINTS = 4000
DOT = 2
"""Pixels by which a point reaches to either side."""


def draw_codes(mean: Any, labels: Any) -> bytes:
    """Return a PNG of codes (N, K) on their two widest dimensions, coloured by label."""
    codes = np.asarray(mean, float)[:MOST_POINTS]
    widest = np.sort(np.argsort(codes.std(0))[-2:])
    plane = codes[:, widest] if codes.shape[1] > 1 else np.stack([codes[:, 0], 0 * codes[:, 0]], 1)
    low, high = np.percentile(plane, [0.5, 99.5], axis=0)
    scale = min(
        (side - 24) / max(extent, 1e-9)
        for side, extent in zip((WIDTH, HEIGHT), high - low, strict=True)
    )
    place = (plane - (low + high) / 2) * scale + np.array([WIDTH, HEIGHT]) / 2
    columns, rows = place[:, 0].round().astype(int), (HEIGHT - place[:, 1]).round().astype(int)
    groups = np.zeros(len(codes), int) if labels is None else np.asarray(labels)[: len(codes)]
    colours = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CLASSES], np.uint8)
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for dy in range(-DOT, DOT + 1):
        for dx in range(-DOT, DOT + 1):
            if dx * dx + dy * dy > DOT * DOT + 1:
                continue
            y, x = rows + dy, columns + dx
            inside = (y >= 0) & (y < HEIGHT) & (x >= 0) & (x < WIDTH)
            shade = colours[groups[inside].astype(int) % len(colours)]
            picture[y[inside], x[inside], :3] = shade
            picture[y[inside], x[inside], 3] = 235
    return _png(picture)


def draw_image(pictures: Pictures | None) -> bytes:
    """Return a PNG of some of a model's pictures side by side, for one that has no map."""
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    if pictures is not None and len(pictures.images):
        side = HEIGHT // 3
        for place in range(min(12, len(pictures.images))):
            values = np.moveaxis(np.asarray(pictures.images[place]), 0, -1)
            grey = values[..., 0] if values.shape[-1] == 1 else values
            tile = Image.fromarray(grey).convert("RGBA").resize((side, side))
            row, column = divmod(place, 4)
            left = 40 + column * side
            picture[row * side : (row + 1) * side, left : left + side] = np.asarray(tile)
    return _png(picture)


def _png(picture: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture, "RGBA").save(stream, "PNG", optimize=True)
    return stream.getvalue()
