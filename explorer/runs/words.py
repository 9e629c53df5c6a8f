"""A run in a few lines of plain words, as the command line and `print(run)` show it."""

from collections.abc import Mapping
from typing import Any

from explorer.runs.fields import is_number, is_text
from explorer.runs.info import RunInfo


def describe_result(result: Mapping[str, Any]) -> str:
    """Return ELBO, reconstruction and KL in words; no ELBO where the model has no KL."""
    if "reconstruction" not in result:  # Of a loop of the user's own.
        return "no figures of ours"
    reconstruction = f"reconstruction {result['reconstruction']:.2f}"
    if "kl" not in result or "elbo" not in result:
        return f"{reconstruction} nats per image, no KL"
    return f"ELBO {result['elbo']:.2f} = −({reconstruction} + KL {result['kl']:.2f}) nats per image"


def describe_run(name: str, info: RunInfo) -> str:
    """Return a run's figures; of an adopted model also its reading, its self-test and its β."""
    split = info.best_split
    figures = describe_result(info.best_results) + (f" on {split}" if split else "")
    lines = [f"{name}: {figures}"]
    if info.model.adopted is not None:
        lines += describe_adopted(info.model.adopted)
    return "\n".join(lines)


def describe_adopted(adopted: Mapping[str, Any]) -> list[str]:
    """Return how a foreign model was read, what its self-test found, and its β, a line each.

    What is no number and no word is left out: anybody may have written it.
    """
    entered, beta = _table(adopted.get("input")), _table(adopted.get("beta"))
    implied, report = _table(beta.get("implied")), _table(adopted.get("report"))
    found = report.get("findings")
    findings = [name for name in found if is_text(name)] if isinstance(found, list) else None
    told, value = beta.get("told"), implied.get("beta")
    by_weights = f"{value:.3g}" if is_number(value) else "cannot be told"
    known = f"told {told:g}; " if is_number(told) else ""
    lines = [
        f"read as: input {entered.get('layout')} × {entered.get('scale')} + "
        f"{entered.get('shift')}, heads {adopted.get('heads')}, spread {adopted.get('spread')}, "
        f"output {adopted.get('output')}",
    ]
    if findings is not None:
        lines.append("self-test: " + (", ".join(findings) or "nothing speaks against it"))
    return [*lines, f"β: {known}by its weights {by_weights}"]


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
