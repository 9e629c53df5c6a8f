"""From a config and images to a run directory, and the loop that takes them there."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from explorer.codes import Array
from explorer.config import FITS, Config
from explorer.datasets import ImageDataset
from explorer.datasets.rows import Rows
from explorer.errors import ExplorerError
from explorer.files import replace_file
from explorer.runs.checkpoint import read_checkpoint
from explorer.runs.control import Command
from explorer.runs.folder import find_unfinished
from explorer.runs.images import describe_dataset
from explorer.runs.run import Run
from explorer.runs.sweeps import is_family_member
from explorer.runs.writer import RunWriter, mark_run
from explorer.training.engine import Engine
from explorer.training.fit import FitEngine
from explorer.training.images import find_images
from explorer.training.machine import ThreadChoice, choose_device
from explorer.training.member import Channel, HeldOut, Member, Moment
from explorer.training.plan import SNAPSHOTS, plan_steps, schedule_steps, shorten_plan
from explorer.training.single import SingleEngine

POLL_SECONDS = 0.1
CHECKPOINT = "checkpoint.safetensors"
ENGINES: dict[str, Callable[[Config, Array | Rows, torch.device], Engine]] = {
    "gradient": SingleEngine,
    **dict.fromkeys(FITS, FitEngine),
}
"""By the config's method."""

Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Report:
    """What a trainer tells at each log point: the ELBO of each member, images/s of all together."""

    step: int
    planned_steps: int
    elbos: list[float]
    images_per_second: float

    def to_dict(self, elbo: object) -> dict[str, Any]:
        """Return it for a `progress`, with the ELBO as its caller knows it."""
        return {
            "step": self.step,
            "planned_steps": self.planned_steps,
            "elbo": elbo,
            "images_per_second": self.images_per_second,
        }


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
    uint8 or float arrays in [0, 1] of shape (N, H, W) or (N, C, H, W); up to 64 MB of bytes that no
    data set holds are kept in the data folder, so that the run can go on from anywhere. Of larger
    ones a warning says beforehand that it will go on from here alone, with them given again. An
    unfinished run of the same config at `directory` is resumed, on the images that it names and no
    others; anything else there is an ExplorerError without `overwrite`. `progress` hears a dict
    with step, planned_steps and the latest log point.
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
    known = None if earlier is None else earlier.info.dataset
    dataset = find_images(config, images, known, data_root)
    device = choose_device(config.device, config.model.precision)
    with explain_memory():
        engine = ENGINES[config.method](config, dataset.split(config.split).rows, device)
    state = None if earlier is None else _restore_engine(engine, earlier)
    if state is not None:
        writer = RunWriter.resume(path, state["step"])
    else:
        writer = RunWriter(
            path,
            config=config,
            model_kind="config",
            dataset=describe_dataset(dataset),
            overwrite=overwrite,
            adopt=earlier is not None,
        )

    def report(found: Report) -> None:
        if progress:
            progress(found.to_dict(found.elbos[0]))

    trainer = Trainer(engine, [writer], dataset, report)
    if state is not None:
        trainer.restore(state)
    trainer.run(forget_commands=not was_queued)
    return Run(path)


def _restore_engine(engine: Engine, run: Run) -> dict[str, Any] | None:
    """Put the engine where the checkpoint of `run` stands; return its metadata, if there is one."""
    if not (run.path / CHECKPOINT).is_file():
        return None
    content, state = read_checkpoint(run)
    engine.unpack(content, state)
    return state


def _was_killed_at_the_end(run: Run) -> bool:
    """Tell a run whose final weights are stored, but not that it has finished."""
    if not (run.path / CHECKPOINT).is_file():
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
    """The loop proper: which steps are logged and kept, what viewers ask for, how it ends.

    The members of `engine` are trained together, each into the run of its writer. A family's `home`
    is the folder that holds the state of all of them, and commands to all of them, beside their
    runs; a run that is trained by itself holds both.
    """

    def __init__(
        self,
        engine: Engine,
        writers: Sequence[RunWriter],
        dataset: ImageDataset,
        report: Callable[[Report], None] | None = None,
        home: Path | None = None,
    ) -> None:
        self.engine = engine
        self.held_out = HeldOut(dataset)
        self.members = [
            Member(engine, index, writer, self.held_out) for index, writer in enumerate(writers)
        ]
        self.report = report
        self.home = home
        self.channel = None if home is None else Channel(home)
        """Of commands to the whole family."""
        self.step = 0
        self.steps = 0
        self.snapshots = SNAPSHOTS
        self.seconds = 0.0
        self.paused = False
        self.stopped = False
        self._polled = 0.0
        self._started = 0.0
        self._kept_at = 0

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint's metadata."""
        self.step, self.steps, self.seconds = state["step"], state["steps"], state["seconds"]
        self.snapshots = state.get("snapshots", SNAPSHOTS)
        self._kept_at = self.step
        # A single run's own values used to stand among the others.
        for member, values in zip(self.members, state.get("members", [state]), strict=True):
            member.restore(values)

    def run(self, forget_commands: bool) -> None:
        """Train to the end of the plan, or until told to stop, and set the runs' states.

        `forget_commands` tells that those which lie there are of an earlier job.
        """
        with contextlib.ExitStack() as stack:
            for member in self.members:
                stack.enter_context(member.writer)
            stack.enter_context(explain_memory())
            if forget_commands:
                for channel, _ in self._channels():
                    channel.control.clear()
            self.threads = ThreadChoice(self.engine.threads_agree)
            try:
                self._learn()
            finally:
                self.threads.restore()
            self._finish()

    def _now(self) -> Moment:
        return Moment(self.step, self.step * self.engine.batch_size, self.seconds)

    def _channels(self) -> Iterator[tuple[Channel, Member | None]]:
        """Yield where commands come from, and to which member; None stands for all."""
        if self.channel is not None:
            yield self.channel, None
        for member in self.members:
            yield member.channel, member

    def _learn(self) -> None:
        if not self.steps:
            self.steps, self.snapshots = plan_steps(self.engine, self.threads, self._time_snapshot)
        self._set_plan()
        if self.step == 0:
            self._snapshot()
        self._started = time.monotonic() - self.seconds
        while self.step < self.steps and not self.stopped:
            if time.monotonic() - self._polled >= POLL_SECONDS:
                self._listen()
            else:
                self._update()

    def _set_plan(self) -> None:
        for member in self.members:
            member.writer.set_plan(self.steps, self.engine.arithmetic)
        self._logged, self._kept = schedule_steps(self.steps, self.snapshots)

    def _time_snapshot(self) -> float:
        return sum(member.time_snapshot() for member in self.members)

    def _update(self, by_hand: bool = False) -> None:
        """Do one update; log it and keep it where the schedule says so."""
        betas = [member.next_beta(self.step, self.steps) for member in self.members]
        began = time.perf_counter()
        self.engine.step(self.step, self.steps, betas)
        self.threads.note(time.perf_counter() - began)
        self.step += 1
        self.engine.watch(self.step, self.held_out.images)
        if not by_hand:
            self.seconds = time.monotonic() - self._started
        is_due = self.step in self._logged
        if by_hand or is_due:
            self._log()
        if self.step in self._kept:
            self._snapshot()
        if is_due and self.step < self.steps:
            self._hold_budget()

    def _hold_budget(self) -> None:
        """Plan fewer updates where the machine has become too slow for the time budget."""
        budget = self.engine.configs[0].budget.seconds
        if budget is None:
            return
        steps = shorten_plan(budget, self.seconds, self.step, self.steps)
        if steps < self.steps:
            self.steps = steps
            self._set_plan()
            # β as the new plan has it, before a view takes the old one for a hand's.
            self._logged.add(self.step + 1)

    def _listen(self) -> None:
        """Apply what viewers asked for; time spent here does not count as training."""
        began = time.monotonic()
        self._apply()
        if self.paused:
            self._log()
            self._set_state("paused")
            while self.paused and not self.stopped:
                time.sleep(POLL_SECONDS / 2)
                self._beat()
                self._apply()
            if not self.stopped:
                self._set_state("running")
        self._beat()
        self._polled = time.monotonic()
        self._started += self._polled - began

    def _apply(self) -> None:
        before = [channel.heard for channel, _ in self._channels()]
        for channel, member in self._channels():
            for command in channel.news():
                self._obey(command, member)
        if before != [channel.heard for channel, _ in self._channels()]:
            family = None if self.channel is None else self.channel.heard
            for member in self.members:
                member.writer.acknowledge(member.channel.heard, family)

    def _obey(self, command: Command, member: Member | None) -> None:
        """Pause, resume, step and stop hold for all, β for the member that it was sent to."""
        if command.action in ("pause", "resume"):
            self.paused = command.action == "pause"
        elif command.action == "stop":
            self.stopped = True
        elif command.action == "beta" and member is not None:
            member.beta = command.value
        elif command.action == "step" and self.paused and self.step < self.steps:
            self._update(by_hand=True)

    def _log(self) -> None:
        """Log what was learned since the last log point, if anything was."""
        if not self.members[0].totals.count:
            return
        now = self._now()
        elbos = [member.log(now) for member in self.members]
        if self.report:
            seen = now.images * len(self.members)
            self.report(Report(self.step, self.steps, elbos, seen / max(self.seconds, 1e-9)))

    def _snapshot(self) -> None:
        """Keep a frame of every member's film, held-out figures and all that is needed to go on."""
        now, is_new = self._now(), self.step != self._kept_at
        for member in self.members:
            member.keep(now, evaluate=is_new)
            if self.home is not None:
                member.keep_weights(now)
                self._beat()
        self._kept_at = self.step
        content = self.engine.pack(
            {
                "step": self.step,
                "steps": self.steps,
                "snapshots": self.snapshots,
                "seconds": self.seconds,
                "fingerprint": self.held_out.dataset.fingerprint,
                "members": [member.state() for member in self.members],
            }
        )
        if self.home is None:
            self.members[0].writer.save_checkpoint(content)
        else:
            replace_file(self.home / CHECKPOINT, lambda stream: stream.write(content))

    def _finish(self) -> None:
        if self.stopped:
            self._log()
            self._snapshot()
        for member in self.members:
            member.finish(self._now(), self.stopped, self._beat)
        if self.stopped:
            self._set_state("stopped", "Stopped on request.")
        else:
            self._set_state("finished")

    def _beat(self) -> None:
        for member in self.members:
            member.writer.beat(self.step)

    def _set_state(self, state: str, message: str = "") -> None:
        for member in self.members:
            member.writer.set_state(state, message, self.step)
