"""A run as a row of the desk: its figures, what tells it from others, what can be done with it."""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from explorer.analysis.collapse.moved_beta import describe_beta
from explorer.app.cached.desk import get_trace
from explorer.app.parts.names import name_likelihood, name_with_beta
from explorer.app.session import library
from explorer.app.text import text
from explorer.runs.apart import list_settings, tell_apart
from explorer.runs.info import RunInfo
from explorer.runs.run import Run

SETTINGS = (
    "dataset", "network", "hidden", "activation", "latent_dim", "latent", "likelihood", "sigma2",
    "prior", "beta", "schedule", "free_bits", "capacity", "batch_size", "learning_rate", "seconds",
    "steps", "epochs", "seed",
)  # fmt: skip
"""Fields of a config that have a name in words."""
UNFINISHED = ("interrupted", "stopped", "failed")
MOST_NOTED = 4
"""So many settings stand below a name."""


def list_rows(runs: Sequence[Run], wanted: Collection[str]) -> list[dict[str, Any]]:
    """Return a row for each run; the logs of those in `wanted` are read for it."""
    infos = [run.info for run in runs]
    apart = tell_apart(
        [(run.name, list_settings(info)) for run, info in zip(runs, infos, strict=True)]
    )
    return [
        _describe(run, info, differing, run.id in wanted)
        for run, info, differing in zip(runs, infos, apart, strict=True)
    ]


def _describe(
    run: Run, info: RunInfo, differing: Mapping[str, Any], is_read: bool
) -> dict[str, Any]:
    own = library().is_own(run)
    state = info.status.shown_state()
    figures, split, curve = dict(info.best_results), "", None
    # A β that a hand moved is in the log of what trains, and of what an older version trained.
    beta = describe_beta(run) if is_read or "beta" in info.timing else _plan(info)
    if is_read:
        trace = get_trace(run)
        curve = list(trace.curve)
        if "reconstruction" not in figures:
            figures = dict(trace.figures)
            split = text(f"runs.split.{trace.split}") if figures else ""
    has_elbo = {"elbo", "kl"} <= set(figures)
    return {
        "id": run.id,
        "name": name_with_beta(run.name, beta),
        "note": _note(run, differing),
        "tags": list(run.tags),
        "kind": text("runs.kind.own" if own else "runs.kind.pretrained"),
        "own": own,
        "images": info.dataset.name if info.dataset else "",
        "latents": info.latent_dim,
        "likelihood": name_likelihood(info),
        "beta": beta or "" if info.has_density else "",
        "weight": info.beta if info.has_density else None,
        "state": text("state." + state),
        "live": info.status.is_alive(),
        "elbo": -figures["elbo"] if has_elbo else None,
        "reconstruction": figures.get("reconstruction"),
        "kl": figures.get("kl"),
        "split": split,
        "created": info.created,
        "made": time.strftime("%Y-%m-%d %H:%M", time.localtime(info.created)),
        "curve": curve,
        "acts": list_acts(run, info, state),
    }


def _plan(info: RunInfo) -> str | None:
    return None if info.beta is None else f"{info.beta:g}"


def _note(run: Run, differing: Mapping[str, Any]) -> str:
    """Return what tells a run from those of its name, its id where nothing does."""
    told = [describe_setting(field, value) for field, value in differing.items()]
    if not told:
        return run.id if run.id != run.name else ""
    more = [text("runs.more", count=len(told) - MOST_NOTED)] if len(told) > MOST_NOTED else []
    return " · ".join([*told[:MOST_NOTED], *more])


def describe_setting(field: str, value: object) -> str:
    """Return a setting with its value, such as "β 4"."""
    return f"{name_setting(field)} {print_setting(value)}"


def name_setting(field: str) -> str:
    """Return what a field of a config is called; its own name where the catalogue has none."""
    name = field.rpartition(".")[2]
    return text(f"runs.setting.{name}") if name in SETTINGS else name.replace("_", " ")


def print_setting(value: object) -> str:
    """Return a setting's value as it is read."""
    if value is None:
        return "–"
    if isinstance(value, tuple | list):
        return "-".join(map(print_setting, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def list_acts(run: Run, info: RunInfo, state: str) -> list[str]:
    """Return what can be done with a run, in the order of its buttons."""
    has_codes = os.path.isfile(run.path / "codes.npz")
    acts = []
    if info.has_model and has_codes:
        acts.append("explore" if info.is_continuous else "codebook")
    if info.has_shares and has_codes:
        acts.append("diagnose")
    if info.config is not None and state in UNFINISHED and library().is_own(run):
        acts.append("go_on")
    else:
        acts.append("watch")
    if info.has_shares and has_codes:
        acts.append("report")
    return acts
