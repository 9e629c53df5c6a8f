"""Many β at once: models of equal shape trained together over shared minibatches.

Batched matrix multiplies over one stream of images take less time than the models one after the
other, and the members can be watched side by side. Members share the seed, hence the initial
weights, the minibatches, their binary draws and the noise of z: what differs is β alone, and a
member is the run that it would be by itself.
"""

import copy
import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.codes import Array
from explorer.config import Config
from explorer.datasets import ImageDataset
from explorer.datasets.rows import Rows
from explorer.elbo.terms import draw_noise, price_terms, reparameterise
from explorer.errors import ExplorerError
from explorer.facts import LATENTS, NETWORKS
from explorer.models import VAE
from explorer.models.priors import KL, gaussian_kl
from explorer.models.stacked import StackedModels
from explorer.runs.checkpoint import pack_training, read_tensors, unpack_training
from explorer.runs.images import describe_dataset
from explorer.runs.run import Run
from explorer.runs.sweeps import Sweep, prepare_sweep
from explorer.runs.writer import RunWriter
from explorer.training.engine import Engine, Means, Totals, average
from explorer.training.images import find_images
from explorer.training.loop import (
    CHECKPOINT,
    Progress,
    Report,
    Trainer,
    explain_memory,
)
from explorer.training.machine import choose_device, threads_agree
from explorer.training.start import Batches, start_generator, start_model, start_optimiser
from explorer.training.written_out import write_out

LARGEST_FAMILY = 16


def family_configs(config: Config, betas: Sequence[float]) -> dict[str, Config]:
    """Return one config per β by its member's name, such as "beta-0.5"."""
    return {
        f"beta-{beta:g}": dataclasses.replace(
            config, objective=dataclasses.replace(config.objective, beta=beta)
        )
        for beta in betas
    }


def train_family(
    configs: Mapping[str, Config],
    directory: str | os.PathLike[str],
    images: ImageDataset | Array | None = None,
    *,
    data_root: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Train models that differ in their objective alone, and return their sweep.

    `configs` holds 2 to 16 members by the name of their folder (see `family_configs`); networks
    are mlp or linear. Each member becomes a plain run directory below `directory`. An unfinished
    family of the same configs there is resumed as a whole, a finished one returned as it is.
    `progress` hears a dict with step, planned_steps, images_per_second (of all members together)
    and each member's elbo.
    """
    path = Path(directory)
    check_family(configs)
    sweep = prepare_sweep(path, "family", configs, overwrite)
    if sweep.is_finished():
        return sweep
    if any(run.info.status.is_alive() for run in sweep.runs().values() if not _is_queued(run)):
        raise ExplorerError(f"{path} is being trained right now.")
    first = next(iter(configs.values()))
    was_queued = any(run.info.status.is_alive() for run in sweep.runs().values())
    named = (run.info.dataset for run in sweep.runs().values())
    known = next((info for info in named if info is not None), None)
    dataset = find_images(first, images, known, data_root)
    device = choose_device(first.device, first.model.precision)
    with explain_memory():
        engine = FamilyEngine(list(configs.values()), dataset.split(first.split).rows, device)
    state = _restore_engine(engine, sweep, dataset)
    writers = [_open_writer(sweep, name, dataset, state) for name in configs]

    def report(found: Report) -> None:
        if progress:
            progress(found.to_dict(dict(zip(configs, found.elbos, strict=True))))

    trainer = Trainer(engine, writers, dataset, report, home=path)
    if state is not None:
        trainer.restore(state)
    trainer.run(forget_commands=not was_queued)
    if not trainer.stopped:
        (path / CHECKPOINT).unlink(missing_ok=True)
    return sweep


def check_family(configs: Mapping[str, Config]) -> None:
    """Raise an ExplorerError unless the configs can be trained together."""
    if not 2 <= len(configs) <= LARGEST_FAMILY:
        raise ExplorerError(
            f"A family has 2 to {LARGEST_FAMILY} members trained together, not {len(configs)}."
        )
    first = next(iter(configs.values()))
    if not (NETWORKS[first.model.network].may_stack and LATENTS[first.model.latent].has_density):
        raise ExplorerError("A family is made of mlp or linear networks with a Gaussian code.")
    if first.model.skip or first.model.mean_norm or first.optimiser.inner_steps:
        raise ExplorerError(
            "A family takes no skips from z, no batch norm on μ and no encoder-only updates."
        )
    for config in configs.values():
        if dataclasses.replace(config, objective=first.objective) != first:
            raise ExplorerError("The members of a family may differ in their objective alone.")
        objective = config.objective
        if objective.importance_samples > 1 or objective.samples != first.objective.samples:
            raise ExplorerError(
                "The members of a family take the same number of samples of z, and no "
                "importance-weighted bound."
            )


class FamilyEngine(Engine):
    """M models, one optimiser, one stream of images and noise; `step` does one update of all."""

    def __init__(
        self, configs: Sequence[Config], images: Array | Rows, device: torch.device
    ) -> None:
        config = configs[0]
        self.config, self.configs, self.device = config, list(configs), device
        self.template, self.arithmetic = start_model(config, images, device)
        """A plain model that takes on a member's weights."""
        self.model = StackedModels([self.template] * len(configs)).to(device)
        self.batches = Batches(config, images, device)
        self.batch_size, self.steps_per_epoch = self.batches.size, self.batches.per_epoch
        self.threads_agree = threads_agree(config, self.arithmetic, device, self.batch_size)
        self.generator = start_generator(config, device)
        self.optimiser = start_optimiser(self.model, config)
        self.totals = [Totals() for _ in configs]
        self._written_out = write_out(configs, self.model, self.template.likelihood)

    def step(self, step: int, steps: int, betas: Sequence[float]) -> None:
        """Do one update of all members."""
        self.optimiser.lr = self.config.optimiser.learning_rate_at(step, steps)
        x = self.template.target(self.batches.at(step), self.generator)
        for totals, means in zip(
            self.totals, self._differentiate(x, step, steps, betas), strict=True
        ):
            totals.add(means)
        self.optimiser.update()

    def member(self, index: int) -> VAE:
        """Return the template with that member's present weights."""
        self.model.write_member(index, self.template)
        return self.template

    def trial(self) -> "FamilyEngine":
        """Return an engine with copies of the models that see the same images."""
        trial = copy.copy(self)
        trial.model = copy.deepcopy(self.model)
        trial.optimiser = start_optimiser(trial.model, self.config)
        trial.generator = torch.Generator(self.device).manual_seed(0)
        trial.totals = [Totals() for _ in self.configs]
        trial._written_out = write_out(self.configs, trial.model, self.template.likelihood)
        return trial

    def pack(self, metadata: Mapping[str, Any]) -> bytes:
        """Return the stacked weights, the optimiser and the random state."""
        return pack_training(self.model, self.optimiser, self.generator, metadata)

    def unpack(self, content: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
        """Go on from these."""
        unpack_training(content, self.model, self.optimiser, self.generator)

    def _differentiate(
        self, x: Tensor, step: int, steps: int, betas: Sequence[float]
    ) -> list[Means]:
        """Leave the gradients of all objectives with the parameters; return each one's means."""
        if self._written_out is not None:
            means = self._written_out.learn(x, betas, self.generator)
            return means.unbind()
        mean, logvar = self.model.encode_parameters(x)
        copies = self.config.objective.samples
        z = reparameterise(mean, logvar, draw_noise(mean, copies, self.generator))
        nll = self.model.nll(z, x if copies == 1 else x.repeat(copies, 1, 1, 1))
        nll = nll.view(len(betas), copies, len(x))
        objectives = [config.objective.at(step, steps) for config in self.configs]
        members = zip(nll, mean, logvar, betas, objectives, strict=True)
        terms = [
            price_terms(part, KL(gaussian_kl(m, lv)), price, objective)
            for part, m, lv, price, objective in members
        ]
        total = torch.stack([term.objective for term in terms]).sum()
        self.optimiser.forget()
        total.backward()  # type: ignore[no-untyped-call]
        return [average(term) for term in terms]


def _is_queued(run: Run) -> bool:
    return run.info.status.state == "queued"


def _restore_engine(
    engine: FamilyEngine, sweep: Sweep, dataset: ImageDataset
) -> dict[str, Any] | None:
    path = sweep.path / CHECKPOINT
    if not path.is_file():
        return None
    content, state = read_tensors(path, sweep.id)
    if state["fingerprint"] != dataset.fingerprint:
        raise ExplorerError(f"The family at {sweep.path} was started on other images.")
    engine.unpack(content, state)
    return state


def _open_writer(
    sweep: Sweep, name: str, dataset: ImageDataset, state: dict[str, Any] | None
) -> RunWriter:
    path = sweep.path / name
    begun = (path / "run.json").is_file()
    if begun and state is not None:
        return RunWriter.resume(path, state["step"])
    if begun:  # Queued, or killed before the first checkpoint: from the beginning.
        (path / "metrics.jsonl").unlink(missing_ok=True)
        for frame in path.glob("snapshots/*"):
            frame.unlink()
    return RunWriter(
        path,
        config=sweep.configs[name],
        model_kind="config",
        dataset=describe_dataset(dataset),
        adopt=begun,
    )


__all__ = ["FamilyEngine", "check_family", "family_configs", "train_family"]
