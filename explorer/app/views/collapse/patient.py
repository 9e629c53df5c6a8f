"""Whom the Collapse page judges: a run, with what was found on it."""

from dataclasses import dataclass
from typing import Any

from explorer.runs.run import Run


@dataclass(frozen=True)
class Patient:
    """A run and its diagnosis, as `explorer.analysis.collapse.Diagnosis.to_dict` writes it."""

    run: Run
    values: dict[str, Any]
