"""A VQ-VAE's codes: how much of the codebook is used, and what a code does to the picture.

Shapes: N images, P = rows · columns positions, S entries. An image's code costs P·ln S nats under
the uniform prior, whatever the image: the rate that such a model spends.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from explorer.analysis.checks import Floats, plain
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.models.vq import check_codebook

Codes = NDArray[np.int64]
MARGIN = 0.5
"""How far a picture of an entry reaches beyond its own cell, in cells."""


@dataclass(frozen=True)
class CodeUsage:
    """How often each entry is chosen: `counts` (S,), over N images of P positions.

    `perplexity` is exp(entropy of the usage), from 1 (one entry only) to S (all alike), with its
    standard error over images. `rate` is P·ln S, what the uniform prior charges per image, and
    `rate_by_usage` P times the entropy, what a prior that knew the usage would; nats.
    """

    counts: Codes
    images: int
    perplexity: float
    perplexity_error: float
    rate: float
    rate_by_usage: float

    @property
    def entries(self) -> int:
        """S, the size of the codebook."""
        return len(self.counts)

    @property
    def used(self) -> int:
        """How many entries are chosen at least once."""
        return int((self.counts > 0).sum())

    @property
    def share(self) -> Floats:
        """Share of all choices that fall on each entry, (S,)."""
        return np.asarray(self.counts / self.counts.sum())

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return plain({**vars(self), "entries": self.entries, "used": self.used})


def measure_usage(indices: ArrayLike, entries: int) -> CodeUsage:
    """Return how indices (N, P) use a codebook of `entries`; −1 is a dropped position.

    The error is that of the entropy by the delta method over images, carried to the perplexity.
    Raises ExplorerError for indices that are none of the codebook's.

    >>> round(measure_usage([[0, 1], [2, 3]], 8).perplexity, 6)
    4.0
    """
    codes = check_indices(indices, entries, low=-1)
    kept = codes >= 0
    counts = np.bincount(codes[kept], minlength=entries)
    positions = float(kept.sum(1).mean())
    share = counts / counts.sum()
    surprise = -np.log(np.where(share > 0, share, 1.0))
    entropy = float(share @ surprise)
    # Of a ratio of sums over images, which may have kept different numbers of positions.
    per_image = np.where(kept, surprise[codes] - entropy, 0.0).sum(1) / positions
    error = float(per_image.std(ddof=1) / math.sqrt(len(codes))) if len(codes) > 1 else math.nan
    perplexity = math.exp(entropy)
    return CodeUsage(
        counts=counts,
        images=len(codes),
        perplexity=perplexity,
        perplexity_error=perplexity * error,
        rate=positions * math.log(entries),
        rate_by_usage=positions * entropy,
    )


def check_indices(indices: ArrayLike, entries: int, low: int = 0) -> Codes:
    """Return indices (N, P) as int64, all from `low` to entries − 1."""
    codes = np.asarray(indices)
    if codes.ndim != 2 or not codes.size or not np.issubdtype(codes.dtype, np.integer):
        raise ExplorerError(
            f"Codes of a codebook are whole numbers (N, P), at least one; these are {codes.dtype} "
            f"{codes.shape}."
        )
    if codes.min() < low or codes.max() >= entries or codes.max() < 0:
        raise ExplorerError(
            f"These codes run from {codes.min()} to {codes.max()}; the codebook has entries 0 to "
            f"{entries - 1}."
        )
    return codes.astype(np.int64)


@torch.no_grad()
def decode_indices(model: Model, indices: ArrayLike) -> NDArray[np.float32]:
    """Return mean images (N, C, H, W) in [0, 1] of indices (N, P)."""
    vq = check_codebook(model)
    codes = torch.from_numpy(check_indices(indices, vq.config.codebook))
    return vq.decode(codes).mean.clamp(0, 1).float().cpu().numpy()


@torch.no_grad()
def encode_indices(model: Model, picture: ArrayLike, seed: int = 0) -> Codes:
    """Return the indices (P,) of one uint8 picture (C, H, W), binarised where it is scored so."""
    from explorer.elbo.encoding import encode_images

    vq = check_codebook(model)
    found: Codes = encode_images(vq, np.asarray(picture)[None], seed=seed)[0][0]
    return found


@torch.no_grad()
def score_indices(model: Model, indices: ArrayLike, x: Tensor) -> Floats:
    """Return −log p(x|z) in nats, (N,), of one target image x (1, C, H, W) for indices (N, P)."""
    vq = check_codebook(model)
    codes = torch.from_numpy(check_indices(indices, vq.config.codebook))
    nll = vq.nll(codes, x.expand(len(codes), *x.shape[1:]))
    return np.asarray(nll.double().cpu().numpy())


def swap_code(indices: ArrayLike, position: int, entry: int) -> Codes:
    """Return a copy of indices (P,) with another entry at one position."""
    codes = np.array(indices, np.int64)
    codes[position] = entry
    return codes


def try_entries(model: Model, indices: ArrayLike, position: int) -> NDArray[np.float32]:
    """Return the images (S, C, H, W) with each entry in turn at one position of indices (P,)."""
    vq = check_codebook(model)
    entries = vq.config.codebook
    codes = np.repeat(np.asarray(indices, np.int64)[None], entries, 0)
    codes[:, position] = np.arange(entries)
    return decode_indices(vq, codes)


def picture_entries(model: Model, indices: ArrayLike) -> NDArray[np.float32]:
    """Return what each entry paints on average, (S, C, h, w): its cell and half a cell around it.

    The mean over all places where indices (N, P) choose it, decoded with their neighbours; black
    for an entry that none chooses.
    """
    vq = check_codebook(model)
    codes = check_indices(indices, vq.config.codebook)
    rows, columns = vq.grid
    channels, height, width = vq.shape
    tall, wide = height // rows, width // columns
    margins = round(MARGIN * tall), round(MARGIN * wide)
    images = decode_indices(vq, codes)
    padded = np.pad(images, ((0, 0), (0, 0), (margins[0],) * 2, (margins[1],) * 2))
    patches = np.lib.stride_tricks.sliding_window_view(
        padded, (tall + 2 * margins[0], wide + 2 * margins[1]), axis=(2, 3)
    )[:, :, ::tall, ::wide]
    by_place = patches.transpose(0, 2, 3, 1, 4, 5).reshape(codes.size, channels, *patches.shape[4:])
    sums = np.zeros((vq.config.codebook, *by_place.shape[1:]), np.float32)
    np.add.at(sums, codes.ravel(), by_place)
    counts = np.bincount(codes.ravel(), minlength=len(sums))
    return np.asarray(sums / np.maximum(counts, 1)[:, None, None, None], np.float32)


def sample_uniform(model: Model, count: int, seed: int = 0) -> Codes:
    """Return indices (count, P) drawn from the uniform prior."""
    vq = check_codebook(model)
    generator = torch.Generator(vq.quantiser.codebook.device).manual_seed(seed)
    drawn: Codes = vq.prior.sample(count, generator).cpu().numpy()
    return drawn


def sample_by_position(indices: ArrayLike, count: int, seed: int = 0) -> Codes:
    """Return indices (count, P), each position drawn from those that images (N, P) have there.

    Right at every position and still without their connections: what a prior over the whole grid
    would have to add.
    """
    codes = np.asarray(indices)
    generator = np.random.default_rng(seed)
    rows = generator.integers(len(codes), size=(count, codes.shape[1]))
    return codes[rows, np.arange(codes.shape[1])].astype(np.int64)
