"""A Lightning callback that writes a run from what the module's steps return."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.callbacks.base import Callback
from explorer.errors import ExplorerError
from explorer.runs.arrays import as_floats
from explorer.runs.writer import RunWriter

PROBE = 1000
"""Codes of a frame of the film."""
NEEDED = ("mean", "logvar", "reconstruction")


class LightningRun(Callback):
    """Writes a run while a `Trainer` fits: figures of every step, a frame and codes per validation.

    `training_step` and `validation_step` return a dict with, beside Lightning's own loss, mean and
    logvar (B, K) of q(z|x) and reconstruction, a positive −log p(x|z) of each image (B,) in nats;
    where they are known also beta, and labels (B,) in validation. `every` logs each so manieth
    step. Further `options` are those of `RunWriter`, such as dataset and overwrite.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        latent_dim: int,
        *,
        every: int = 1,
        **options: Any,
    ) -> None:
        super().__init__()
        self.run = RunWriter(directory, latent_dim=latent_dim, **options)
        self._every = every
        self._held: list[Mapping[str, Any]] = []
        self._codes: dict[str, Any] | None = None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin the run."""
        if trainer.max_steps > 0:
            self.run.set_plan(trainer.max_steps)
        self.run.__enter__()

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log the figures of a step."""
        step = trainer.global_step
        if step % self._every == 0:
            values = _pick(outputs, "training_step")
            self.run.log(
                step,
                mean=values["mean"],
                logvar=values["logvar"],
                reconstruction=values["reconstruction"],
                beta=values.get("beta"),
            )

    def on_validation_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a batch of the validation set."""
        if not trainer.sanity_checking and dataloader_idx == 0:
            values = _pick(outputs, "validation_step")
            kept = {key: as_floats(values[key]) for key in NEEDED}
            if "labels" in values:
                kept["labels"] = as_floats(values["labels"])
            self._held.append(kept)

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Log the validation set, and store a frame of the film."""
        if not self._held:
            return
        names = set.intersection(*(set(kept) for kept in self._held))
        values = {key: np.concatenate([np.atleast_1d(k[key]) for k in self._held]) for key in names}
        self._held = []
        step, labels = trainer.global_step, values.get("labels")
        self.run.log(
            step,
            split="validation",
            mean=values["mean"],
            logvar=values["logvar"],
            reconstruction=values["reconstruction"],
        )
        self.run.snapshot(
            step,
            values["mean"][:PROBE],
            values["logvar"][:PROBE],
            labels=None if labels is None else labels[:PROBE],
        )
        self._codes = {key: values[key] for key in ("mean", "logvar", "labels") if key in values}

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Store the last validation's codes, and finish."""
        if self._codes is not None:
            self.run.save_codes(**self._codes)
        self.run.set_state(
            "stopped" if trainer.interrupted else "finished", step=trainer.global_step
        )

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Say in the run why it ended."""
        self.run.__exit__(type(exception), exception, exception.__traceback__)


def _pick(outputs: Any, where: str) -> Mapping[str, Any]:
    missing = [key for key in NEEDED if not isinstance(outputs, Mapping) or key not in outputs]
    if missing:
        raise ExplorerError(
            f"For its run {where} must return a dict that has {', '.join(missing)} too: mean and "
            "logvar (B, K) of q(z|x), and reconstruction (B,), −log p(x|z) in nats per image."
        )
    return outputs
