"""The cure of a model that was made elsewhere, tried here: a network of ours in its place.

Its own training cannot be repeated here, but its task can: the same images, likelihood and number
of latents, with the β that the thresholds ask for. The thresholds are of the images and the
likelihood alone, so that latents which wake in the one should wake in the other.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from explorer.analysis.consultation.prescription import (
    Change,
    Prescription,
    aim_beta,
    main_cause,
    read_thresholds,
)
from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig
from explorer.errors import ExplorerError
from explorer.facts import LIKELIHOODS
from explorer.runs.run import Run

STAND_IN = "stand-in"
HIDDEN = (256, 128)
SECONDS = 40.0


def make_stand_in(run: Run, beta: float) -> Config | None:
    """Return the training of a network of ours for an adopted run's task, None where it has none.

    Its images, likelihood and number of latents are the run's.
    """
    info = run.info
    told, images = info.model.likelihood, info.dataset
    if info.model.adopted is None or not info.has_shares or images is None:
        return None
    if told is None or told.name not in LIKELIHOODS:
        return None
    known = {"sigma2": told.sigma2, "binarise": told.binarise}
    given: dict[str, Any] = {name: value for name, value in known.items() if value is not None}
    try:
        return Config(
            dataset=images.name,
            # Images that were brought with a model have no split of their own.
            split="all" if set(info.results) <= {"all"} else "train",
            model=ModelConfig(
                hidden=HIDDEN, latent_dim=info.latent_dim, likelihood=told.name, **given
            ),
            objective=ObjectiveConfig(beta=beta),
            budget=BudgetConfig(seconds=SECONDS),
        )
    except ExplorerError:
        return None


def prescribe_elsewhere(run: Run, diagnosis: Mapping[str, Any], beta: float) -> Prescription | None:
    """Return the stand-in for an adopted run that was trained with `beta`, too large a one.

    None where another cause is at work, or the thresholds ask for no smaller β. `diagnosis` is what
    `Diagnosis.to_dict` writes.
    """
    cause, thresholds = main_cause(diagnosis), read_thresholds(diagnosis)
    if cause is None or cause["code"] != "objective" or not thresholds.values:
        return None
    target = aim_beta(thresholds.values)
    config = make_stand_in(run, target) if target < beta else None
    if config is None:
        return None
    network = f"{config.model.network} {'-'.join(map(str, config.model.hidden))}"
    changes = (Change("objective.beta", beta, target), Change("stand_in", None, network))
    return Prescription(STAND_IN, config, changes, thresholds.awake_at(target))


def is_stand_in(run: Run, config: Config) -> bool:
    """Tell whether a training is a stand-in for an adopted run, whatever its β."""
    wanted = make_stand_in(run, config.objective.beta)
    return wanted is not None and dataclasses.replace(config, device=wanted.device) == wanted
