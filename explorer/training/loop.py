"""From a config and images to a run directory."""

import contextlib
import copy
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from explorer.codes import Array
from explorer.config import FITS, Config
from explorer.datasets import ImageDataset, load_dataset
from explorer.elbo.encoding import encode_images
from explorer.elbo.evaluation import Evaluation, evaluate_elbo
from explorer.elbo.terms import name_kl
from explorer.errors import ExplorerError
from explorer.models import VAE
from explorer.runs.checkpoint import pack_training, pack_weights, read_checkpoint, unpack_training
from explorer.runs.control import Control
from explorer.runs.info import DatasetInfo
from explorer.runs.run import Run
from explorer.runs.sweeps import is_family_member
from explorer.runs.writer import RunWriter, find_unfinished, mark_run
from explorer.training.engine import Engine, choose_device
from explorer.training.fit import FitEngine
from explorer.training.pace import SNAPSHOTS, ThreadChoice, plan_steps, schedule_steps

PROBE_IMAGES = 1000
STRIP_IMAGES = 8
VALIDATION_IMAGES = 1000
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
    if is_family_member(path):
        raise ExplorerError(f"{path} is trained together with its family: train {path.parent}.")
    earlier = None if overwrite else find_unfinished(path, config)
    if earlier is not None and _was_killed_at_the_end(earlier):
        mark_run(path, "finished", step=earlier.info.planned_steps)
        return Run(path)
    # Commands to a job that waited in a living queue are meant for it; others are old.
    status = None if earlier is None else earlier.info.status
    was_queued = status is not None and status.state == "queued" and status.is_alive()
    dataset = find_images(config, images, data_root)
    device = choose_device(config.device, config.model.precision)
    with explain_memory():
        make_engine = FitEngine if config.method in FITS else Engine
        engine = make_engine(config, dataset.split(config.split).images, device)
    if earlier is not None and (path / "checkpoint.safetensors").is_file():
        trainer = resume(earlier, engine, dataset, progress)
    else:
        writer = RunWriter(
            path,
            config=config,
            model_kind="config",
            dataset=DatasetInfo(
                dataset.name, dataset.shape, tuple(dataset.class_names), dataset.fingerprint
            ),
            overwrite=overwrite,
            adopt=earlier is not None,
        )
        trainer = Trainer(engine, writer, dataset, progress)
    with trainer.writer, explain_memory():
        if not was_queued:
            trainer.control.clear()
        trainer.run()
    return Run(path)


def resume(run: Run, engine: Engine, dataset: ImageDataset, progress: Progress | None) -> "Trainer":
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


def _was_killed_at_the_end(run: Run) -> bool:
    """Tell a run whose final weights are stored, but not that it has finished."""
    if not (run.path / "checkpoint.safetensors").is_file():
        return False
    return bool(read_checkpoint(run)[1].get("complete"))


@contextlib.contextmanager
def explain_memory() -> Iterator[None]:
    """Turn a failed allocation into one sentence; torch has no class for that of the CPU."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if known or "can't allocate memory" in str(error):
            raise ExplorerError("This model and these images do not fit in memory.") from error
        raise


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
        self.applied = 0
        self.beta: float | None = None
        """What a viewer set; None while the schedule decides."""
        self.used_beta = 0.0
        """β of the latest update."""
        self.step = 0
        self.steps = 0
        self.snapshots = SNAPSHOTS
        self.seconds = 0.0
        self.start_objective: float | None = None
        self.paused = False
        self.stopped = False
        self._polled = 0.0
        self._started = 0.0
        self._kept_at = 0
        held_out = dataset.splits.get("validation", ())
        split = dataset.split("validation" if len(held_out) else "all")
        self.held_out = split.images
        # Fixed images, evenly spread over the split.
        chosen = np.linspace(0, len(split) - 1, min(PROBE_IMAGES, len(split))).astype(int)
        self.probe = split.images[chosen]
        self.probe_labels = None if split.labels is None else split.labels[chosen]

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint's metadata."""
        self.step, self.steps, self.seconds = state["step"], state["steps"], state["seconds"]
        self.beta, self.start_objective = state["beta"], state["start_objective"]
        self.used_beta = state["used_beta"]
        self.snapshots = state.get("snapshots", SNAPSHOTS)
        self.engine.aggressive = state.get("aggressive", False)
        self.engine.best_information = state.get("best_information", -1.0)
        self._kept_at = self.step

    def run(self) -> None:
        """Train to the end of the plan, or until told to stop."""
        self.threads = ThreadChoice(self.engine)
        try:
            self._learn()
        finally:
            self.threads.restore()
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

    def _learn(self) -> None:
        if not self.steps:
            self._plan()
        self.writer.set_plan(self.steps, self.engine.arithmetic)
        self._logged, self._kept = schedule_steps(self.steps, self.snapshots)
        if self.step == 0:
            self._snapshot()
        self._started = time.monotonic() - self.seconds
        while self.step < self.steps and not self.stopped:
            if time.monotonic() - self._polled >= POLL_SECONDS:
                self._listen()
            else:
                self._update()

    def _update(self, by_hand: bool = False) -> None:
        """Do one update; log it and keep it where the schedule says so."""
        self.used_beta = self.current_beta()
        began = time.perf_counter()
        self.engine.step(self.step, self.steps, self.used_beta)
        self.threads.note(time.perf_counter() - began)
        self.step += 1
        if self.engine.aggressive and self.step % self.engine.steps_per_epoch == 0:
            self.engine.watch_information(self.held_out)
        if not by_hand:
            self.seconds = time.monotonic() - self._started
        if by_hand or self.step in self._logged:
            self._log()
        if self.step in self._kept:
            self._snapshot()

    def _plan(self) -> None:
        self.steps, self.snapshots = plan_steps(self.engine, self.threads, self._time_snapshot)

    def _time_snapshot(self) -> float:
        """Return about how many seconds a snapshot takes; storing it takes half of them."""
        began = time.perf_counter()
        evaluate_elbo(self.engine.model, self.held_out[:VALIDATION_IMAGES], draws=1)
        encode_images(self.engine.model, self.probe)
        return 2 * (time.perf_counter() - began)

    def _listen(self) -> None:
        """Apply what viewers asked for; time spent here does not count as training."""
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
        self._started += self._polled - began

    def _apply(self) -> None:
        commands = self.control.pending(self.applied)
        for command in commands:
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
                self._update(by_hand=True)
        if commands:
            self.writer.acknowledge(self.applied)

    def _log(self) -> None:
        objective, reconstruction, kl = self.engine.totals.means()
        self.engine.totals.clear()
        if self.start_objective is None:
            self.start_objective = objective
        if self._has_diverged(objective):
            self._fail()
        images = self.step * self.engine.batch_size
        self.writer.log(
            self.step,
            reconstruction=reconstruction,
            **name_kl(kl, self.engine.config.model),
            beta=self.used_beta,
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

    def _has_diverged(self, objective: float) -> bool:
        start = self.start_objective or 0.0
        limit = abs(start) * 10 + DIVERGED * max(1.0, self.used_beta)
        return not math.isfinite(objective) or objective - start > limit

    def _fail(self) -> NoReturn:
        """End a diverged run; the checkpoint on disk is the last good state."""
        kept = read_checkpoint(Run(self.writer.path))[1].get("step", 0)
        raise ExplorerError(
            f"The objective is no longer finite or has blown up at step {self.step}; the model of "
            f"step {kept} is kept. A lower learning rate usually helps."
        )

    @torch.no_grad()
    def _snapshot(self) -> None:
        """Keep a frame of the film, held-out figures and a checkpoint to resume from.

        A model that has diverged ends the run here, so that the checkpoint is always a good one.
        """
        model = self.engine.model
        held = self._evaluate_held_out() if self.step != self._kept_at else None
        mean, logvar = encode_images(model, self.probe)
        strip = self.probe[:STRIP_IMAGES]
        generator = torch.Generator(self.engine.device).manual_seed(0)
        z = model.prior.sample(STRIP_IMAGES, generator)
        self.writer.snapshot(
            self.step,
            mean,
            logvar,
            labels=self.probe_labels,
            inputs=strip,
            reconstructions=self._decode(torch.from_numpy(mean[:STRIP_IMAGES])),
            samples=self._decode(z),
        )
        if held is not None:
            self._kept_at = self.step
            self.writer.log(
                self.step,
                reconstruction=held.reconstruction,
                kl_per_dim=held.kl_per_dim,
                kl=held.kl,
                beta=self.used_beta,
                seconds=self.seconds,
                images=self.step * self.engine.batch_size,
                split="validation",
            )
        self._save_state()

    def _save_state(self) -> None:
        """Store all that is needed to go on from here."""
        state = {
            "step": self.step,
            "steps": self.steps,
            "snapshots": self.snapshots,
            "seconds": self.seconds,
            "beta": self.beta,
            "used_beta": self.used_beta,
            "start_objective": self.start_objective,
            "aggressive": self.engine.aggressive,
            "best_information": max(self.engine.best_information, -1.0),
        }
        engine = self.engine
        self.writer.save_checkpoint(
            pack_training(engine.model, engine.optimiser, engine.generator, state)
        )

    def _evaluate_held_out(self) -> Evaluation:
        held = evaluate_elbo(self.engine.model, self.held_out[:VALIDATION_IMAGES], draws=1)
        if self._has_diverged(held.reconstruction + self.used_beta * (held.kl or 0.0)):
            self._fail()
        if not all(bool(p.isfinite().all()) for p in self.engine.model.parameters()):
            self._fail()
        return held

    def _decode(self, z: torch.Tensor) -> Array:
        model = self.engine.model
        reference = next(model.parameters())
        mean = model.decode(z.to(reference)).mean
        pictures: Array = (mean.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
        return pictures

    def _finish(self) -> None:
        """Store the final weights, and the figures and codes that belong to them."""
        model = self.engine.model.eval()
        # A stopped run keeps the full weights, to go on from.
        halved = not self.stopped and halve_weights(model, self.held_out[:VALIDATION_IMAGES])
        names = [n for n in ("validation", "test") if len(self.dataset.splits.get(n, ()))]
        if self.engine.config.split == "all" or not names:
            names.append("all")
        results, beat = {}, lambda _: self.writer.beat(self.step)
        for name in names:
            last = self.dataset.split(name)
            found = evaluate_elbo(model, last.images, progress=beat)
            if not np.isfinite(found.elbo_per_image).all():
                self._fail()
            results[name] = found.to_dict()
        mean, logvar = encode_images(model, last.images)
        self.writer.save_codes(mean, logvar, last.labels, last.ids)
        self.writer.set_results(
            results,
            {
                "seconds": self.seconds,
                "images_per_second": self.step * self.engine.batch_size / max(self.seconds, 1e-9),
                "parameters": sum(p.numel() for p in model.parameters()),
                "beta": self.used_beta,
            },
        )
        if not self.stopped:
            self.writer.save_checkpoint(pack_weights(model, torch.float16 if halved else None))


@torch.no_grad()
def halve_weights(model: VAE, images: Array, tolerance_nats: float = 0.05) -> bool:
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
