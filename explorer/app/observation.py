"""What the ELBO page looks at: an observation x, one image as one model scores it."""

from dataclasses import dataclass

import torch

from explorer.codes import Array
from explorer.elbo.encoding import draw_targets
from explorer.export.payload import Pictures
from explorer.runs.run import Run

TELLING: dict[tuple[str, str], dict[int, str]] = {
    ("mnist-2d", "test"): {64791: "4 → 9", 60073: "9 → 7", 63832: "2 → 8", 65615: "2 → 2"},
    ("digits-2d", "test"): {616: "4 → 1", 238: "4 → 2", 77: "2 → 8", 486: "4 → 4"},
}
"""Images worth a look by model and source of the pictures: id → digit written → digit decoded.

Picked by their measured, certified gap, with one that is read rightly but whose posterior is
tilted; the page opens on the first, whose gap is near the mean of the model's.
"""


def find_telling(run_id: str, pictures: Pictures) -> dict[int, str]:
    """Return the places of the images worth a look, with a note each; empty for unknown models."""
    places = {int(identity): place for place, identity in enumerate(pictures.ids)}
    telling = TELLING.get((run_id, pictures.source), {})
    return {places[identity]: note for identity, note in telling.items() if identity in places}


@dataclass(frozen=True)
class Observation:
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
