"""Writing a run directory: ours and anyone's training loop use the same class.

    with RunWriter("my-run", latent_dim=16) as run:
        for step, batch in enumerate(batches):
            ...
            run.log(step, mean=mean, logvar=logvar, reconstruction=nll)

Arrays may be NumPy arrays or torch tensors. All figures are nats per image.
"""

import contextlib
import dataclasses
import json
import os
import socket
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from explorer.codes import Array
from explorer.config import Config
from explorer.errors import ExplorerError, RunRemoved, shorten
from explorer.files import explain_os_error, replace_file, replace_json
from explorer.runs.arrays import (
    as_array,
    as_floats,
    flatten_indices,
    halve,
    mean_over_images,
    tidy_codes,
    tidy_frame,
)
from explorer.runs.folder import prepare_folder, refuse_foreign
from explorer.runs.info import (
    LARGEST_LATENT,
    STATES,
    DatasetInfo,
    ModelInfo,
    RunInfo,
    Status,
    describe_config,
    state_likelihood,
)
from explorer.runs.info_read import check_info
from explorer.runs.plausible import doubt_reconstruction
from explorer.runs.points import as_count, check_finite, check_step, find_costs, find_kl
from explorer.runs.ranks import is_first_rank
from explorer.runs.run import Run, versions

HEARTBEAT_SECONDS = 1.0
LONGEST_MESSAGE = 1000


class RunWriter:
    """The single writer of a run directory; leaving the `with` block finishes the run.

    `latent_dim` may be left out where `config` names a model. `model_kind` is "none" for a loop
    whose model this library does not know, "config" for one that is built from `config`; `model`
    says all of a model that was made elsewhere. An existing run at `directory` is an error unless
    `overwrite`; anything else there is never touched. `adopt` takes over a run that was queued
    there and never began, keeping the name that viewers gave it; `info` one that began, as it
    stands, and nothing is written yet.

    What a loop of one's own states of its images' `shape` (C, H, W), of the `likelihood` that its
    nats are of and of its `sigma2` is shown, and lets `log` tell a mean over pixels from a sum.

    A loop of one's own, with neither `config` nor `model`, takes the folder when it first writes,
    so that a second instance for evaluation is no second run; and of a distributed training the
    first rank alone writes, the others' calls do nothing.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        latent_dim: int | None = None,
        config: Config | None = None,
        model_kind: str = "none",
        latent_kind: str = "gaussian",
        dataset: DatasetInfo | None = None,
        planned_steps: int | None = None,
        overwrite: bool = False,
        adopt: bool = False,
        info: RunInfo | None = None,
        model: ModelInfo | None = None,
        shape: tuple[int, int, int] | None = None,
        likelihood: str | None = None,
        sigma2: float | None = None,
    ) -> None:
        self.path = Path(directory)
        self._beat_at = 0.0
        self._last_steps: dict[str, int] = {}
        self._to_take = False
        self._has_doubted = False
        self._overwrite = overwrite
        if info is not None:
            self.info = info
            return
        shape = shape if dataset is None else dataset.shape
        if model is not None:
            pass
        elif config is not None:
            model = describe_config(config.model, model_kind, shape)
        elif latent_dim is None or not 1 <= latent_dim <= LARGEST_LATENT:
            raise ExplorerError("A run needs its number of latent dimensions: latent_dim=…")
        else:
            stated = state_likelihood(likelihood, sigma2)
            model = ModelInfo(model_kind, latent_kind, latent_dim, shape, likelihood=stated)
        self.info = check_info(
            RunInfo(
                config=config,
                model=model,
                dataset=dataset,
                planned_steps=planned_steps,
                status=self._sign(Status()),
                created=time.time(),
                versions=versions(),
            )
        )
        if adopt:
            self._write_info()
            return
        self._to_take = True
        if self._is_own_loop:
            refuse_foreign(self.path)
        else:
            self._take_folder()

    @classmethod
    def resume(cls, directory: str | os.PathLike[str], step: int) -> "RunWriter":
        """Take over an unfinished run; log points and snapshots after `step` are cut away.

        What the run's last writer left half-written when it was killed is removed too.
        """
        run = Run(directory)
        writer = cls(run.path, info=run.info)
        status = writer._sign(Status(state="queued", step=step))
        writer.info = dataclasses.replace(writer.info, status=status)
        if not writer._may_write():
            return writer
        kept = [point for point in run.metrics() if point["step"] <= step]
        for point in kept:
            writer._last_steps[point.get("split", "train")] = point["step"]
        text = "".join(json.dumps(point) + "\n" for point in kept)
        replace_file(writer.path / "metrics.jsonl", lambda stream: stream.write(text.encode()))
        for part in [*run.path.glob("*/.*.part"), *run.path.glob(".*.part")]:
            if not part.name.startswith((".control.", ".viewer.")):  # These may be in the making.
                part.unlink(missing_ok=True)
        for later in run.snapshot_steps():
            if later > step:
                (writer.path / "snapshots" / f"{later:09d}.npz").unlink(missing_ok=True)
        writer._write_info()
        return writer

    @property
    def _is_own_loop(self) -> bool:
        return self.info.config is None and self.info.model.kind == "none"

    def _may_write(self) -> bool:
        """Tell whether this process writes, and take the folder where that is still to be done."""
        if self._is_own_loop and not is_first_rank():
            return False
        if self._to_take:
            self._take_folder()
        return True

    def _take_folder(self) -> None:
        """Make the folder this run's own, or leave none where that fails."""
        prepare_folder(self.path, self._overwrite)
        try:
            replace_json(self.path / "run.json", self.info.to_dict())
        except ExplorerError:
            with contextlib.suppress(OSError):
                self.path.rmdir()
            raise
        self._to_take = False

    def __enter__(self) -> "RunWriter":
        self.set_state("running")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            if self.info.status.state in ("queued", "running", "paused"):
                self.set_state("finished")
        elif isinstance(error, KeyboardInterrupt):
            self.set_state("stopped", "Interrupted from the keyboard.")
        else:
            # A full disk must not hide the error that came first.
            with contextlib.suppress(ExplorerError):
                self.set_state("failed", str(error) or type(error).__name__)

    def log(
        self,
        step: int,
        *,
        reconstruction: Any,
        mean: Any = None,
        logvar: Any = None,
        kl_per_dim: Any = None,
        kl: Any = None,
        beta: Any = None,
        objective: Any = None,
        images: Any = None,
        seconds: float | None = None,
        split: str = "train",
        **extra: Any,
    ) -> None:
        """Append a log point.

        Give either `mean` and `logvar` (B, K) of a batch, from which KL to N(0, I) per dimension
        is computed, or `kl_per_dim` (K,) itself, or `kl` alone where only the total is known
        (against a learned or conditional prior), or none of them where the model has no KL.
        `reconstruction` is a positive −log p(x|z); it and `kl` are a number or one per image (B,).
        Where `beta` is
        not given it is unknown, and so is the objective, unless that is. Further numbers go in by
        name. A figure that is not finite, and a step that is no whole number from 0 or
        lies before the split's last one, is an ExplorerError and is not logged.
        """
        step = check_step(step)
        last = self._last_steps.get(split, 0)
        if step < last:
            raise ExplorerError(
                f"Step {step:,} follows step {last:,}: steps never fall. Count on over epochs; to "
                "go on from an earlier step, use RunWriter.resume."
            )
        point: dict[str, Any] = {
            "step": step,
            "images": None if images is None else as_count(images),
            "seconds": time.time() - self.info.created if seconds is None else seconds,
            "split": split,
            "reconstruction": mean_over_images(reconstruction, "reconstruction"),
        }
        point |= find_kl(self.info.latent_dim, mean, logvar, kl_per_dim, kl)
        point |= find_costs(point, beta, objective, extra)
        check_finite(point)
        self._doubt(point)
        self._append(json.dumps(point) + "\n")
        self._last_steps[split] = step
        self.beat(step)

    def _doubt(self, point: Mapping[str, Any]) -> None:
        """Warn, once, of a reconstruction that can hardly be a sum over pixels."""
        doubt = None if self._has_doubted else doubt_reconstruction(self.info.model, point)
        if doubt is not None:
            self._has_doubted = True
            warnings.warn(doubt, stacklevel=3)

    def snapshot(self, step: int, mean: Any, logvar: Any = None, **arrays: Any) -> None:
        """Store a frame of the film.

        Probe codes (P, K), indices (P, …) where codes are categorical, and any of labels (P,) and
        uint8 inputs, reconstructions and samples (M, C, H, W).
        """
        step, values = check_step(step), self._name_codes(mean, logvar)
        values |= {key: as_array(value) for key, value in arrays.items() if value is not None}
        values |= tidy_frame(values, self.info)
        values |= {key: halve(values[key]) for key in ("mean", "logvar") if key in values}
        if not self._may_write():
            return
        with self._in_folder("snapshots"):
            # Without its parents: a run that was removed must not come back.
            (self.path / "snapshots").mkdir(exist_ok=True)
        self._save_arrays(f"snapshots/{step:09d}.npz", values)

    def save_codes(
        self, mean: Any, logvar: Any = None, labels: Any = None, ids: Any = None
    ) -> None:
        """Store the codes (N, K) of the evaluated split; of categorical ones indices (N, …)."""
        values = self._name_codes(mean, logvar)
        count = len(next(iter(values.values())))
        values["ids"] = np.arange(count) if ids is None else as_array(ids)
        if labels is not None:
            values["labels"] = as_array(labels)
        self._save_arrays("codes.npz", tidy_codes(values, self.info))

    def _name_codes(self, codes: Any, logvar: Any) -> dict[str, Array]:
        """Return codes under the name that their kind has in a file: mean, or indices."""
        if self.info.latent_kind == "categorical":
            return {"indices": flatten_indices(codes)}
        named = {"mean": codes} if logvar is None else {"mean": codes, "logvar": logvar}
        with np.errstate(over="ignore"):
            return {key: np.atleast_1d(as_floats(v).astype(np.float32)) for key, v in named.items()}

    def save_checkpoint(self, content: bytes) -> None:
        """Replace checkpoint.safetensors."""
        if not self._may_write():
            return
        with self._in_folder("checkpoint.safetensors") as path:
            replace_file(path, lambda stream: stream.write(content))

    def set_plan(self, planned_steps: int, arithmetic: str = "") -> None:
        """Record how many steps are planned and, where known, what is multiplied in."""
        versions = {**self.info.versions, **({"arithmetic": arithmetic} if arithmetic else {})}
        self.info = check_info(
            dataclasses.replace(self.info, planned_steps=planned_steps, versions=versions)
        )
        self._write_info()

    def set_results(
        self, results: Mapping[str, Mapping[str, Any]], timing: Mapping[str, float]
    ) -> None:
        """Record the final figures by split, and the timing."""
        self.info = check_info(
            dataclasses.replace(self.info, results=dict(results), timing=dict(timing))
        )
        self._write_info()

    def set_state(self, state: str, message: str = "", step: int | None = None) -> None:
        """Record a change of state at once."""
        if state not in STATES:
            raise ExplorerError(f"A run is {', '.join(STATES)}, not {state!r}.")
        status = self.info.status
        message = shorten(message, LONGEST_MESSAGE).encode("utf-8", "replace").decode()
        self._update_status(
            dataclasses.replace(
                status, state=state, message=message, step=status.step if step is None else step
            )
        )

    def acknowledge(self, number: int, family_number: int | None = None) -> None:
        """Record that commands up to `number`, and to its family, have been applied."""
        status = self.info.status
        family = status.family_control if family_number is None else family_number
        self._update_status(dataclasses.replace(status, control=number, family_control=family))

    def beat(self, step: int | None = None) -> None:
        """Give a sign of life, at most once a second."""
        if time.monotonic() - self._beat_at >= HEARTBEAT_SECONDS:
            status = self.info.status
            step = status.step if step is None else int(step)
            self._update_status(dataclasses.replace(status, step=step))

    def _update_status(self, status: Status) -> None:
        self.info = dataclasses.replace(self.info, status=self._sign(status))
        self._write_info()

    def _sign(self, status: Status) -> Status:
        return dataclasses.replace(
            status, pid=os.getpid(), host=socket.gethostname(), heartbeat=time.time()
        )

    @contextlib.contextmanager
    def _in_folder(self, name: str) -> Iterator[Path]:
        """Write the file `name` of the run; RunRemoved where the run was deleted meanwhile."""
        removed = RunRemoved(f"The run at {self.path} was removed; its training has ended.")
        if not (self.path / "run.json").is_file():
            raise removed
        try:
            yield self.path / name
        except (OSError, ExplorerError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if isinstance(cause, FileNotFoundError):
                raise removed from error
            if isinstance(error, OSError):
                raise explain_os_error(error, self.path / name) from error
            raise

    def _write_info(self) -> None:
        self._beat_at = time.monotonic()
        if self._may_write():
            with self._in_folder("run.json") as path:
                replace_json(path, self.info.to_dict())

    def _append(self, line: str) -> None:
        if not self._may_write():
            return
        with (
            self._in_folder("metrics.jsonl") as path,
            open(path, "a", encoding="utf-8") as stream,
        ):
            stream.write(line)

    def _save_arrays(self, name: str, values: Mapping[str, Array]) -> None:
        if not self._may_write():
            return
        with self._in_folder(name) as path:
            replace_file(path, lambda stream: np.savez_compressed(stream, **dict[str, Any](values)))


def mark_run(path: Path, state: str, message: str = "", step: int | None = None) -> None:
    """Set the state of a run whose own writer is gone or has not begun."""
    RunWriter(path, info=Run(path).info).set_state(state, message, step)
