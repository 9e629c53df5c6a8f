"""From a config and images to a run directory."""

import copy
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from explorer.checkpoint import pack_training, pack_weights, read_checkpoint, unpack_training
from explorer.config import Config
from explorer.control import Control
from explorer.datasets import ImageDataset, load_dataset
from explorer.errors import ExplorerError
from explorer.evaluation import encode_images, evaluate_elbo
from explorer.run import Array, DatasetInfo, Run
from explorer.training.engine import Engine, choose_device
from explorer.writer import RunWriter

LOG_POINTS = 240
SNAPSHOTS = 48
PROBE_IMAGES = 1000
STRIP_IMAGES = 8
VALIDATION_IMAGES = 1000
CALIBRATION_SECONDS = 0.4
SAFETY = 0.92
"""Share of a time budget that is planned as updates; logging and snapshots take the rest."""
POLL_SECONDS = 0.1
DIVERGED = 1000.0
"""Nats per image, plus ten times the start's objective, above which a run has diverged."""

Progress = Callable[[dict[str, Any]], None]


def train(
    config: Config,
    directory: str | os.PathLike[str],
    images: ImageDataset | Array | None = None,
    *,
    data_root: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train a model and return its run.

    `images`, where given, stand in for the data set that the config names: an `ImageDataset`, or
    uint8 or float arrays in [0, 1] of shape (N, H, W) or (N, C, H, W). An unfinished run of the
    same config at `directory` is resumed; anything else there is an ExplorerError without
    `overwrite`. `progress` hears a dict with step, planned_steps and the latest log point.
    """
    path = Path(directory)
    earlier = None if overwrite else find_unfinished(path, config)
    dataset = find_images(config, images, data_root)
    device = choose_device(config.device, config.model.precision)
    try:
        engine = Engine(config, dataset.split(config.split).images, device)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise ExplorerError("This model and these images do not fit in memory.") from error
    if earlier is not None and (path / "checkpoint.safetensors").is_file():
        trainer = resume(earlier, engine, dataset, progress)
    else:
        writer = RunWriter(
            path,
            config=config,
            model_kind="builtin",
            dataset=DatasetInfo(
                dataset.name, dataset.shape, tuple(dataset.class_names), dataset.fingerprint
            ),
            overwrite=overwrite,
            adopt=earlier is not None,
        )
        trainer = Trainer(engine, writer, dataset, progress)
    with trainer.writer:
        trainer.run()
    return Run(path)


def resume(
    run: Run, engine: Engine, dataset: ImageDataset, progress: Progress | None
) -> "Trainer":
    """Return a trainer that goes on where the checkpoint of `run` stands."""
    known = run.info.dataset
    if known is not None and known.fingerprint != dataset.fingerprint:
        raise ExplorerError(f"The run at {run.path} was started on other images.")
    content, state = read_checkpoint(run)
    unpack_training(content, engine.model, engine.optimiser, engine.generator)
    trainer = Trainer(engine, RunWriter.resume(run.path, state["step"]), dataset, progress)
    trainer.restore(state)
    return trainer


def find_images(
    config: Config,
    images: ImageDataset | Array | None,
    data_root: str | os.PathLike[str] | None = None,
) -> ImageDataset:
    """Return the data set to train on, from what was given or by the config's name."""
    if images is None:
        return load_dataset(config.dataset, data_root=data_root)
    if isinstance(images, ImageDataset):
        return images
    return ImageDataset.from_arrays(images, name=config.dataset)


def find_unfinished(path: Path, config: Config) -> Run | None:
    """Return the unfinished run of the same config at `path`, if that is what is there."""
    if not (path / "run.json").is_file():
        return None
    run = Run(path)
    info = run.info
    if info.status.state in ("running", "paused") and info.status.is_alive():
        raise ExplorerError(f"{path} is being trained right now by process {info.status.pid}.")
    return run if info.config == config and info.status.state != "finished" else None


class Trainer:
    """The loop proper: which steps are logged and kept, what viewers ask for, how it ends."""

    def __init__(
        self, engine: Engine, writer: RunWriter, dataset: ImageDataset, progress: Progress | None
    ) -> None:
        self.engine = engine
        self.writer = writer
        self.dataset = dataset
        self.progress = progress
        self.control = Control(writer.path)
        self.control.clear()
        self.applied = 0
        self.beta: float | None = None
        """What a viewer set; None while the schedule decides."""
        self.step = 0
        self.steps = 0
        self.seconds = 0.0
        self.start_objective: float | None = None
        self.paused = False
        self.stopped = False
        self._polled = 0.0
        held_out = dataset.split("validation").images
        self.held_out = held_out if len(held_out) else dataset.split("all").images
        self.probe = self._choose_probe()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint's metadata."""
        self.step, self.steps, self.seconds = state["step"], state["steps"], state["seconds"]
        self.beta, self.start_objective = state["beta"], state["start_objective"]

    def run(self) -> None:
        """Train to the end of the plan, or until told to stop."""
        if not self.steps:
            self.steps = self._plan()
        self.writer.set_plan(self.steps)
        logged, kept = schedule_steps(self.steps)
        if self.step == 0:
            self._snapshot()
        started = time.monotonic() - self.seconds
        while self.step < self.steps and not self.stopped:
            if time.monotonic() - self._polled >= POLL_SECONDS:
                started += self._listen()
                if self.stopped:
                    break
            self.engine.step(self.step, self.steps, self.current_beta())
            self.step += 1
            self.seconds = time.monotonic() - started
            if self.step in logged:
                self._log()
            if self.step in kept:
                self._snapshot()
        if self.stopped:
            if self.engine.totals.count:
                self._log()
            self._snapshot()
        self._finish()
        if self.stopped:
            self.writer.set_state("stopped", "Stopped on request.", self.step)
        else:
            self.writer.set_state("finished", step=self.step)

    def current_beta(self) -> float:
        """Return β for the next update."""
        if self.beta is not None:
            return self.beta
        return self.engine.config.objective.beta_at(self.step, self.steps)

    def _plan(self) -> int:
        budget = self.engine.config.budget
        if budget.steps is not None:
            return budget.steps
        if budget.epochs is not None:
            return max(1, round(budget.epochs * self.engine.steps_per_epoch))
        assert budget.seconds is not None
        rate = measure_rate(self.engine, min(CALIBRATION_SECONDS, budget.seconds / 4))
        return max(1, math.floor(budget.seconds * SAFETY * rate))

    def _listen(self) -> float:
        """Apply what viewers asked for; return the seconds spent paused."""
        began = time.monotonic()
        self._apply()
        if self.paused:
            if self.engine.totals.count:
                self._log()
            self.writer.set_state("paused", step=self.step)
            while self.paused and not self.stopped:
                time.sleep(POLL_SECONDS / 2)
                self.writer.beat(self.step)
                self._apply()
            if not self.stopped:
                self.writer.set_state("running", step=self.step)
        self.writer.beat(self.step)
        self._polled = time.monotonic()
        return self._polled - began

    def _apply(self) -> None:
        for command in self.control.pending(self.applied):
            self.applied = command.number
            if command.action == "pause":
                self.paused = True
            elif command.action == "resume":
                self.paused = False
            elif command.action == "stop":
                self.stopped = True
            elif command.action == "beta":
                self.beta = command.value
            elif command.action == "step" and self.paused and self.step < self.steps:
                self.engine.step(self.step, self.steps, self.current_beta())
                self.step += 1
                self._log()

    def _log(self) -> None:
        objective, reconstruction, kl = self.engine.totals.means()
        self.engine.totals.clear()
        if self.start_objective is None:
            self.start_objective = objective
        limit = abs(self.start_objective) * 10 + DIVERGED
        if not math.isfinite(objective) or objective - self.start_objective > limit:
            self._fail()
        images = self.step * self.engine.batch_size
        self.writer.log(
            self.step,
            reconstruction=reconstruction,
            kl_per_dim=kl,
            beta=self.current_beta(),
            objective=objective,
            images=images,
            seconds=self.seconds,
            split="train",
            control=self.applied,
        )
        if self.progress:
            self.progress(
                {
                    "step": self.step,
                    "planned_steps": self.steps,
                    "elbo": -(reconstruction + sum(kl or [])),
                    "images_per_second": images / max(self.seconds, 1e-9),
                }
            )

    def _fail(self) -> None:
        """End a diverged run; the checkpoint on disk is the last good state."""
        kept = read_checkpoint(Run(self.writer.path))[1].get("step", 0)
        raise ExplorerError(
            f"The objective is no longer finite or has blown up at step {self.step}; the model of "
            f"step {kept} is kept. A lower learning rate usually helps."
        )

    def _choose_probe(self) -> tuple[Array, Array | None]:
        """Return fixed held-out images, evenly spread over the split, and their labels."""
        name = "validation" if len(self.dataset.split("validation")) else "all"
        split = self.dataset.split(name)
        chosen = np.linspace(0, len(split) - 1, min(PROBE_IMAGES, len(split))).astype(int)
        return split.images[chosen], None if split.labels is None else split.labels[chosen]

    @torch.no_grad()
    def _snapshot(self) -> None:
        """Keep a frame of the film, held-out figures and a checkpoint to resume from."""
        model = self.engine.model
        if not all(bool(p.isfinite().all()) for p in model.parameters()):
            self._fail()
        images, labels = self.probe
        mean, logvar = encode_images(model, images)
        strip = images[:STRIP_IMAGES]
        z = torch.randn(STRIP_IMAGES, model.latent_dim, generator=torch.Generator().manual_seed(0))
        self.writer.snapshot(
            self.step,
            mean,
            logvar,
            labels=labels,
            inputs=strip,
            reconstructions=self._decode(torch.from_numpy(mean[:STRIP_IMAGES])),
            samples=self._decode(z),
        )
        if self.step:
            held = evaluate_elbo(model, self.held_out[:VALIDATION_IMAGES], draws=1)
            if np.isfinite(held.elbo_per_image).all():
                self.writer.log(
                    self.step,
                    reconstruction=held.reconstruction,
                    kl_per_dim=held.kl_per_dim,
                    beta=self.current_beta(),
                    seconds=self.seconds,
                    images=self.step * self.engine.batch_size,
                    split="validation",
                )
        state = {
            "step": self.step,
            "steps": self.steps,
            "seconds": self.seconds,
            "beta": self.beta,
            "start_objective": self.start_objective,
        }
        engine = self.engine
        self.writer.save_checkpoint(
            pack_training(engine.model, engine.optimiser, engine.generator, state)
        )

    def _decode(self, z: torch.Tensor) -> Array:
        model = self.engine.model
        reference = next(model.parameters())
        mean = model.decode(z.to(reference)).mean
        pictures: Array = (mean.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
        return pictures

    def _finish(self) -> None:
        """Store the final weights, and the figures and codes that belong to them."""
        model = self.engine.model.eval()
        halved = halve_weights(model, self.held_out[:VALIDATION_IMAGES])
        beat = lambda _: self.writer.beat(self.step)  # noqa: E731
        results, last = {}, None
        for name in ("validation", "test"):
            split = self.dataset.split(name) if name in self.dataset.splits else None
            if split is not None and len(split):
                results[name] = evaluate_elbo(model, split.images, progress=beat).to_dict()
                last = split
        if last is None or self.engine.config.split == "all":
            last = self.dataset.split("all")
            results["all"] = evaluate_elbo(model, last.images, progress=beat).to_dict()
        mean, logvar = encode_images(model, last.images)
        self.writer.save_codes(mean, logvar, last.labels, last.ids)
        self.writer.set_results(
            results,
            {
                "seconds": self.seconds,
                "images_per_second": self.step * self.engine.batch_size / max(self.seconds, 1e-9),
                "parameters": sum(p.numel() for p in model.parameters()),
            },
        )
        if not self.stopped:
            self.writer.save_checkpoint(pack_weights(model, torch.float16 if halved else None))


@torch.no_grad()
def halve_weights(model: torch.nn.Module, images: Array, tolerance_nats: float = 0.05) -> bool:
    """Round the weights to half precision where that moves the ELBO by less than the tolerance.

    Return whether they were rounded; `model` then holds the rounded values in its own dtype.
    """
    if next(model.parameters()).dtype != torch.float32:
        return False
    rounded = copy.deepcopy(model)
    for parameter in rounded.parameters():
        parameter.copy_(parameter.half().float())
    before = evaluate_elbo(model, images, draws=1).elbo_per_image.mean()
    after = evaluate_elbo(rounded, images, draws=1).elbo_per_image.mean()
    if not abs(after - before) < tolerance_nats:
        return False
    model.load_state_dict(rounded.state_dict())
    return True


def schedule_steps(steps: int) -> tuple[set[int], set[int]]:
    """Return the steps after which a log point and a snapshot are taken, decided by `steps` alone.

    Dense at first, where much happens, then even; every snapshot is also a log point, so that a
    resumed run starts its averages where the uninterrupted one did.
    """
    kept = spread_steps(steps, SNAPSHOTS)
    return spread_steps(steps, LOG_POINTS) | kept, kept


def spread_steps(steps: int, count: int) -> set[int]:
    """Return about `count` steps in 1…steps, half of them even and half geometric."""
    even = np.linspace(1, steps, max(2, count // 2))
    geometric = np.geomspace(1, steps, max(2, count // 2))
    return {int(step) for step in np.round(np.concatenate([even, geometric]))} | {steps}


def measure_rate(engine: Engine, seconds: float) -> float:
    """Return updates per second, timed on a throw-away copy of the model."""
    trial = copy.copy(engine)
    trial.model = copy.deepcopy(engine.model)
    trial.optimiser = type(engine.optimiser)(
        trial.model.parameters(), lr=1e-6, fused=engine.device.type in ("cpu", "cuda")
    )
    trial.generator = torch.Generator(engine.device).manual_seed(0)
    trial.totals = type(engine.totals)()
    for step in range(3):
        trial.step(step, 10**9, 1.0)
    count, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        trial.step(count, 10**9, 1.0)
        count += 1
    float(trial.totals.objective)
    return max(1, count) / (time.monotonic() - began)
