"""A callback for scvi-tools that writes a run of SCVI and its kin: figures, film and codes."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.distributions import Distribution, Normal, kl_divergence

from explorer.callbacks.base import Callback
from explorer.errors import shorten
from explorer.runs.arrays import as_floats
from explorer.runs.info import DatasetInfo
from explorer.runs.writer import RunWriter

PROBE = 1000
"""Cells of a frame of the film."""
AGREEMENT = 0.01
"""By which the shares of z may miss the KL of a cell; more is the KL of another latent."""
MOST_CLASSES = 100


class ScviRun(Callback):
    """Writes a run while `model.train(callbacks=[ScviRun("run", model)])` goes on.

    `labels` is a column of `adata.obs` that colours the map. Each epoch is logged with its weight
    of the KL, and every `every` epochs a frame is stored; the weight at the end, and how far its
    warm-up came, stand in the run. KL per dimension is of z alone, and left out where a cell's KL
    has another part, as that of a learned library size.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        model: Any,
        *,
        labels: str | None = None,
        every: int = 1,
        overwrite: bool = False,
    ) -> None:
        super().__init__()
        self._model = model
        self._every = every
        self._labels, names = _count_labels(model.adata, labels)
        dataset = DatasetInfo("cells", (1, 1, int(model.adata.n_vars)), names) if names else None
        self.run = RunWriter(
            directory, latent_dim=int(model.module.n_latent), dataset=dataset, overwrite=overwrite
        )
        cells = int(model.adata.n_obs)
        self._probe = np.linspace(0, cells - 1, min(cells, PROBE)).astype(np.int64)
        self._shares: list[torch.Tensor] = []
        self._hook: Any = None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin the run, and listen to what the encoder gives."""
        encoder = getattr(pl_module.module, "z_encoder", None)
        if encoder is not None:
            self._hook = encoder.register_forward_hook(self._hear)
        if trainer.max_epochs is not None and trainer.max_epochs > 0:
            self.run.set_plan(trainer.max_epochs)
        self.run.__enter__()

    def _hear(self, encoder: Any, given: Any, found: Any) -> None:
        posterior = found[0]
        if encoder.training and isinstance(posterior, Distribution):
            with torch.no_grad():
                kl = kl_divergence(posterior, Normal(0.0, 1.0))
            self._shares.append(kl.double().cpu().reshape(-1, kl.shape[-1]))

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Log an epoch by the figures that scvi-tools has of it."""
        found = {name: float(value) for name, value in trainer.callback_metrics.items()}
        shares = torch.cat(self._shares).mean(0).numpy() if self._shares else None
        self._shares = []
        epoch = trainer.current_epoch + 1
        for split, shown in (("train", shares), ("validation", None)):
            names = (f"reconstruction_loss_{split}", f"kl_local_{split}")
            if not all(name in found for name in names):
                continue
            reconstruction, kl = (found[name] for name in names)
            agrees = shown is not None and abs(shown.sum() - kl) <= AGREEMENT * max(kl, 1.0)
            figures = {"kl_per_dim": shown} if agrees else {"kl": kl}
            weight = _read_weight(pl_module) if split == "train" else None
            self.run.log(epoch, reconstruction=reconstruction, beta=weight, split=split, **figures)
        if epoch % self._every == 0:
            mean, variance = self._encode(pl_module, self._probe)
            labels = None if self._labels is None else self._labels[self._probe]
            self.run.snapshot(epoch, mean, np.log(variance), labels=labels)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Store every cell's code and the last weight of the KL, and finish."""
        self._unhook()
        mean, variance = self._encode(pl_module, None)
        self.run.save_codes(mean, np.log(variance), labels=self._labels)
        weight = _read_weight(pl_module)
        self.run.set_results(self.run.info.results, {**self.run.info.timing, "beta": weight})
        self.run.set_state("finished", describe_weight(pl_module, weight), trainer.current_epoch)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Say in the run why it ended."""
        self._unhook()
        self.run.__exit__(type(exception), exception, exception.__traceback__)

    def _unhook(self) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _encode(self, plan: Any, cells: Any) -> tuple[Any, Any]:
        with _resting(self._model, plan.module):
            mean, variance = self._model.get_latent_representation(indices=cells, return_dist=True)
        return as_floats(mean), np.maximum(as_floats(variance), np.finfo(np.float32).tiny)


def _read_weight(plan: Any) -> float:
    """Return the weight of the KL as it was meant, before single precision."""
    return float(f"{float(plan.kl_weight):.6g}")


def describe_weight(plan: Any, weight: float) -> str:
    """Say where the weight of the KL ended, of a training plan with a warm-up that it has left.

    >>> from types import SimpleNamespace
    >>> plan = {"n_epochs_kl_warmup": 400, "n_steps_kl_warmup": None, "max_kl_weight": 1.0}
    >>> describe_weight(SimpleNamespace(**plan, current_epoch=80, global_step=640), 0.2)
    'The weight of the KL ended at 0.2: 80 of 400 warm-up epochs.'
    """
    epochs, steps = plan.n_epochs_kl_warmup, plan.n_steps_kl_warmup
    planned, done = (epochs, plan.current_epoch) if epochs else (steps, plan.global_step)
    unit = "epochs" if epochs else "steps"
    if not planned or done >= planned:
        return f"The weight of the KL ended at {weight:g}."
    return f"The weight of the KL ended at {weight:g}: {done:,} of {planned:,} warm-up {unit}."


@contextlib.contextmanager
def _resting(model: Any, module: Any) -> Iterator[None]:
    """Let a model that is being trained be asked for codes, and leave it as it was."""
    trained, training = model.is_trained_, module.training
    device = module.device
    module.eval()
    model.is_trained_ = True
    try:
        yield
    finally:
        model.is_trained_ = trained
        module.train(training)
        module.to(device)


def _count_labels(adata: Any, name: str | None) -> tuple[Any, tuple[str, ...]]:
    """Return a column of obs as numbers, with what they stand for."""
    if name is None:
        return None, ()
    words, numbers = np.unique(np.asarray(adata.obs[name]).astype(str), return_inverse=True)
    if len(words) > MOST_CLASSES:
        return None, ()
    return numbers.astype(np.int64), tuple(shorten(word, 200) for word in words.tolist())
