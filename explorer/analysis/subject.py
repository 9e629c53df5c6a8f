"""A model and images, checked once and encoded once: what the steps of an analysis share."""

from contextlib import AbstractContextManager
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.checks import Floats, check_gaussian, check_images
from explorer.elbo.encoding import draw_targets, evaluating
from explorer.models.base import Model

ENCODE_CHUNK = 1024


class Subject:
    """A model whose q(z|x) has a density, and target images x (N, C, H, W) where it computes.

    `x` is what the model scores, `model.target(images, generator)`; uint8 images are made into
    that with `seed`. Raises ExplorerError for other codes, and for images that do not fit.
    """

    def __init__(self, model: Model, x: Tensor | NDArray[np.generic], *, seed: int = 0) -> None:
        check_gaussian(model)
        if isinstance(x, np.ndarray) and x.dtype == np.uint8:
            x = draw_targets(model, x, seed=seed)
        self.model = model
        self.x = check_images(model, torch.as_tensor(x))

    def __len__(self) -> int:
        return len(self.x)

    def hold(self) -> AbstractContextManager[None]:
        """Hold the model in evaluation mode with frozen weights, then restore both."""
        return evaluating(self.model)

    @cached_property
    def posterior(self) -> tuple[Tensor, Tensor]:
        """Mean and logvar (N, K) of q(z|x), as the model computes them."""
        means, logvars = [], []
        with torch.no_grad(), self.hold():
            for start in range(0, len(self.x), ENCODE_CHUNK):
                mean, logvar = self.model.encode_parameters(self.x[start : start + ENCODE_CHUNK])
                assert logvar is not None
                means.append(mean)
                logvars.append(logvar)
        return torch.cat(means), torch.cat(logvars)

    @property
    def codes(self) -> tuple[Floats, Floats]:
        """Mean and logvar (N, K) as float64 arrays."""
        mean, logvar = (part.double().cpu().numpy() for part in self.posterior)
        return mean, logvar

    def first(self, count: int) -> "Subject":
        """Return the subject of the first `count` images, whose codes are these codes."""
        part = object.__new__(Subject)
        part.model, part.x = self.model, self.x[:count]
        mean, logvar = self.posterior
        part.posterior = mean[:count], logvar[:count]
        return part
