"""What the comparison of models keeps between reruns: each entry wraps a pure function."""

from typing import Any

import numpy as np

from explorer.analysis.representation.holes import (
    RANDOM_CODES,
    Holes,
    draw_codes,
    map_distances,
    measure_holes,
    pick_images,
)
from explorer.analysis.representation.latents import decode_codes
from explorer.analysis.representation.quality import Accuracy, neighbour_accuracy
from explorer.app.bounded import keep
from explorer.app.cached import get_codes, get_run_with_model
from explorer.app.session import library
from explorer.codes import Array
from explorer.elbo.encoding import encode_images
from explorer.figures.compare import Square
from explorer.runs.run import Run

NEIGHBOUR_CODES = 2000
TILES = 15
CELLS = 41


def list_comparable() -> dict[str, list[Run]]:
    """Return the finished runs with weights by their data set, shipped ones first."""
    found: dict[str, list[Run]] = {}
    for run in library().runs({"model", "images", "ended"}, first="shipped"):
        dataset = run.info.dataset
        if dataset is not None:
            found.setdefault(dataset.name, []).append(run)
    return found


@keep
def _reconstructions_for(fingerprint: str, content: bytes, _images: Array, _run: Run) -> Array:
    model = get_run_with_model(_run).model
    return as_bytes(decode_codes(model, encode_images(model, _images)[0]))


def reconstruct(run: Run, images: Array) -> Array:
    """Return what a model makes of uint8 images (M, C, H, W), same shape and type."""
    return _reconstructions_for(run.fingerprint, images.tobytes(), images, run)


@keep
def _draws_for(fingerprint: str, source: str, _run: Run) -> tuple[Array, Array]:
    run = get_run_with_model(_run)
    codes = get_codes(run)
    z = draw_codes(run.model, source, RANDOM_CODES, codes=None if codes is None else codes.mean)
    return z, as_bytes(decode_codes(run.model, z))


def get_draws(run: Run, source: str) -> tuple[Array, Array]:
    """Return random codes (M, K) and what they decode to, uint8 (M, C, H, W)."""
    return _draws_for(run.fingerprint, source, run)


@keep
def _holes_for(fingerprint: str, source: str, _run: Run) -> Holes:
    run = get_run_with_model(_run)
    reference, unseen = get_images(run)
    return measure_holes(run.model, get_draws(run, source)[0], reference, unseen)


def get_holes(run: Run, source: str) -> Holes | None:
    """Return how random codes decode, None while the images are not at hand."""
    if library().images_of(run, at_once=True) is None:
        return None
    return _holes_for(run.fingerprint, source, run)


def find_figures(run: Run, source: str) -> dict[str, Any] | None:
    """Return the figures of `get_holes`; a shipped run brings those of where it was made."""
    shipped: dict[str, Any] = library().stored(run, "holes") or {}
    if source in shipped:
        found: dict[str, Any] = shipped[source]
        return found
    holes = get_holes(run, source)
    return None if holes is None else holes.to_dict()


def get_images(run: Run) -> tuple[Array, Array]:
    """Return the training images and the unseen ones that holes are measured with."""
    images = library().images_of(run)
    assert images is not None
    return pick_images(images)


@keep
def _backdrop_for(
    fingerprint: str, square: tuple[float, float, float], axes: tuple[int, int], _run: Run
) -> Array:
    return as_bytes(decode_codes(_run.model, _grid_codes(_run, square, axes, TILES)))


def get_backdrop(run: Run, square: Square, axes: tuple[int, int]) -> Array:
    """Return decoded pictures (S², C, H, W), uint8, over a square, top row first."""
    key = (square.x, square.y, square.half)
    return _backdrop_for(run.fingerprint, key, axes, get_run_with_model(run))


@keep
def _hole_map_for(
    fingerprint: str, square: tuple[float, float, float], axes: tuple[int, int], _run: Run
) -> Array:
    z = _grid_codes(_run, square, axes, CELLS)
    return map_distances(_run.model, z, get_images(_run)[0]).reshape(CELLS, CELLS)


def get_hole_map(run: Run, square: Square, axes: tuple[int, int]) -> Array | None:
    """Return the distance to the nearest image (S, S) over a square, None without the images."""
    if library().images_of(run, at_once=True) is None:
        return None
    key = (square.x, square.y, square.half)
    return _hole_map_for(run.fingerprint, key, axes, get_run_with_model(run))


def _grid_codes(
    run: Run, square: tuple[float, float, float], axes: tuple[int, int], size: int
) -> Array:
    codes = get_codes(run)
    base = np.zeros(run.model.latent_dim) if codes is None else codes.mean.mean(0)
    z = np.repeat(base[None].astype(np.float64), size * size, 0)
    z[:, list(axes)] = Square(*square).grid(size)
    return z


@keep
def _neighbours_for(fingerprint: str, _run: Run) -> Accuracy | None:
    codes = get_codes(_run)
    if codes is None or codes.labels is None or len(codes.mean) <= 15:
        return None
    return neighbour_accuracy(codes.mean[:NEIGHBOUR_CODES], codes.labels[:NEIGHBOUR_CODES])


def get_neighbours(run: Run) -> Accuracy | None:
    """Return the 15-nearest-neighbour accuracy of a run's codes, None without labels."""
    if not run.info.is_continuous:
        return None
    return _neighbours_for(run.fingerprint, run)


def as_bytes(images: Array) -> Array:
    """Return images in [0, 1] as uint8."""
    return np.asarray((255 * np.clip(images, 0, 1)).round(), np.uint8)
