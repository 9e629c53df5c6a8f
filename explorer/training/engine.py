"""One training step, fast: the whole data set as bytes in memory, no loader, fused Adam."""

import numpy as np
import torch
from torch import Tensor

from explorer.config import Config
from explorer.models import VAE
from explorer.objectives import choose_objective
from explorer.run import Array


class Engine:
    """Model, optimiser, data and random state; `step()` does one update.

    The order of the images in an epoch comes from the seed and the epoch alone, so a resumed run
    sees the batches that an uninterrupted one would have seen. An epoch's last, partial batch is
    dropped unless it is the only one.
    """

    def __init__(self, config: Config, images: Array, device: torch.device) -> None:
        self.config = config
        self.device = device
        # Weights are drawn from the global generator: its state is put back, so that building
        # a model disturbs nobody else's random numbers.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = VAE(config.model, images.shape[1:])
        mean_image = torch.from_numpy(images.mean(0, dtype=np.float64) / 255)
        self.model.initialise_output(mean_image, len(images))
        self.model.to(device)
        self.images = torch.from_numpy(np.array(images)).to(device)
        self.batch_size = min(config.optimiser.batch_size, len(images))
        self.generator = torch.Generator(device).manual_seed(config.seed + 1)
        self.optimiser = torch.optim.Adam(
            self.model.parameters(),
            lr=config.optimiser.learning_rate,
            eps=config.optimiser.epsilon,
            fused=device.type in ("cpu", "cuda"),
        )
        self.steps_per_epoch = max(1, len(images) // self.batch_size)
        self._terms = choose_objective(config.objective)
        self._epoch = -1
        self._order = torch.empty(0)
        self.totals = Totals()

    def step(self, step: int, steps: int, beta: float) -> None:
        """Do update number `step` (from 0) of `steps` planned ones and add to `totals`."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.optimiser.learning_rate_at(step, steps)
        x = self.model.target(self.batch(step), self.generator)
        terms = self._terms(self.model, x, beta, self.config.objective, self.generator)
        self.optimiser.zero_grad(set_to_none=True)
        terms.objective.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        kl = terms.kl_per_dim
        self.totals.add(
            terms.objective.detach(),
            terms.reconstruction.detach().mean(),
            None if kl is None else kl.detach().mean(0),
        )

    def batch(self, step: int) -> Tensor:
        """Return the images of update number `step`, uint8 (B, C, H, W)."""
        epoch, index = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            order = torch.Generator().manual_seed(self.config.seed * 1_000_003 + epoch)
            permutation = torch.randperm(len(self.images), generator=order)
            self._epoch, self._order = epoch, permutation.to(self.device)
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.images[chosen]


class Totals:
    """Running sums since the last log point."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.count = 0
        self.objective: Tensor | float = 0.0
        self.reconstruction: Tensor | float = 0.0
        self.kl_per_dim: Tensor | None = None

    def add(self, objective: Tensor, reconstruction: Tensor, kl_per_dim: Tensor | None) -> None:
        """Add the means of one batch."""
        self.count += 1
        self.objective = self.objective + objective
        self.reconstruction = self.reconstruction + reconstruction
        if kl_per_dim is not None:
            sums = self.kl_per_dim
            self.kl_per_dim = kl_per_dim if sums is None else sums + kl_per_dim

    def means(self) -> tuple[float, float, list[float] | None]:
        """Return objective, reconstruction and KL per dimension, averaged over the batches."""
        kl = None if self.kl_per_dim is None else (self.kl_per_dim / self.count).tolist()
        return float(self.objective) / self.count, float(self.reconstruction) / self.count, kl


def choose_device(name: str, precision: str = "float32") -> torch.device:
    """Return the device for "auto" (CUDA, then MPS, then CPU) or a named one."""
    from explorer.errors import ExplorerError

    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if has_mps and precision == "float32" else "cpu")
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not has_mps):
        raise ExplorerError(f"There is no {name} device on this machine; use --device auto or cpu.")
    return torch.device(name)
