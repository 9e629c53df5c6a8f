"""A pair of functions in a notebook, neither run nor adopted: its codes, and what the map asks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.datasets import ImageDataset
from explorer.errors import ExplorerError
from explorer.export.container import pack
from explorer.export.payload import describe_codes, describe_pictures, pick_pictures
from explorer.runs.arrays import as_array
from explorer.text import sentences

CHUNK = 256
Code = tuple[Tensor, Tensor | None]


@dataclass(frozen=True)
class Pixels:
    """What is known of p(x|z): its mean (B, C, H, W)."""

    mean: Tensor


class LiveModel:
    """Two functions with the face that the map asks: `encode_parameters` and `decode`.

    `encode` takes pixels (B, C, H, W) in [0, 1] as a float tensor and returns the mean (B, K), the
    pair (mean, log-variance), or a distribution; `decode` takes z (B, K) and returns pixels in
    [0, 1], or a distribution with a mean. Tensors and NumPy arrays will do.
    """

    def __init__(
        self, encode: Callable[..., Any], decode: Callable[..., Any], dataset: ImageDataset
    ) -> None:
        self.shape = dataset.shape
        self.reference = torch.zeros(())
        self._encode, self._decode = encode, decode
        first, logvar = self.encode_parameters(as_pixels(dataset.images[:2]))
        self.latent_dim = first.shape[1]
        self.latent_kind = "point" if logvar is None else "gaussian"
        self.decode(first)

    @torch.no_grad()
    def encode_parameters(self, x: Tensor) -> Code:
        """Return mean and log-variance (B, K) of q(z|x), None for a log-variance that is not."""
        found = self._encode(x)
        logvar = None
        if hasattr(found, "mean") and hasattr(found, "variance"):
            found, logvar = found.mean, found.variance.log()
        elif isinstance(found, tuple | list):
            if len(found) != 2:
                raise ExplorerError(
                    f"encode returns {len(found)} arrays: let it return the mean, or the pair "
                    "(mean, log-variance)."
                )
            found, logvar = found
        mean = _as_rows(found, len(x), "encode")
        return mean, None if logvar is None else _as_rows(logvar, len(x), "encode")

    @torch.no_grad()
    def decode(self, z: Tensor) -> Pixels:
        """Return the pictures at z (B, K)."""
        found = self._decode(z)
        # An array has a method of that name, a distribution the mean itself.
        mean = getattr(found, "mean", found)
        rows = _as_rows(found if callable(mean) else mean, len(z), "decode")
        if rows.shape[1] != np.prod(self.shape):
            raise ExplorerError(
                f"decode returns {rows.shape[1]} numbers a picture; images of the shape "
                f"{tuple(self.shape)} have {np.prod(self.shape)}."
            )
        return Pixels(rows.reshape(-1, *self.shape))


def _as_rows(found: Any, count: int, name: str) -> Tensor:
    rows = torch.from_numpy(np.array(as_array(found), np.float32))
    if not rows.ndim or len(rows) != count:
        raise ExplorerError(
            f"{name} returns an array of the shape {tuple(rows.shape)} for {count} inputs: let it "
            "return one row for each."
        )
    return rows.reshape(count, -1)


def as_pixels(images: Any) -> Tensor:
    """Return bytes (N, C, H, W) as the numbers in [0, 1] that models take."""
    return torch.from_numpy(np.asarray(images, np.float32) / 255)


def encode_all(model: LiveModel, images: Any) -> Code:
    """Return the codes of all images, in chunks."""

    def chunks() -> Iterator[Code]:
        for start in range(0, len(images), CHUNK):
            yield model.encode_parameters(as_pixels(images[start : start + CHUNK]))

    means, logvars = zip(*chunks(), strict=True)
    return torch.cat(means), None if logvars[0] is None else torch.cat(logvars)


def build_live_payload(
    model: LiveModel, dataset: ImageDataset, name: str, language: str = "en"
) -> bytes:
    """Return what the map works from where every picture is decoded by the kernel.

    Of p(x|z) the mean is all that is known: nothing is scored, and no sample is drawn.
    """
    mean, logvar = encode_all(model, dataset.images)
    ids = np.arange(len(mean))
    codes = SimpleNamespace(
        mean=mean.numpy(),
        logvar=None if logvar is None else logvar.numpy(),
        ids=ids,
        labels=dataset.labels,
    )
    pictures = pick_pictures(dataset.images, dataset.labels, ids, "all")
    return pack(
        {
            "schema": 1,
            "id": "live",
            "live": True,
            "name": name,
            "shape": list(model.shape),
            "latent": {"kind": model.latent_kind, "size": model.latent_dim, "logvarBound": None},
            "prior": None,
            "likelihood": {"kind": "bernoulli", "binarise": False, "sigma2": None},
            "networks": None,
            "atlas": None,
            "codes": {
                **(describe_codes(SimpleNamespace(codes=lambda: codes), False) or {}),
                "factors": [],
            },
            "pictures": describe_pictures(pictures, packed=False),
            "classes": list(dataset.class_names),
            "figures": dict.fromkeys(("beta", "split", "elbo", "reconstruction", "kl")),
            "preprocessing": "plain",
            "language": language,
            "text": sentences(language, "explore."),
            "fingerprint": "live",
        }
    )
