"""One of the models that are trained together: its β, and the run directory that it fills."""

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from explorer.codes import Array
from explorer.datasets import ImageDataset
from explorer.datasets.images import choose_examples, choose_probe
from explorer.elbo.encoding import encode_images
from explorer.elbo.evaluation import Evaluation, evaluate_elbo
from explorer.elbo.terms import name_kl
from explorer.errors import ExplorerError
from explorer.models import Model
from explorer.runs.checkpoint import pack_weights, read_checkpoint
from explorer.runs.control import Command, Control
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from explorer.training.engine import Engine

STRIP_IMAGES = 8
VALIDATION_IMAGES = 1000
DIVERGED = 1000.0
"""Nats per image, plus ten times the start's objective, above which a run has diverged."""


@dataclass(frozen=True)
class Moment:
    """How far a training is: updates done, images that each member has seen, seconds spent."""

    step: int
    images: int
    seconds: float


class HeldOut:
    """The images that a training is judged by, and those that its film shows."""

    def __init__(self, dataset: ImageDataset) -> None:
        self.dataset = dataset
        has_validation = len(dataset.splits.get("validation", ()))
        split = dataset.split("validation" if has_validation else "all")
        self.images = split.rows
        chosen = choose_probe(split)
        self.probe = split.rows[chosen]
        self.probe_labels = None if split.labels is None else split.labels[chosen]
        self.strip = choose_examples(self.probe_labels, len(chosen), STRIP_IMAGES)
        """Rows of the probe whose reconstructions the film shows."""

    def final_splits(self, trained_on: str) -> list[str]:
        """Return the splits that a finished run is measured on; the last one's codes are kept."""
        names = [n for n in ("validation", "test") if len(self.dataset.splits.get(n, ()))]
        return [*names, "all"] if trained_on == "all" or not names else names


class Channel:
    """A place where viewers leave commands, and the number of the last one that was heard."""

    def __init__(self, path: Path) -> None:
        self.control = Control(path)
        self.heard = 0

    def news(self) -> Iterator[Command]:
        """Yield the commands that came since; each counts as heard before it is obeyed."""
        for command in self.control.pending(self.heard):
            self.heard = command.number
            yield command


class Member:
    """One of the models that a trainer trains together, and its run directory.

    `index` is its place in the engine. The trainer says when something is logged or kept.
    """

    def __init__(self, engine: Engine, index: int, writer: RunWriter, held_out: HeldOut) -> None:
        self.engine = engine
        self.index = index
        self.writer = writer
        self.held_out = held_out
        self.config = engine.configs[index]
        self.totals = engine.totals[index]
        self.channel = Channel(writer.path)
        self.beta: float | None = None
        """What a viewer set; None while the schedule decides."""
        self.used_beta = 0.0
        """β of the latest update."""
        self.start_objective: float | None = None

    def state(self) -> dict[str, float | None]:
        """Return what a checkpoint needs to know of it besides its weights."""
        return {name: getattr(self, name) for name in ("beta", "used_beta", "start_objective")}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.beta, self.used_beta = state["beta"], state["used_beta"]
        self.start_objective = state["start_objective"]

    def next_beta(self, step: int, steps: int) -> float:
        """Return β for update number `step` (from 0) of `steps`, which takes note of it."""
        planned = self.config.objective.beta_at(step, steps)
        self.used_beta = planned if self.beta is None else self.beta
        return self.used_beta

    def log(self, now: Moment) -> float:
        """Write a log point of what was summed up since the last one, and return its ELBO."""
        objective, reconstruction, kl = self.totals.means()
        self.totals.clear()
        if self.start_objective is None:
            self.start_objective = objective
        if self._has_diverged(objective):
            self._fail(now)
        self.writer.log(
            now.step,
            reconstruction=reconstruction,
            **name_kl(kl, self.config.model),
            beta=self.used_beta,
            objective=objective,
            images=now.images,
            seconds=now.seconds,
            split="train",
            control=self.channel.heard,
        )
        return -(reconstruction + sum(kl or []))

    @torch.no_grad()
    def keep(self, now: Moment, evaluate: bool) -> None:
        """Keep a frame of the film and, with `evaluate`, held-out figures.

        A model that has diverged ends the training here, so that what is stored is always good.
        """
        model = self.engine.member(self.index)
        held = self._evaluate(model, now) if evaluate else None
        mean, logvar = encode_images(model, self.held_out.probe)
        generator = torch.Generator(self.engine.device).manual_seed(0)
        samples = model.prior.sample(STRIP_IMAGES, generator)
        strip = self.held_out.strip
        self.writer.snapshot(
            now.step,
            mean,
            logvar,
            labels=self.held_out.probe_labels,
            inputs=self.held_out.probe[strip],
            reconstructions=draw_pictures(model, torch.from_numpy(mean[strip])),
            samples=draw_pictures(model, samples),
        )
        if held is not None:
            self.writer.log(
                now.step,
                reconstruction=held.reconstruction,
                kl_per_dim=held.kl_per_dim,
                kl=held.kl,
                beta=self.used_beta,
                seconds=now.seconds,
                images=now.images,
                split="validation",
            )

    def keep_weights(self, now: Moment) -> None:
        """Store the weights alone; what is needed to go on lies elsewhere."""
        model = self.engine.member(self.index)
        content = pack_weights(model, metadata={"complete": False, "step": now.step})
        self.writer.save_checkpoint(content)

    def time_snapshot(self) -> float:
        """Return about how many seconds a snapshot takes; storing it takes half of them."""
        began = time.perf_counter()
        model = self.engine.member(self.index)
        evaluate_elbo(model, self.held_out.images[:VALIDATION_IMAGES], draws=1)
        encode_images(model, self.held_out.probe)
        return 2 * (time.perf_counter() - began)

    def finish(self, now: Moment, stopped: bool, beat: Callable[[], None]) -> None:
        """Store the final weights, and the figures and codes that belong to them.

        `stopped` runs keep the weights as they are, to go on from. `beat` gives signs of life.
        """
        model = self.engine.member(self.index).eval()
        halved = not stopped and halve_weights(model, self.held_out.images[:VALIDATION_IMAGES])
        results = {}
        for name in self.held_out.final_splits(self.config.split):
            split = self.held_out.dataset.split(name)
            found = evaluate_elbo(model, split.rows, progress=lambda _: beat())
            if not np.isfinite(found.elbo_per_image).all():
                self._fail(now)
            results[name] = found.to_dict()
        mean, logvar = encode_images(model, split.rows)
        self.writer.save_codes(mean, logvar, split.labels, split.ids)
        self.writer.set_results(
            results,
            {
                "seconds": now.seconds,
                "images_per_second": now.images / max(now.seconds, 1e-9),
                "parameters": sum(p.numel() for p in model.parameters()),
                "beta": self.used_beta,
            },
        )
        if not stopped:
            self.writer.save_checkpoint(pack_weights(model, torch.float16 if halved else None))

    def _evaluate(self, model: Model, now: Moment) -> Evaluation:
        held = evaluate_elbo(model, self.held_out.images[:VALIDATION_IMAGES], draws=1)
        if self._has_diverged(held.reconstruction + self.used_beta * (held.kl or 0.0)):
            self._fail(now)
        if not all(bool(p.isfinite().all()) for p in model.parameters()):
            self._fail(now)
        return held

    def _has_diverged(self, objective: float) -> bool:
        start = self.start_objective or 0.0
        limit = abs(start) * 10 + DIVERGED * max(1.0, self.used_beta)
        return not math.isfinite(objective) or objective - start > limit

    def _fail(self, now: Moment) -> NoReturn:
        """End a diverged run; the checkpoint on disk is the last good state."""
        kept = read_checkpoint(Run(self.writer.path))[1].get("step", 0)
        raise ExplorerError(
            f"The objective is no longer finite or has blown up at step {now.step}; the model of "
            f"step {kept} is kept. A lower learning rate usually helps."
        )


def draw_pictures(model: Model, z: torch.Tensor) -> Array:
    """Return what codes (M, K) decode to, uint8 (M, C, H, W)."""
    mean = model.decode(z.to(model.reference)).mean
    pictures: Array = (mean.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    return pictures


@torch.no_grad()
def halve_weights(model: Model, images: Array, tolerance_nats: float = 0.05) -> bool:
    """Round the weights to half precision where that moves the ELBO by less than the tolerance.

    Return whether they were rounded; `model` then holds the rounded values in its own dtype.
    """
    if model.reference.dtype != torch.float32:
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
