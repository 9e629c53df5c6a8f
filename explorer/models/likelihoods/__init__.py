"""Likelihoods p(x|z), one file a family: each answers for itself all that the others ask."""

from collections.abc import Callable

from explorer.config import ModelConfig
from explorer.models.likelihoods.base import (
    LOG_2PI,
    LOGVAR_FLOOR,
    Likelihood,
    bound_below,
    unbound_below,
)
from explorer.models.likelihoods.bernoulli import BernoulliLikelihood
from explorer.models.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from explorer.models.likelihoods.discretized_logistic import DiscretizedLogisticLikelihood
from explorer.models.likelihoods.gaussian import (
    GaussianDiagonalLikelihood,
    GaussianLikelihood,
    GaussianOptimalLikelihood,
    GaussianPixelLikelihood,
)
from explorer.models.likelihoods.laplace import LaplaceLikelihood

__all__ = [
    "LIKELIHOODS",
    "LOGVAR_FLOOR",
    "LOG_2PI",
    "Likelihood",
    "bound_below",
    "build_likelihood",
    "unbound_below",
]

Shape = tuple[int, int, int]

LIKELIHOODS: dict[str, Callable[[ModelConfig, Shape], Likelihood]] = {
    "bernoulli": lambda c, _: BernoulliLikelihood(c.likelihood, binarise=c.binarise),
    "continuous-bernoulli": lambda c, _: ContinuousBernoulliLikelihood(c.likelihood),
    "gaussian": lambda c, _: GaussianLikelihood(c.likelihood, c.sigma2, learned=False),
    "gaussian-learned": lambda c, _: GaussianLikelihood(c.likelihood, c.sigma2, learned=True),
    "gaussian-optimal": lambda c, _: GaussianOptimalLikelihood(c.likelihood, c.sigma2),
    "gaussian-diagonal": lambda c, s: GaussianDiagonalLikelihood(c.likelihood, c.sigma2, s),
    "gaussian-pixel": lambda c, _: GaussianPixelLikelihood(c.likelihood),
    "laplace": lambda c, _: LaplaceLikelihood(c.likelihood, c.sigma2),
    "discretized-logistic": lambda c, _: DiscretizedLogisticLikelihood(c.likelihood, c.sigma2),
}
"""What builds each from a config and the images' shape (C, H, W); the browser knows the same."""


def build_likelihood(config: ModelConfig, shape: Shape) -> Likelihood:
    """Return the likelihood that the config names, for images of `shape` (C, H, W)."""
    return LIKELIHOODS[config.likelihood](config, shape)
