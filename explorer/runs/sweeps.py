"""A folder of runs that belong together: a sweep, or a family trained as one.

It holds `sweep.json` (schema, kind, the grid, each member's config by name) and a plain run
directory for each member. A family has one `control.json` for all of its members beside theirs
and, while it is unfinished, one `checkpoint.safetensors` with the state of all of them.
"""

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder, replace_json
from explorer.paths import resource, runs_folder
from explorer.runs.info import HEARTBEAT_TIMEOUT_SECONDS, LIVE_STATES
from explorer.runs.run import Run

SCHEMA = 1
KINDS = ("family", "sweep")


@dataclass(frozen=True)
class MemberProgress:
    """Where one member stands, from its run directory alone.

    `state` is the run's, or "missing" before it has begun; `planned` steps are None until its
    training has counted them. `heartbeat` is in Unix seconds, 0 for a missing one.
    """

    name: str
    state: str = "missing"
    step: int = 0
    planned: int | None = None
    message: str = ""
    heartbeat: float = 0.0

    @property
    def part(self) -> float:
        """How much of its training is done, from 0 to 1."""
        if self.state == "finished":
            return 1.0
        return min(1.0, self.step / self.planned) if self.planned else 0.0


@dataclass(frozen=True)
class Sweep:
    """A sweep's folder and its description; members are read from the disk when asked for."""

    path: Path
    kind: str
    """family: trained together, with one shared control. sweep: each run by itself."""
    configs: Mapping[str, Config]
    """Each member's config by the name of its folder, in order of the grid."""
    created: float = 0.0
    id: str = field(default="")

    @property
    def grid(self) -> dict[str, list[Any]]:
        """The values of what differs between members, such as {"beta": [0.5, 2, 8]}."""
        return find_grid(self.configs.values())

    def member(self, name: str) -> Run:
        """Return one member's run; ExplorerError where it has not begun."""
        return Run(self.path / name, f"{self.id or self.path.name}/{name}")

    def runs(self) -> dict[str, Run]:
        """Return the members that exist, by name."""
        begun = [name for name in self.configs if (self.path / name / "run.json").is_file()]
        return {name: self.member(name) for name in begun}

    def states(self) -> dict[str, str]:
        """Return each member's state, "missing" for one that has not begun."""
        found = {name: run.info.status.shown_state() for name, run in self.runs().items()}
        return {name: found.get(name, "missing") for name in self.configs}

    def is_finished(self) -> bool:
        """Tell whether every member has reached its end."""
        return set(self.states().values()) == {"finished"}

    def progress(self) -> list[MemberProgress]:
        """Return where each member stands, in order of the grid."""
        return [_look_at(self.path / name) for name in self.configs]

    def is_active(self, progress: Sequence[MemberProgress]) -> bool:
        """Tell whether somebody trains it: a member lives, or the next one may be about to begin.

        Between two members, and while workers start, none lives for a moment.
        """
        states = {member.state for member in progress}
        if states & set(LIVE_STATES):
            return True
        latest = max([self.created, *(member.heartbeat for member in progress)])
        waits = self.kind == "sweep" and "missing" in states
        return waits and time.time() - latest < HEARTBEAT_TIMEOUT_SECONDS


def _look_at(path: Path) -> MemberProgress:
    try:
        info = Run(path).info
    except ExplorerError:  # Not begun, or removed by hand.
        return MemberProgress(path.name)
    status = info.status
    step = info.planned_steps if status.state == "finished" and info.planned_steps else status.step
    return MemberProgress(
        path.name, status.shown_state(), step, info.planned_steps, status.message, status.heartbeat
    )


def open_sweep(name_or_path: str | os.PathLike[str]) -> Sweep:
    """Open a shipped sweep by name, one of the default runs folder, or a path."""
    text = os.fspath(name_or_path)
    for path in (resource("pretrained") / text, runs_folder() / text, Path(text)):
        if (path / "sweep.json").is_file():
            return read_sweep(path)
    raise ExplorerError(f"There is no sweep {text!r}.")


def read_sweep(path: Path) -> Sweep:
    """Read the sweep at `path`; an unknown schema is an ExplorerError."""
    where = path / "sweep.json"
    try:
        values = json.loads(where.read_text())
        if values["schema"] != SCHEMA or values["kind"] not in KINDS:
            raise ExplorerError(f"{where} was written by another version.")
        configs = {name: Config.from_dict(value) for name, value in values["members"].items()}
        return Sweep(path, values["kind"], configs, values["created"], path.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExplorerError(f"{where} cannot be read as a sweep.") from error


def list_sweeps(folder: Path) -> list[Sweep]:
    """Return the readable sweeps of a runs folder, newest first."""
    found = []
    for path in folder.glob("*/sweep.json"):
        try:
            found.append(read_sweep(path.parent))
        except ExplorerError:
            continue
    return sorted(found, key=lambda sweep: (-sweep.created, sweep.id))


def prepare_sweep(
    path: Path, kind: str, configs: Mapping[str, Config], overwrite: bool = False
) -> Sweep:
    """Make `path` the folder of this sweep, or find the same sweep there, begun earlier.

    Further runs may join a sweep, but not a family. Another sweep, or anything else that is not
    empty, is an ExplorerError; `overwrite` removes an earlier sweep of which no member is being
    trained, and nothing else.
    """
    created = time.time()
    try:
        if path.is_file():
            raise ExplorerError(f"{path} is a file; a sweep needs a folder.")
        if (path / "sweep.json").is_file():
            earlier = read_sweep(path)
            if overwrite:
                if set(earlier.states().values()) & set(LIVE_STATES):
                    raise ExplorerError(f"{path} is being trained right now; stop that job first.")
                shutil.rmtree(path)
            else:
                joined = {**earlier.configs, **{**configs, **earlier.configs}}
                same = all(joined[name] == configs[name] for name in configs)
                if earlier.kind != kind or not same or (kind == "family" and joined != configs):
                    raise ExplorerError(
                        f"{path} holds another sweep; choose another folder or overwrite it."
                    )
                if joined == earlier.configs:
                    return earlier
                configs, created = joined, earlier.created
        elif path.is_dir() and any(path.iterdir()):
            raise ExplorerError(f"{path} holds other files; choose an empty folder.")
    except OSError as error:
        raise explain_os_error(error, path) from error
    sweep = Sweep(path, kind, dict(configs), created, path.name)
    make_folder(path)
    replace_json(
        path / "sweep.json",
        {
            "schema": SCHEMA,
            "kind": kind,
            "created": sweep.created,
            "grid": sweep.grid,
            "members": {name: config.to_dict() for name, config in configs.items()},
        },
    )
    return sweep


def is_family_member(run: Path) -> bool:
    """Tell whether the run at `run` is trained together with others of its folder."""
    try:
        sweep = read_sweep(run.parent)
        return sweep.kind == "family" and run.name in sweep.configs
    except ExplorerError:
        return False


def find_grid(configs: Iterable[Config]) -> dict[str, list[Any]]:
    """Return the values of each field in which the configs differ, by the field's own name.

    >>> from explorer.config import Config
    >>> find_grid([Config(seed=1), Config(seed=2)])
    {'seed': [1, 2]}
    """
    flat = [_flatten(config.to_dict()) for config in configs]
    return {
        name.rpartition(".")[2]: list(dict.fromkeys(values[name] for values in flat))
        for name in flat[0]
        if len({repr(values[name]) for values in flat}) > 1
    }


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = tuple(value) if isinstance(value, list) else value
    return flat
