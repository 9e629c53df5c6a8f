"""Holes of a latent map: do random codes decode to something like the images, and to all of them?

The distance of two pictures is the square root of their summed squared grey differences, grey
values in [0, 1]; d(x̂) is that of a picture to the nearest real training image. A model is held
against its own reconstructions, so that neither blur nor the size of the images counts:

    holes   h = P[d(x̂(z)) > q], z random; q is what d stays below for 95 % of the model's own
            reconstructions of unseen images
    missed  m = P[d'(x) > q'], x an unseen image, d' its distance to the nearest of M random
            pictures; q' is what d' stays below for 95 % of the images with M reconstructions of
            training images in their place

Both are 5 % for random codes that lie as the codes of images do. They are a model's precision and
recall (Kynkäänniemi et al. 2019), in pixels. Errors are of a bootstrap over both sets of distances.
What they cannot tell: a blurred mixture of two digits that lies near both of them counts as filled.

Shapes: M pictures, N reference images, U unseen ones, K latents.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from explorer.analysis.checks import Floats, as_array, plain
from explorer.analysis.representation.latents import decode_codes
from explorer.analysis.representation.quality import fit_density
from explorer.datasets import ImageDataset
from explorer.elbo.encoding import encode_images
from explorer.errors import ExplorerError
from explorer.models.base import Model

USUAL = 0.95
"""Share of the reconstructions of unseen images that does not count as holes."""
REPEATS = 400
CHUNK = 512
SOURCES = ("prior", "matched", "mixture")
COMPONENTS = 10
RANDOM_CODES = 500
UNSEEN_IMAGES = 500
REFERENCE_IMAGES = 6000

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Holes:
    """How random codes (M, K) decode, beside the same model's reconstructions of unseen images.

    `holes` ± `holes_error` of the pictures lie further from every reference image than
    `threshold`; `missed` ± `missed_error` of the unseen images are reached by none of them.
    `distances` (M,) with the `nearest` reference image (M,) of each, and means with standard
    errors: of the random pictures, of the reconstructions (`reconstructed`) and of the unseen
    images themselves (`real`). `squared_error` is the mean over unseen images of Σ (x − x̂)².
    """

    holes: float
    holes_error: float
    missed: float
    missed_error: float
    threshold: float
    squared_error: float
    squared_error_error: float
    distance: float
    distance_error: float
    reconstructed: float
    reconstructed_error: float
    real: float
    real_error: float
    codes: NDArray[Any]
    distances: Floats
    nearest: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values, without the single codes."""
        arrays = ("codes", "distances", "nearest")
        return plain({name: value for name, value in vars(self).items() if name not in arrays})


def pick_images(dataset: ImageDataset) -> tuple[Images, Images]:
    """Return 6,000 evenly spread training images and 500 unseen ones, or as many as there are."""
    splits = [name for name, rows in dataset.splits.items() if len(rows)]
    train = dataset.split("train" if "train" in splits else "all").images
    unseen = next(name for name in ("test", "validation", "all") if name in splits)
    chosen = np.linspace(0, len(train) - 1, min(REFERENCE_IMAGES, len(train))).astype(int)
    return train[chosen], dataset.split(unseen).images[:UNSEEN_IMAGES]


def measure_holes(
    model: Model, codes: ArrayLike, reference: Images, unseen: Images, *, seed: int = 0
) -> Holes:
    """Return how often `codes` (M, K) decode to something unlike the `reference` images.

    `reference` (N, C, H, W) are training images, `unseen` (U, C, H, W) held-out ones, both uint8.
    """
    z = np.asarray(codes)
    if len(z) < 2 or len(unseen) < 2 or not len(reference):
        raise ExplorerError("Holes are measured with at least two codes and two unseen images.")
    pictures = decode_codes(model, z)
    distances, nearest = measure_distances(pictures, reference)
    x = unseen / np.float32(255)
    reconstructions = _reconstruct(model, unseen, seed)
    reconstructed, _ = measure_distances(reconstructions, reference)
    real, _ = measure_distances(x, reference)
    chosen = np.linspace(0, len(reference) - 1, min(len(z), len(reference))).astype(int)
    reached, _ = measure_distances(x, pictures)
    reachable, _ = measure_distances(x, _reconstruct(model, reference[chosen], seed))
    holes, holes_error = share_beyond(distances, reconstructed, seed=seed)
    missed, missed_error = share_beyond(reached, reachable, seed=seed)
    squares = np.square(x - reconstructions.clip(0, 1)).reshape(len(x), -1).sum(1)
    return Holes(
        holes=holes,
        holes_error=holes_error,
        missed=missed,
        missed_error=missed_error,
        threshold=float(np.quantile(reconstructed, USUAL)),
        squared_error=float(squares.mean()),
        squared_error_error=_standard_error(squares),
        distance=float(distances.mean()),
        distance_error=_standard_error(distances),
        reconstructed=float(reconstructed.mean()),
        reconstructed_error=_standard_error(reconstructed),
        real=float(real.mean()),
        real_error=_standard_error(real),
        codes=z,
        distances=distances,
        nearest=nearest,
    )


def share_beyond(
    distances: ArrayLike, usual: ArrayLike, *, quantile: float = USUAL, seed: int = 0
) -> tuple[float, float]:
    """Return the share of `distances` (M,) beyond the quantile of `usual` (U,), and its error.

    The error is the standard deviation over bootstrap draws of both.

    >>> share_beyond([1.0, 2.0, 3.0, 100.0], [0.0, 1.0, 2.0, 50.0], quantile=1.0)[0]
    0.25
    """
    d, u = as_array(distances), as_array(usual)
    rng = np.random.default_rng([seed, 0x401E5])
    shares = [
        (rng.choice(d, len(d)) > np.quantile(rng.choice(u, len(u)), quantile)).mean()
        for _ in range(REPEATS)
    ]
    return float((d > np.quantile(u, quantile)).mean()), float(np.std(shares))


def measure_distances(
    pictures: NDArray[Any], reference: NDArray[Any]
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distance (M,) of each picture to its nearest reference image, and which (M,).

    `pictures` (M, C, H, W) and `reference` (N, C, H, W) are uint8, or floats that are clipped to
    [0, 1].
    """
    shown, real = _flatten(pictures), torch.from_numpy(_flatten(reference))
    squares = real.square().sum(1)
    nearest = np.concatenate(
        [
            (squares - 2 * torch.from_numpy(part) @ real.T).argmin(1).numpy()
            for part in np.array_split(shown, -(-len(shown) // CHUNK))
        ]
    )
    # The expanded square loses digits where two images nearly agree.
    difference = shown - real.numpy()[nearest]
    return np.linalg.norm(difference.astype(np.float64), axis=1), nearest


def draw_codes(
    model: Model, source: str, count: int, *, codes: ArrayLike | None = None, seed: int = 0
) -> NDArray[Any]:
    """Return `count` random codes of a model.

    prior: draws of p(z). matched: of the normal with mean and covariance of `codes` (N, K), for
    codes that no prior holds. mixture: of a mixture of ten Gaussians fitted to `codes`, an ex-post
    density (Ghosh et al. 2020).
    """
    if source not in SOURCES:
        raise ExplorerError(f"source must be one of {', '.join(SOURCES)}; it is {source!r}.")
    if source == "prior":
        generator = torch.Generator(model.reference.device).manual_seed(seed)
        return model.prior.sample(count, generator).cpu().numpy()
    if codes is None:
        raise ExplorerError(f"A density is fitted to codes: {source} needs them.")
    z = as_array(codes)
    if source == "mixture":
        return fit_density(z, components=COMPONENTS, seed=seed).sample(count, seed)
    rng = np.random.default_rng([seed, 0x401E6])
    covariance = np.atleast_2d(np.cov(z.T))
    return rng.multivariate_normal(z.mean(0), covariance, count)


def _flatten(pictures: NDArray[Any]) -> NDArray[np.float32]:
    flat = pictures.reshape(len(pictures), -1)
    scaled = flat / np.float32(255) if flat.dtype == np.uint8 else np.clip(flat, 0, 1)
    return np.ascontiguousarray(scaled, np.float32)


def _reconstruct(model: Model, images: Images, seed: int) -> NDArray[Any]:
    """Return x̂ (U, C, H, W) decoded at the codes' means."""
    return decode_codes(model, encode_images(model, images, seed=seed)[0])


def map_distances(model: Model, codes: ArrayLike, reference: Images) -> Floats:
    """Return the distance (M,) of what each code (M, K), say of a grid, decodes to."""
    return measure_distances(decode_codes(model, codes), reference)[0]


def _standard_error(values: Floats) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
