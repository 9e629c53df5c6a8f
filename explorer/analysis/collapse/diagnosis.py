"""What a diagnosis says: one record per dimension, one for the model, both ready for JSON."""

from dataclasses import dataclass
from typing import Any

from explorer.analysis.checks import Record, plain
from explorer.analysis.codes_in.told import Told
from explorer.analysis.collapse.causes import Cause
from explorer.analysis.representation.information import Information


@dataclass(frozen=True)
class Dimension(Record):
    """One latent dimension; nats per image, `*_error` standard errors.

    `var_mean` is Var_x(μ_i), `mean_var` E_x[σ_i²]; at an optimum they add up to 1
    (`total_variance`). `silent_fraction` is the share of images with KL_i < ε; the dimension is
    (ε, δ)-collapsed where it is at least 1 − δ. `variable_type` is passive in that case, active
    where at most δ of the images are silent, else mixed (after Bonheme and Grzes 2021).
    """

    index: int
    kl: float
    kl_error: float
    var_mean: float
    var_mean_error: float
    mean_var: float
    total_variance: float
    mutual_information: float
    mutual_information_error: float
    dimension_wise_kl: float
    silent_fraction: float
    variable_type: str
    aggregate_mean: float
    sensitivity: float | None
    shuffle: float | None
    shuffle_error: float | None
    verdict: str
    confidence: float
    reasons: tuple[str, ...]
    cause: str | None


@dataclass(frozen=True)
class Diagnosis:
    """The whole model: the dimensions, the rate's split and what may be the cause.

    `active_units` counts Var_x(μ_i) > 0.01 (Burda et al. 2015); `in_use` the verdicts active,
    weak and mixed. `effective_dimensions` is exp(−Σ p_i ln p_i) with p_i = KL_i/R, between 0 (no
    dimension in use) and K. `state` is healthy (all in use), partial, collapsed (none) or
    uncertain.
    """

    dimensions: tuple[Dimension, ...]
    information: Information
    active_units: int
    in_use: int
    effective_dimensions: float
    effective_dimensions_error: float
    state: str
    causes: tuple[Cause, ...]
    images: int
    epsilon: float
    delta: float
    beta: float | None
    told: tuple[Told, ...] = ()
    """What must be said above the verdicts."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values; the keys are part of the command line's contract."""
        information = self.information
        return plain(
            {
                "state": self.state,
                "active_units": self.active_units,
                "in_use": self.in_use,
                "latent_dim": len(self.dimensions),
                "effective_dimensions": self.effective_dimensions,
                "effective_dimensions_error": self.effective_dimensions_error,
                "rate": information.rate,
                "rate_error": information.rate_error,
                "mutual_information": information.mutual_information,
                "mutual_information_error": information.mutual_information_error,
                "mutual_information_ceiling": information.ceiling,
                "mutual_information_saturated": information.saturated,
                "total_correlation": information.total_correlation,
                "total_correlation_error": information.total_correlation_error,
                "dimension_wise_kl": information.dimension_wise_kl,
                "dimension_wise_kl_error": information.dimension_wise_kl_error,
                "marginal_kl": information.marginal_kl,
                "images": self.images,
                "epsilon": self.epsilon,
                "delta": self.delta,
                "beta": self.beta,
                "told": [told.to_dict() for told in self.told],
                "causes": [cause.to_dict() for cause in self.causes],
                "dimensions": [dimension.to_dict() for dimension in self.dimensions],
            }
        )
