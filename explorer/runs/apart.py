"""Which settings tell runs apart: of those that are called alike, and of those side by side."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.runs.info import RunInfo

Settings = Mapping[str, Any]
UNTOLD = {"budget.seconds", "budget.steps", "budget.epochs", "device", "method", "split"}
"""Fields of a config that make no other model of it, or that a longer look would find."""
_NUMBERED = re.compile(r" \(\d+\)$")


def list_settings(info: RunInfo) -> dict[str, Any]:
    """Return what a run was told, by field of its config such as "objective.beta".

    Of a run without a config it is what is known of its model.
    """
    if info.config is not None:
        return dict(_flatten(info.config.to_dict()))
    stated = info.model.likelihood
    known = {
        "dataset": info.dataset.name if info.dataset else None,
        "model.latent_dim": info.latent_dim,
        "model.latent": info.latent_kind,
        "model.likelihood": stated.name if stated else None,
        "objective.beta": info.beta,
    }
    return {name: value for name, value in known.items() if value is not None}


def _flatten(values: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        found += (
            _flatten(value, f"{above}{name}.")
            if isinstance(value, Mapping)
            else [(above + name, tuple(value) if isinstance(value, list) else value)]
        )
    return found


def find_differences(runs: Sequence[Settings], *, all_fields: bool = True) -> list[str]:
    """Return the fields in which runs differ, in the order of the first run's config.

    Without `all_fields` those are left out that make no other model, such as the time budget.
    """
    fields = dict.fromkeys(name for settings in runs for name in settings)
    return [
        name
        for name in fields
        if (all_fields or name not in UNTOLD) and len({settings.get(name) for settings in runs}) > 1
    ]


def tell_apart(runs: Sequence[tuple[str, Settings]]) -> list[dict[str, Any]]:
    """Return for each run, given by name and settings, what tells it from those called alike.

    Runs are called alike whose names differ by their number alone: "digits" and "digits (2)".
    """
    alike: dict[str, list[Settings]] = defaultdict(list)
    for name, settings in runs:
        alike[_NUMBERED.sub("", name)].append(settings)
    differing = {stem: find_differences(group, all_fields=False) for stem, group in alike.items()}
    return [
        {
            field: settings[field]
            for field in differing[_NUMBERED.sub("", name)]
            if settings.get(field) is not None
        }
        for name, settings in runs
    ]
