"""What the ELBO page looks at: one image, as one model scores it."""

from dataclasses import dataclass

import torch

from explorer.evaluation import draw_targets
from explorer.export.payload import Pictures
from explorer.run import Array, Run


@dataclass(frozen=True)
class Subject:
    """A run, the pictures it can be asked about, and the one that is chosen."""

    run: Run
    pictures: Pictures
    index: int
    """Place of the chosen picture in `pictures`."""

    @property
    def picture(self) -> Array:
        """The chosen picture, uint8 (C, H, W)."""
        picture: Array = self.pictures.images[self.index]
        return picture

    @property
    def label(self) -> int | None:
        """The chosen picture's class, where it is known."""
        labels = self.pictures.labels
        return None if labels is None else int(labels[self.index])

    def target(self) -> torch.Tensor:
        """Return x as it is encoded and scored, (1, C, H, W): one fixed draw where it is binary."""
        return draw_targets(self.run.model, self.pictures.images[self.index : self.index + 1])
