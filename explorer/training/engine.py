"""What a trainer asks of what it trains: one model, a family of them, or a fit.

Planning, logging, frames of the film, checkpoints and commands are the trainer's (`loop.py`), which
knows no more of an engine than stands here. How models learn is the engine's: `single.py` descends
a gradient, `family.py` does so for many β at once, `fit.py` has a closed form.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from explorer.codes import Array
from explorer.config import Config
from explorer.datasets.rows import Rows
from explorer.elbo.terms import Terms
from explorer.models import Model


class Engine(ABC):
    """One or several models (members) that learn on one stream of images, update by update.

    The same configs, images, updates and β give the same weights, whether or not a training was
    interrupted between two updates and went on with `pack` and `unpack`.
    """

    configs: Sequence[Config]
    """One for each member; they differ in their objective alone."""
    device: torch.device
    batch_size: int
    """Images that an update sees."""
    steps_per_epoch: int
    arithmetic: str
    """What the wide layers multiply in while they learn."""
    threads_agree: bool
    """Whether one thread and two give the same weights, to the bit."""
    totals: Sequence["Totals"]
    """What was summed up for each member since its last log point."""

    @abstractmethod
    def step(self, step: int, steps: int, betas: Sequence[float]) -> None:
        """Do update number `step` (from 0) of `steps` planned ones and add to `totals`.

        `betas` holds β of each member.
        """

    @abstractmethod
    def member(self, index: int) -> Model:
        """Return member number `index` with its present weights; good until the next call."""

    @abstractmethod
    def trial(self) -> "Engine":
        """Return an engine that learns as this one does, to be timed and thrown away.

        Nothing that it does reaches this one's weights, random numbers or totals.
        """

    @abstractmethod
    def pack(self, metadata: Mapping[str, Any]) -> bytes:
        """Return a file with all that is needed to go on from here, and the trainer's metadata."""

    @abstractmethod
    def unpack(self, content: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
        """Go on from the tensors and metadata of `pack`; ExplorerError where they do not fit."""

    def watch(self, step: int, held_out: Array | Rows) -> None:  # noqa: B027  (most need not look)
        """Look at held-out images (N, C, H, W), uint8, now that `step` updates are done.

        For an engine whose next updates depend on how it does there.
        """


class Means(NamedTuple):
    """Averages over a batch, without gradients: of one model, or of M along the first axis.

    KL comes in its parts, (K,) or (1,) (see `Terms.kl_parts`), or not at all.
    """

    objective: Tensor
    reconstruction: Tensor
    kl_parts: Tensor | None

    def unbind(self) -> list["Means"]:
        """Return each model's own."""
        kl = [None] * len(self.objective) if self.kl_parts is None else self.kl_parts
        return [Means(*each) for each in zip(self.objective, self.reconstruction, kl, strict=True)]


def average(terms: Terms) -> Means:
    """Return the means of one model's batch."""
    kl = terms.kl_parts
    return Means(
        terms.objective.detach(),
        terms.reconstruction.detach().mean(),
        None if kl is None else kl.detach().mean(0),
    )


class Totals:
    """Running sums since the last log point."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.count = 0
        self.objective: Tensor | float = 0.0
        self.reconstruction: Tensor | float = 0.0
        self.kl_parts: Tensor | None = None

    def add(self, means: Means) -> None:
        """Add the means of one batch."""
        self.count += 1
        self.objective = self.objective + means.objective
        self.reconstruction = self.reconstruction + means.reconstruction
        if means.kl_parts is not None:
            sums = self.kl_parts
            self.kl_parts = means.kl_parts if sums is None else sums + means.kl_parts

    def means(self) -> tuple[float, float, list[float] | None]:
        """Return objective, reconstruction and KL in its parts, averaged over the batches."""
        kl = None if self.kl_parts is None else (self.kl_parts / self.count).tolist()
        return float(self.objective) / self.count, float(self.reconstruction) / self.count, kl
