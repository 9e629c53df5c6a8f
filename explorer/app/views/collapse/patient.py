"""Whom the Collapse page judges: a run, with what was found on it and the answer."""

from dataclasses import dataclass
from typing import Any

from explorer.analysis.consultation.consult import Consultation
from explorer.runs.run import Run


@dataclass(frozen=True)
class Patient:
    """A run, its diagnosis as `Diagnosis.to_dict` writes it, and its consultation."""

    run: Run
    values: dict[str, Any]
    found: Consultation
