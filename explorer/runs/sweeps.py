"""A folder of runs that belong together: a sweep, or a family trained as one.

It holds `sweep.json` (schema, kind, the grid, each member's config by name) and a plain run
directory for each member. A family has one `control.json` for all of its members beside theirs
and, while it is unfinished, one `checkpoint.safetensors` with the state of all of them.
"""

import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder, read_json, replace_json
from explorer.paths import resource, runs_folder
from explorer.runs.fields import Fields, WrongField, is_text
from explorer.runs.info import LATEST, LIVE_STATES, is_recent
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
        begun = [name for name in self.configs if os.path.isfile(self.path / name / "run.json")]
        return {name: self.member(name) for name in begun}

    def states(self) -> dict[str, str]:
        """Return each member's state, "missing" for one that has not begun."""
        return {member.name: member.state for member in self.progress()}

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
        waits = self.kind == "sweep" and "missing" in states
        return waits and any(map(is_recent, [self.created, *(m.heartbeat for m in progress)]))


def _look_at(path: Path) -> MemberProgress:
    try:
        info = Run(path).info
    except ExplorerError:  # Not begun, removed by hand, or not readable.
        return MemberProgress(path.name)
    status = info.status
    step = info.planned_steps if status.state == "finished" and info.planned_steps else status.step
    return MemberProgress(
        path.name, status.shown_state(), step, info.planned_steps, status.message, status.heartbeat
    )


def open_sweep(name_or_path: str | os.PathLike[str]) -> Sweep:
    """Open a sweep of the default runs folder by name, else a shipped one, or a path."""
    found = find_sweep(name_or_path)
    if found is None:
        raise ExplorerError(f"There is no sweep {os.fspath(name_or_path)!r}.")
    return found


def find_sweep(name_or_path: str | os.PathLike[str]) -> Sweep | None:
    """Return the same, None where there is none."""
    text = os.fspath(name_or_path)
    for path in (runs_folder() / text, resource("pretrained") / text, Path(text)):
        if os.path.isfile(path / "sweep.json"):
            return read_sweep(path)
    return None


def read_sweep(path: Path) -> Sweep:
    """Read the sweep at `path`; an unknown schema is an ExplorerError."""
    where = path / "sweep.json"
    unreadable = f"{where} cannot be read as a sweep"
    try:
        fields = Fields(read_json(where))
        if fields.any("schema") != SCHEMA or fields.any("kind") not in KINDS:
            raise ExplorerError(f"{where} was written by another version.")
        members = fields.part("members")
        for name in members:
            if not _is_folder_name(name):
                raise WrongField(members.path(name[:80]))
        configs = {name: Config.from_dict(members.any(name)) for name in members}
        if not configs:
            raise WrongField("members")
        created = fields.number("created", 0, LATEST)
        return Sweep(path, fields.text("kind"), configs, created, path.name)
    except WrongField as error:
        raise ExplorerError(f"{unreadable}: {error} is missing or not what it must be.") from error
    except (TypeError, RecursionError) as error:
        raise ExplorerError(f"{unreadable}.") from error


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
    if wrong := [name for name in configs if not _is_folder_name(name)]:
        raise ExplorerError(f"{wrong[0]!r} cannot be the name of a member's folder.")
    try:
        if path.is_file():
            raise ExplorerError(f"{path} is a file; a sweep needs a folder.")
        if (path / "sweep.json").is_file():
            if overwrite:
                if any(Run(found.parent).is_trained() for found in path.glob("*/run.json")):
                    raise ExplorerError(f"{path} is being trained right now; stop that job first.")
                shutil.rmtree(path)
            else:
                earlier = read_sweep(path)
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


def _is_folder_name(name: str) -> bool:
    """Tell the name of a folder from a path."""
    return name not in ("", ".", "..") and is_text(name, 80) and not set(name) & set("/\\\0")


def find_grid(configs: Iterable[Config]) -> dict[str, list[Any]]:
    """Return the values of each field in which the configs differ, by the field's own name.

    >>> from explorer.config import Config
    >>> find_grid([Config(seed=1), Config(seed=2)])
    {'seed': [1, 2]}
    """
    flat = [config.by_field() for config in configs]
    return {
        name.rpartition(".")[2]: list(dict.fromkeys(values[name] for values in flat))
        for name in flat[0]
        if len({repr(values[name]) for values in flat}) > 1
    }


def find_places(configs: Sequence[Config]) -> tuple[dict[str, list[Any]], list[list[int]]]:
    """Return the grid of configs, β first and numbers ascending, and each config's places in it.

    >>> find_places([Config(seed=4), Config(seed=1)])
    ({'seed': [1, 4]}, [[1], [0]])
    """
    found = find_grid(configs)
    grid = {name: found[name] for name in sorted(found, key=lambda name: name != "beta")}
    for values in grid.values():
        if all(isinstance(value, int | float) for value in values):
            values.sort()
    places = []
    for config in configs:
        own = {name.rpartition(".")[2]: value for name, value in config.by_field().items()}
        places.append([grid[name].index(own[name]) for name in grid])
    return grid, places
