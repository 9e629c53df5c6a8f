"""The remedy for a cause, with all that it changes against what was really used.

It starts from the β that the run had at its end, moved by hand or not, and takes the new one from
the thresholds λ of the wake-up rule: a round β below half of the one at which the last latent
wakes, where that latent would carry ½ ln(λ/β) > ½ ln 2 nats at the linear optimum, and so more
signal than noise. It is never below 1, the ELBO itself, where 1 does that for a first latent.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.analysis.collapse.moved_beta import find_beta
from explorer.config import Config
from explorer.runs.run import Run
from explorer.training.remedies import REMEDIES, apply_remedy

LOWER = "lower-beta"
ROOM = 0.5
"""Of a threshold, at and close to which a latent that wakes carries next to nothing."""
FOR_CAUSE = {
    "encoder_lags": ("encoder-first", "warm-up"),
    "decoder_ignores": ("warm-up", "encoder-first"),
    "written_not_read": ("skip", "warm-up"),
}
"""The first of them that fits is prescribed; for `objective` see `choose_remedy`."""
SIGMAS = ("optimal-sigma", "learned-sigma")


@dataclass(frozen=True)
class Thresholds:
    """β's below which a first, second, … latent wakes, descending; empty where no rule is known.

    `at_collapse` says that they are of all latents, from the collapsed point; else there is one, of
    the best further direction beside those that are in use.
    """

    values: tuple[float, ...] = ()
    at_collapse: bool = False

    def awake_at(self, beta: float) -> int | None:
        """Return how many latents are expected awake at β, None where that is not known."""
        return sum(value > beta for value in self.values) if self.at_collapse else None


@dataclass(frozen=True)
class Change:
    """One thing that differs between what was used and what will be.

    `name` is a field of the config, such as "model.sigma2", or "beta_moved" (β was moved by hand
    at training and will be constant) or "steps" (training was ended before its plan, and will run
    through it).
    """

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Prescription:
    """A remedy, the config that tries it, and every change against what was used.

    `expected` says how many latents the rule expects awake at a lower β, None where none tells.
    """

    remedy: str
    config: Config
    changes: tuple[Change, ...]
    expected: int | None

    @property
    def beta(self) -> float:
        """β of the training that is prescribed."""
        return self.config.objective.beta

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "remedy": self.remedy,
            "beta": self.beta,
            "changes": [vars(change) for change in self.changes],
            "expected": self.expected,
        }


def prescribe(run: Run, diagnosis: Mapping[str, Any]) -> Prescription | None:
    """Return the best remedy for a run's cause, None where none is known or nothing can be trained.

    `diagnosis` is what `Diagnosis.to_dict` writes.
    """
    cause = main_cause(diagnosis)
    if cause is None or not run.info.is_trained_here:
        return None
    thresholds = read_thresholds(diagnosis)
    name = choose_remedy(run, cause["code"], thresholds)
    return None if name is None else treat(run, name, thresholds)


def treat(run: Run, name: str, thresholds: Thresholds | None = None) -> Prescription | None:
    """Return what a remedy does to a run, from the β that was really used; None where it cannot.

    A lower β is taken from the thresholds, and is a quarter of the old one where none is known.
    """
    used = used_config(run)
    if used is None or not REMEDIES[name].fits(used):
        return None
    config = apply_remedy(name, used)
    expected = None
    if name == LOWER and thresholds is not None and thresholds.values:
        target = aim_beta(thresholds.values)
        if not target < used.objective.beta:
            return None
        objective = dataclasses.replace(config.objective, beta=target)
        config = dataclasses.replace(config, objective=objective)
        expected = thresholds.awake_at(target)
    changes = (*_list_differences(used, config), *_list_circumstances(run))
    return Prescription(name, config, changes, expected)


def used_config(run: Run) -> Config | None:
    """Return a run's config with the β that it really had at its end."""
    config, beta = run.info.config, find_beta(run)
    if config is None or beta is None:
        return None
    objective = dataclasses.replace(config.objective, beta=beta.now)
    return dataclasses.replace(config, objective=objective)


def list_treatments(run: Run) -> dict[str, Config]:
    """Return the config that each fitting remedy makes of a run's, a lower β still a quarter."""
    used = used_config(run)
    if used is None:
        return {}
    return {
        name: apply_remedy(name, used) for name, remedy in REMEDIES.items() if remedy.fits(used)
    }


def recognise(treatments: Mapping[str, Config], beta: float, config: Config) -> str | None:
    """Return the remedy that a config is of, None for none; `beta` is what was used before.

    A lower β is one whatever it was aimed at.
    """
    for name, wanted in treatments.items():
        if name == LOWER and config.objective.beta < beta:
            objective = dataclasses.replace(wanted.objective, beta=config.objective.beta)
            wanted = dataclasses.replace(wanted, objective=objective)
        if config == wanted:
            return name
    return None


def choose_remedy(run: Run, cause: str, thresholds: Thresholds) -> str | None:
    """Return the remedy for a cause; the objective's is another σ² where even β = 1 is too much."""
    used = used_config(run)
    if used is None:
        return None
    if cause != "objective":
        return next((name for name in FOR_CAUSE[cause] if REMEDIES[name].fits(used)), None)
    too_much = bool(thresholds.values) and aim_beta(thresholds.values) < 1
    wanted = (*SIGMAS, LOWER) if too_much else (LOWER,)
    return next((name for name in wanted if REMEDIES[name].fits(used)), None)


def aim_beta(thresholds: Sequence[float]) -> float:
    """Return the β to train with, from the thresholds at which latents wake, descending.

    >>> aim_beta([3.86, 3.41]), aim_beta([30.0, 23.1, 8.2]), aim_beta([0.0225, 0.021])
    (1.0, 4.0, 0.01)
    """
    first, last = ROOM * thresholds[0], ROOM * thresholds[-1]
    if first > 1:
        return 1.0 if last <= 1 else max(1.0, round_below(last))
    return round_below(max(last, first / 4))


def round_below(value: float) -> float:
    """Return the largest number of one digit below a positive value.

    >>> round_below(3.41), round_below(3.0), round_below(0.0225), round_below(1.0)
    (3.0, 2.0, 0.02, 0.9)
    """
    unit = 10.0 ** math.floor(math.log10(value))
    digits = math.ceil(value / unit) - 1
    found = digits * unit if digits else 0.9 * unit
    return float(f"{found:.1g}")


def main_cause(diagnosis: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the cause that explains the most dimensions, None where none is known."""
    causes = diagnosis.get("causes") or []
    return max(causes, key=lambda cause: len(cause["dimensions"]), default=None)


def read_thresholds(diagnosis: Mapping[str, Any]) -> Thresholds:
    """Return β's below which latents wake, from a diagnosis's causes.

    Of a collapsed model they are those of the collapsed point, where its likelihood has a rule
    there; else the one of the best further direction as the model stands.
    """
    for cause in diagnosis.get("causes") or []:
        evidence = cause["evidence"]
        whole = [] if diagnosis.get("in_use") else evidence.get("thresholds_at_collapse") or []
        known = whole or [evidence.get("top_eigenvalue_now") or 0.0]
        positive = sorted((float(value) for value in known if value > 0), reverse=True)
        if positive:
            return Thresholds(tuple(positive), bool(whole))
    return Thresholds()


def _list_differences(used: Config, config: Config) -> list[Change]:
    before, after = used.by_field(), config.by_field()
    return [
        Change(name, before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value
    ]


def _list_circumstances(run: Run) -> list[Change]:
    """Return what was different about the way a run was trained, and will not be."""
    found, beta, info = [], find_beta(run), run.info
    if beta is not None and beta.is_moved:
        found.append(Change("beta_moved", beta.planned, beta.now))
    planned, step = info.planned_steps, info.status.step
    if planned and step < planned:
        found.append(Change("steps", step, planned))
    return found
