"""Images through a model's encoder, chunk by chunk, as arrays."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from explorer.codes import Array
from explorer.config.checks import check_seed
from explorer.datasets.rows import Rows, as_rows
from explorer.errors import ExplorerError
from explorer.models import Model

CHUNK_VALUES = 4_000_000
"""Pixels handled at once, which bounds memory."""


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Hold a model in evaluation mode with frozen weights, then restore both."""
    was_training = model.training
    frozen = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.eval()
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)
        model.train(was_training)


@torch.no_grad()
def encode_images(
    model: Model, images: Array | Rows, *, seed: int = 0
) -> tuple[Array, Array | None]:
    """Return mean and logvar (N, K) float32 of q(z|x) for uint8 `images`.

    A VQ-VAE has indices (N, P) int64 in place of means, and no logvar. A Bernoulli model sees one
    binary draw of each image, as in training.
    """
    check_images(model, images)
    device = model.reference.device
    generator = torch.Generator(device).manual_seed(check_seed(seed))
    means, logvars = [], []
    chunk = max(1, CHUNK_VALUES // int(np.prod(images.shape[1:])))
    for piece in as_rows(images).pieces(chunk):
        x = model.target(as_tensor(piece, device), generator)
        mean, logvar = model.encode_parameters(x)
        means.append((mean.float() if mean.is_floating_point() else mean).cpu().numpy())
        if logvar is not None:
            logvars.append(logvar.float().cpu().numpy())
    return np.concatenate(means), np.concatenate(logvars) if logvars else None


def draw_targets(model: Model, images: Array, *, seed: int = 0) -> Tensor:
    """Return what the model encodes and scores for uint8 `images`, (N, C, H, W), on its device.

    For a Bernoulli model that is one binary draw of each image.
    """
    check_images(model, images)
    device = model.reference.device
    generator = torch.Generator(device).manual_seed(check_seed(seed))
    return model.target(as_tensor(images, device), generator)


def check_images(model: Model, images: Array | Rows) -> None:
    """Raise an ExplorerError unless `images` are uint8 of the model's shape, at least one."""
    if images.dtype != np.uint8 or images.ndim != 4 or not len(images):
        raise ExplorerError(
            f"Images must be uint8 of shape (N, C, H, W), at least one; these are {images.dtype} "
            f"{images.shape}."
        )
    if images.shape[1:] != model.shape:
        raise ExplorerError(
            f"The images have shape {images.shape[1:]}; this model takes {model.shape}."
        )


def as_tensor(images: Array, device: torch.device) -> Tensor:
    """Return images as a tensor on `device`, copied."""
    return torch.from_numpy(np.array(images)).to(device)
