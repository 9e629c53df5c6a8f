"""Does the decoder use z_i? Its sensitivity, and what shuffling z_i costs."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.analysis.checks import Floats, Record
from explorer.analysis.representation.information import standard_error
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.elbo.terms import sample_codes
from explorer.models.base import Model

STEP = 1e-2
"""Of an aggregated sd: half the central difference that measures sensitivity."""
CHUNK_VALUES = 8_000_000


@dataclass(frozen=True)
class DecoderUse(Record):
    """Per dimension, arrays of shape (K,).

    `sensitivity` is E‖∂x̂/∂z_i‖ times the sd of z_i over the aggregated posterior: how far, in
    pixel units summed as a norm, one sd of z_i moves the picture. `shuffle` is the rise in
    reconstruction (nats per image) when z_i is exchanged between images; `shuffle_error` its
    standard error. `spread` is √Σ_pixels Var(x), the scale to read the sensitivity against.
    """

    sensitivity: Floats
    shuffle: Floats
    shuffle_error: Floats
    spread: float


def measure_decoder_use(
    subject: Subject,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> DecoderUse:
    """Return how the decoder uses each dimension on a subject's images.

    Codes are drawn from q(z|x), so that a dimension that only carries noise gains nothing from
    being left in place. A single image has no other to exchange with: its shuffle is 0.
    """
    model, x = subject.model, subject.x
    watch = Watch(progress, stop)
    generator = torch.Generator(x.device).manual_seed(seed)
    latents = model.latent_dim
    mean, logvar = subject.posterior
    with torch.no_grad(), subject.hold():
        z = sample_codes(mean, logvar, 1, generator)
        scale = (mean.var(0, correction=0) + logvar.exp().mean(0)).sqrt().clamp_min(1e-6)
        before = _nll(model, z, x)
        order = torch.randperm(len(x), generator=generator, device=x.device)
        partner = torch.empty_like(order)
        partner[order] = order.roll(1)  # one cycle: nobody keeps their own
        sensitivity, shuffle, errors = [], [], []
        for i in range(latents):
            watch.check(i / latents)
            moved = z.clone()
            moved[:, i] = z[partner, i]
            rise = _nll(model, moved, x) - before
            shuffle.append(float(rise.mean()))
            errors.append(standard_error(rise.numpy()))
            sensitivity.append(_sensitivity(model, z, i, float(scale[i])))
    watch.report(1.0)
    spread = float(x.flatten(1).double().var(0, correction=0).sum().sqrt())
    return DecoderUse(np.array(sensitivity), np.array(shuffle), np.array(errors), spread)


def _chunk(model: Model) -> int:
    return max(1, CHUNK_VALUES // int(np.prod(model.shape)))


def _nll(model: Model, z: Tensor, x: Tensor) -> Tensor:
    step = _chunk(model)
    parts = [model.nll(z[i : i + step], x[i : i + step]) for i in range(0, len(z), step)]
    return torch.cat(parts).double().cpu()


def _sensitivity(model: Model, z: Tensor, i: int, scale: float) -> float:
    """Return the mean norm of (x̂(z + h·sd·e_i) − x̂(z − h·sd·e_i)) / 2h, over at most 1000 z."""
    z = z[:1000]
    offset = torch.zeros_like(z)
    offset[:, i] = STEP * scale
    difference = model.decode(z + offset).mean - model.decode(z - offset).mean
    return float(difference.flatten(1).double().norm(dim=1).mean() / (2 * STEP))
