"""Many β at once: models of equal shape trained together over shared minibatches.

Batched matrix multiplies over one stream of images take less time than the models one after the
other, and the members can be watched side by side. Members share the seed, hence the initial
weights, the minibatches, their binary draws and the noise of z: what differs is β alone, and a
member is the run that it would be by itself.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from explorer.codes import Array
from explorer.config import Config
from explorer.datasets import ImageDataset
from explorer.elbo.terms import draw_noise, price_terms, reparameterise
from explorer.errors import ExplorerError
from explorer.files import replace_file
from explorer.models.priors import KL, gaussian_kl
from explorer.models.stacked import StackedModels
from explorer.runs.checkpoint import pack_training, pack_weights, read_tensors, unpack_training
from explorer.runs.info import DatasetInfo
from explorer.runs.sweeps import Sweep, prepare_sweep
from explorer.runs.writer import RunWriter
from explorer.training.engine import Engine, Totals, choose_device
from explorer.training.loop import Progress, Trainer, explain_memory, find_images
from explorer.training.optimiser import QuickAdam
from explorer.training.pace import SNAPSHOTS

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
    dataset = find_images(first, images, data_root)
    device = choose_device(first.device, first.model.precision)
    with explain_memory():
        engine = FamilyEngine(list(configs.values()), dataset.split(first.split).images, device)
    state = _restore_engine(engine, sweep, dataset)
    writers = [_open_writer(sweep, name, dataset, state) for name in configs]
    trainer = FamilyTrainer(engine, FamilyWriter(path, writers), dataset, progress)
    if state is not None:
        trainer.restore(state)
    with trainer.family_writer, explain_memory():
        if not was_queued:
            for control in trainer.controls:
                control.clear()
        trainer.run()
    if not trainer.stopped:
        (path / "checkpoint.safetensors").unlink(missing_ok=True)
    return sweep


def check_family(configs: Mapping[str, Config]) -> None:
    """Raise an ExplorerError unless the configs can be trained together."""
    if not 2 <= len(configs) <= LARGEST_FAMILY:
        raise ExplorerError(
            f"A family has 2 to {LARGEST_FAMILY} members trained together, not {len(configs)}."
        )
    first = next(iter(configs.values()))
    if first.model.network == "conv" or first.model.latent != "gaussian":
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


class FamilyEngine:
    """M models, one optimiser, one stream of images and noise; `step` does one update of all."""

    def __init__(self, configs: Sequence[Config], images: Array, device: torch.device) -> None:
        single = Engine(configs[0], images, device)
        self.configs = list(configs)
        self.config = configs[0]
        self.device = device
        self.batch_size, self.steps_per_epoch = single.batch_size, single.steps_per_epoch
        self.batch, self.generator = single.batch, single.generator
        self.template, self.arithmetic = single.model, single.arithmetic
        self.model = StackedModels([single.model] * len(configs)).to(device)
        self.optimiser = QuickAdam(
            self.model.parameters(),
            lr=self.config.optimiser.learning_rate,
            eps=self.config.optimiser.epsilon,
            fused=device.type in ("cpu", "cuda"),
        )
        self.totals = Totals()
        """Of all members together; each has its own in `member_totals`."""
        self.aggressive = False
        self.member_totals = [Totals() for _ in configs]

    def step(self, step: int, steps: int, beta: float | Sequence[float]) -> None:
        """Do update number `step` (from 0) of `steps` planned ones, with one β or one each."""
        betas = [beta] * len(self.configs) if isinstance(beta, int | float) else beta
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.optimiser.learning_rate_at(step, steps)
        x = self.template.target(self.batch(step), self.generator)
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
        self.optimiser.update()
        for totals, term in zip(
            [*self.member_totals, self.totals], [*terms, terms[0]], strict=True
        ):
            assert term.kl_per_dim is not None
            totals.add(
                term.objective.detach(),
                term.reconstruction.detach().mean(),
                term.kl_per_dim.detach().mean(0),
            )


class FamilyWriter:
    """The members' writers as one: states, plans and signs of life go to all of them."""

    def __init__(self, path: Path, members: list[RunWriter]) -> None:
        self.path = path
        self.members = members

    def __enter__(self) -> "FamilyWriter":
        self.set_state("running")
        return self

    def __exit__(self, *error: Any) -> None:
        for member in self.members:
            member.__exit__(*error)

    def set_state(self, state: str, message: str = "", step: int | None = None) -> None:
        """Record a change of state at once."""
        for member in self.members:
            member.set_state(state, message, step)

    def set_plan(self, planned_steps: int, arithmetic: str = "") -> None:
        """Record how many steps are planned and what is multiplied in."""
        for member in self.members:
            member.set_plan(planned_steps, arithmetic)

    def beat(self, step: int | None = None) -> None:
        """Give a sign of life, at most once a second."""
        for member in self.members:
            member.beat(step)


class MemberEngine:
    """What a `Trainer` asks of its engine when it only logs and keeps one member."""

    def __init__(self, family: FamilyEngine, index: int) -> None:
        self.family = family
        self.index = index
        self.config = family.configs[index]
        self.device, self.batch_size = family.device, family.batch_size
        self.aggressive = False
        self.totals = family.member_totals[index]

    @property
    def model(self) -> Any:
        """The member as a plain model with its present weights."""
        self.family.model.write_member(self.index, self.family.template)
        return self.family.template


class Member(Trainer):
    """One member's log points, snapshots and results; its updates are the family's."""

    def _save_state(self) -> None:
        content = pack_weights(self.engine.model, metadata={"complete": False, "step": self.step})
        self.writer.save_checkpoint(content)


class FamilyTrainer(Trainer):
    """The loop of a single run over all members at once.

    Viewers may talk to the family or to any member: pause, resume, step and stop hold for all,
    β for the member that it was sent to.
    """

    engine: Any

    def __init__(
        self,
        engine: FamilyEngine,
        writer: FamilyWriter,
        dataset: ImageDataset,
        progress: Progress | None,
    ) -> None:
        self.family_writer = writer
        facade: Any = writer
        single: Any = engine
        super().__init__(single, facade, dataset, progress)
        self.members = []
        for index, member_writer in enumerate(writer.members):
            part: Any = MemberEngine(engine, index)
            self.members.append(Member(part, member_writer, dataset, None))
        self.used_beta: Any = [0.0] * len(self.members)
        self.controls = [self.control, *(member.control for member in self.members)]
        self._heard = [0] * len(self.controls)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from the shared checkpoint's metadata."""
        self.step, self.steps, self.seconds = state["step"], state["steps"], state["seconds"]
        self.snapshots = state.get("snapshots", SNAPSHOTS)
        self._kept_at = self.step
        for member, values in zip(self.members, state["members"], strict=True):
            member.restore({**state, **values})
        self.used_beta = [member.used_beta for member in self.members]

    def current_beta(self) -> Any:
        """Return each member's β for the next update."""
        for member in self.members:
            member.step, member.steps = self.step, self.steps
        return [member.current_beta() for member in self.members]

    def _apply(self) -> None:
        heard = list(self._heard)
        for index, control in enumerate(self.controls):
            for command in control.pending(self._heard[index]):
                self._heard[index] = command.number
                if index:
                    self.members[index - 1].applied = command.number
                if command.action in ("pause", "resume"):
                    self.paused = command.action == "pause"
                elif command.action == "stop":
                    self.stopped = True
                elif command.action == "beta" and index:
                    self.members[index - 1].beta = command.value
                elif command.action == "step" and self.paused and self.step < self.steps:
                    self._update(by_hand=True)
        if heard != self._heard:
            for member in self.members:
                member.writer.acknowledge(member.applied, self._heard[0])

    def _plan(self) -> None:
        super()._plan()
        for totals in self.engine.member_totals:
            totals.clear()

    def _time_snapshot(self) -> float:
        return sum(member._time_snapshot() for member in self.members)

    def _update_members(self) -> None:
        for member, beta in zip(self.members, self.used_beta, strict=True):
            member.step, member.steps, member.seconds = self.step, self.steps, self.seconds
            member.used_beta, member.stopped = beta, self.stopped

    def _log(self) -> None:
        self._update_members()
        elbos = {}
        for member in self.members:
            _, reconstruction, kl = member.engine.totals.means()
            elbos[member.writer.path.name] = -(reconstruction + sum(kl or []))
            member._log()
        self.engine.totals.clear()
        if self.progress:
            images = self.step * self.engine.batch_size * len(self.members)
            self.progress(
                {
                    "step": self.step,
                    "planned_steps": self.steps,
                    "elbo": elbos,
                    "images_per_second": images / max(self.seconds, 1e-9),
                }
            )

    def _snapshot(self) -> None:
        self._update_members()
        for member in self.members:
            member._snapshot()
            self.writer.beat(self.step)
        names = ("beta", "used_beta", "start_objective")
        state = {
            "step": self.step,
            "steps": self.steps,
            "snapshots": self.snapshots,
            "seconds": self.seconds,
            "fingerprint": self.dataset.fingerprint,
            "members": [{name: getattr(m, name) for name in names} for m in self.members],
        }
        engine = self.engine
        content = pack_training(engine.model, engine.optimiser, engine.generator, state)
        replace_file(self.writer.path / "checkpoint.safetensors", lambda out: out.write(content))

    def _finish(self) -> None:
        self._update_members()
        for member in self.members:
            member._finish()
            self.writer.beat(self.step)


def _is_queued(run: Any) -> bool:
    return bool(run.info.status.state == "queued")


def _restore_engine(
    engine: FamilyEngine, sweep: Sweep, dataset: ImageDataset
) -> dict[str, Any] | None:
    path = sweep.path / "checkpoint.safetensors"
    if not path.is_file():
        return None
    content, state = read_tensors(path, sweep.id)
    if state["fingerprint"] != dataset.fingerprint:
        raise ExplorerError(f"The family at {sweep.path} was started on other images.")
    unpack_training(content, engine.model, engine.optimiser, engine.generator)
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
        dataset=DatasetInfo(
            dataset.name, dataset.shape, tuple(dataset.class_names), dataset.fingerprint
        ),
        adopt=begun,
    )


__all__ = ["FamilyEngine", "check_family", "family_configs", "train_family"]
