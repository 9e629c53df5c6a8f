"""A model on a set of images: the ELBO's terms and the codes, chunk by chunk.

This is the figure that training reports; importance-weighted and exact log p(x) are in `analysis`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.codes import Array
from explorer.config.checks import check_seed
from explorer.datasets.rows import Rows, as_rows
from explorer.elbo.encoding import CHUNK_VALUES, as_tensor, check_images
from explorer.elbo.terms import sample_codes
from explorer.models import Model
from explorer.models.priors import KL

DRAWS = 10
"""Target and code draws that are averaged per image."""


@dataclass(frozen=True)
class Evaluation:
    """Terms per image, in nats: reconstruction (N,), kl_per_dim (N, K) or None without a KL.

    Against a learned mixture KL is known in total alone, `sampled_kl_per_image` (N,).
    """

    reconstruction_per_image: Array
    kl_per_dim_per_image: Array | None
    draws: int
    sampled_kl_per_image: Array | None = None

    @property
    def reconstruction(self) -> float:
        """Mean −log p(x|z)."""
        return float(self.reconstruction_per_image.mean())

    @property
    def kl_per_dim(self) -> Array | None:
        """Mean KL of each dimension, (K,)."""
        per_image = self.kl_per_dim_per_image
        return None if per_image is None else per_image.mean(0)

    @property
    def kl_per_image(self) -> Array | None:
        """KL over all dimensions, (N,), None where the model has none."""
        per_dim = self.kl_per_dim_per_image
        return self.sampled_kl_per_image if per_dim is None else per_dim.sum(1)

    @property
    def kl(self) -> float | None:
        """Mean KL, None where the model has none."""
        per_image = self.kl_per_image
        return None if per_image is None else float(per_image.mean())

    @property
    def elbo_per_image(self) -> Array:
        """−(reconstruction + KL), (N,)."""
        per_image = self.kl_per_image
        return -(self.reconstruction_per_image + (0.0 if per_image is None else per_image))

    def to_dict(self) -> dict[str, Any]:
        """Return the means as plain numbers; kl is absent where the model has none.

        The standard error is that of the mean over images, None for a single one.
        """
        elbo = self.elbo_per_image
        error = float(elbo.std(ddof=1) / len(elbo) ** 0.5) if len(elbo) > 1 else None
        values: dict[str, Any] = {
            "elbo": float(elbo.mean()),
            "elbo_standard_error": error,
            "reconstruction": self.reconstruction,
            "images": len(elbo),
            "draws": self.draws,
        }
        if (kl := self.kl) is not None:
            values["kl"] = kl
        if (per_dim := self.kl_per_dim) is not None:
            values["kl"] = float(per_dim.sum())
            values["kl_per_dim"] = [float(value) for value in per_dim]
        return values


@torch.no_grad()
def evaluate_elbo(
    model: Model,
    images: Array | Rows,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """Return the ELBO's terms of uint8 `images` (N, C, H, W), averaged over `draws`.

    Each draw takes a fresh binarisation (Bernoulli) and a fresh z; the same seed gives the same
    figures on the same device. `progress` hears the finished fraction.
    """
    check_images(model, images)
    device = model.reference.device
    generator = torch.Generator(device).manual_seed(check_seed(seed))
    reconstructions: list[Array] = []
    kls: list[tuple[Array | None, Array | None]] = []
    chunk = max(1, CHUNK_VALUES // int(np.prod(images.shape[1:])))
    for number, piece in enumerate(as_rows(images).pieces(chunk), 1):
        part = as_tensor(piece, device)
        nll = torch.zeros(len(part), dtype=torch.float64)
        shares: list[KL] = []
        for _ in range(draws):
            x = model.target(part, generator)
            mean, logvar = model.encode_parameters(x)
            z = mean if logvar is None else sample_codes(mean, logvar, 1, generator)
            nll += model.nll(z, x).double().cpu()
            kl = model.kl(mean, logvar, z)
            if kl is not None:
                shares.append(kl)
        reconstructions.append(nll.numpy() / draws)
        per_dim = [share.per_dim.double().cpu() for share in shares if share.per_dim is not None]
        sampled = [share.sampled.double().cpu() for share in shares if share.sampled is not None]
        kls.append((_average(per_dim), _average(sampled)))
        if progress:
            progress(min(1.0, number * chunk / len(images)))
    parts = [[part for part in parts if part is not None] for parts in zip(*kls, strict=True)]
    per_dim_kl, sampled_kl = (np.concatenate(part) if part else None for part in parts)
    return Evaluation(np.concatenate(reconstructions), per_dim_kl, draws, sampled_kl)


def _average(draws: list[Tensor]) -> Array | None:
    return np.asarray((sum(draws[1:], draws[0]) / len(draws)).numpy()) if draws else None
