"""What every engine starts from: a model of seeded weights, an optimiser, images in memory."""

import warnings

import numpy as np
import torch
from torch import Tensor, nn

from explorer.codes import Array
from explorer.config import Config
from explorer.datasets.rows import Rows, as_rows
from explorer.models import VAE, build_model
from explorer.models.networks import halve_products
from explorer.training.machine import choose_arithmetic, keep_freed_memory
from explorer.training.optimiser import Adam


def start_model(config: Config, images: Array | Rows, device: torch.device) -> tuple[VAE, str]:
    """Return the untrained model for uint8 `images` (N, C, H, W), and what it multiplies in.

    Its weights come from the seed; it puts out the mean image.
    """
    # Weights are drawn from the global generator: its state is put back, so that building
    # a model disturbs nobody else's random numbers.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = build_model(config.model, images.shape[1:])
    mean_image = torch.from_numpy(as_rows(images).mean() / 255)
    model.initialise_output(mean_image, len(images))
    model.to(device)
    keep_freed_memory()
    arithmetic = choose_arithmetic(config, device)
    if arithmetic == "bfloat16":
        halve_products(model)
    return model, arithmetic


def start_generator(config: Config, device: torch.device) -> torch.Generator:
    """Return the random numbers of binary draws and of z."""
    return torch.Generator(device).manual_seed(config.seed + 1)


def start_optimiser(model: nn.Module, config: Config) -> Adam:
    """Return a fresh optimiser of the model's weights."""
    return Adam(model.parameters(), config.optimiser.peak, config.optimiser.epsilon)


class Batches:
    """The images as bytes, and which of them each update sees.

    On the CPU they stay where they lie, in memory or in a file that is mapped into it, beside those
    of other splits.

    The order of the images in an epoch comes from the seed and the epoch alone, so a resumed run
    sees the batches that an uninterrupted one would have seen. An epoch's last, partial batch is
    dropped unless it is the only one.
    """

    def __init__(self, config: Config, images: Array | Rows, device: torch.device) -> None:
        rows = as_rows(images)
        if device.type != "cpu":
            rows = Rows(rows[:])  # Another device gets no image that it does not learn from.
        self.images = _view(rows.images).to(device)
        self.count = len(rows)
        self.size = min(config.optimiser.batch_size, self.count)
        self.per_epoch = max(1, self.count // self.size)
        self._ids = None if rows.ids is None else torch.from_numpy(rows.ids.copy())
        self._seed = config.seed
        self._epoch = -1
        self._order = torch.empty(0)

    def at(self, step: int) -> Tensor:
        """Return the images of update number `step`, uint8 (B, C, H, W)."""
        epoch, index = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            order = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)
            permutation = torch.randperm(self.count, generator=order)
            self._epoch, self._order = epoch, self._find(permutation)
        return self._pick(self._order[index * self.size : (index + 1) * self.size])

    def draw(self, order: torch.Generator) -> Tensor:
        """Return a batch drawn anew with `order`, a generator on the CPU; images may repeat."""
        chosen = torch.randint(self.count, (self.size,), generator=order)
        return self._pick(self._find(chosen))

    def _find(self, places: Tensor) -> Tensor:
        """Return the rows of `images` at places among those that are learnt from."""
        rows = places if self._ids is None else self._ids[places]
        return rows.to(self.images.device)

    def _pick(self, chosen: Tensor) -> Tensor:
        """Return the images at `chosen` (B,), uint8 (B, C, H, W); whole rows are faster to copy."""
        rows = self.images.flatten(1).index_select(0, chosen)
        return rows.view(-1, *self.images.shape[1:])


def _view(images: Array) -> Tensor:
    """Return the images' own bytes, which nobody may write to; a copy where they have gaps."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(images))
