"""Cures for posterior collapse: each a function from a config to the config that tries it.

Three kinds, because they differ in what they can do. objective: another optimum is asked for.
model: other posteriors or decoders are possible. path: the optimum stays, the way to it changes,
which helps only where collapse is a failure of optimisation.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.facts import LATENTS, LIKELIHOODS, LikelihoodFacts

KINDS = ("objective", "model", "path")


@dataclass(frozen=True)
class Remedy:
    """What kind of change it is, and the change itself."""

    kind: str
    change: Callable[[Config], Config]

    def fits(self, config: Config) -> bool:
        """Tell whether it can be tried on this config and is not what the config does already."""
        try:
            return self.apply(config) != config
        except ExplorerError:
            return False

    def apply(self, config: Config) -> Config:
        """Return the config with the remedy; ExplorerError where it does not go with the rest."""
        if not LATENTS[config.model.latent].has_density:
            raise ExplorerError("A plain autoencoder has no posterior that could collapse.")
        if config.method != "gradient":
            raise ExplorerError("A fitted model is at its optimum: there is nothing to cure.")
        return self.change(config)


def _objective(config: Config, **changes: object) -> Config:
    # Floors and targets exclude each other: the remedy takes the place of another one.
    plain = dataclasses.replace(config.objective, free_bits=0.0, free_bits_total=0.0, capacity=0.0)
    objective = dataclasses.replace(plain, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(config, objective=objective)


def _model(config: Config, **changes: object) -> Config:
    model = dataclasses.replace(config.model, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(config, model=model)


def _facts(config: Config) -> LikelihoodFacts:
    return LIKELIHOODS[config.model.likelihood]


def _free_sigma(config: Config, likelihood: str) -> Config:
    if not likelihood:
        raise ExplorerError("σ can be learned where the decoder is Gaussian with one σ.")
    # ln σ² moves by at most the learning rate at each update: it must not start far away.
    return _model(config, likelihood=likelihood, sigma2=min(config.model.sigma2, 0.1))


def _set_capacity(config: Config) -> Config:
    # 2.5 nats per dimension, at most the 25 of Burgess et al. 2018; it rises over half the plan.
    target = min(25.0, 2.5 * config.model.latent_dim)
    return _objective(config, capacity=target, schedule="linear", warmup=0.5)


def _encode_harder(config: Config) -> Config:
    optimiser = dataclasses.replace(config.optimiser, inner_steps=30)
    return dataclasses.replace(config, optimiser=optimiser)


REMEDIES: dict[str, Remedy] = {
    "lower-beta": Remedy("objective", lambda c: _objective(c, beta=c.objective.beta / 4)),
    "free-bits": Remedy("objective", lambda c: _objective(c, free_bits=0.1)),
    "free-bits-total": Remedy(
        "objective", lambda c: _objective(c, free_bits_total=0.1 * c.model.latent_dim)
    ),
    "capacity": Remedy("objective", _set_capacity),
    "learned-sigma": Remedy("objective", lambda c: _free_sigma(c, _facts(c).learned)),
    "optimal-sigma": Remedy("objective", lambda c: _free_sigma(c, _facts(c).optimal)),
    "posterior-cap": Remedy("model", lambda c: _model(c, posterior_cap=0.5)),
    "mean-norm": Remedy("model", lambda c: _model(c, mean_norm=0.5)),
    "skip": Remedy("model", lambda c: _model(c, skip=True)),
    "warm-up": Remedy("path", lambda c: _objective(c, schedule="linear", warmup=0.5)),
    "cyclical": Remedy("path", lambda c: _objective(c, schedule="cyclical", cycles=4, warmup=0.5)),
    "encoder-first": Remedy("path", _encode_harder),
}


def apply_remedy(name: str, config: Config) -> Config:
    """Return `config` with the remedy of this name, seed and budget unchanged."""
    if name not in REMEDIES:
        raise ExplorerError(f"There is no remedy {name!r}: choose {', '.join(REMEDIES)}.")
    return REMEDIES[name].apply(config)
