"""How a run's codes, or anyone's, tell the known factors of their items: the four scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.analysis.checks import Floats, as_array, plain
from explorer.analysis.codes_in.result import CodesIn
from explorer.analysis.representation.disentanglement import (
    Disentanglement,
    factor_matrix,
    score_disentanglement,
)
from explorer.codes import Codes
from explorer.errors import ExplorerError

MOST_ITEMS = 2000
"""Items that are scored, evenly spread over those that are there."""
MOST_FACTORS = 20
MOST_WORDS = 100
NO_FACTORS = (
    "There are no known factors: they come with the images (colour-shapes, strokes, shapes, or "
    "columns of your own), or as columns beside the codes."
)


@dataclass(frozen=True)
class FactorScores:
    """The scores, the factors' names in order, and how many items they are of."""

    scores: Disentanglement
    names: tuple[str, ...]
    items: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; `factors` says of each which codes tell most of it, in nats."""
        return plain(
            {
                **self.scores.to_dict(),
                "factors": [vars(one) for one in self.told],
                "names": self.names,
                "images": self.items,
            }
        )

    @property
    def told(self) -> tuple["ToldFactor", ...]:
        """What each factor is told by: the best code and the second, by mutual information."""
        return tuple(
            _tell(name, self.scores.mutual_information[:, place])
            for place, name in enumerate(self.names)
        )


@dataclass(frozen=True)
class ToldFactor:
    """A factor, the code (from 0) that tells most of it, and the next; nats."""

    name: str
    best: int
    nats: float
    second: int | None
    second_nats: float


def score_factors(
    mean: ArrayLike, factors: Mapping[str, NDArray[Any]], *, seed: int = 0
) -> FactorScores:
    """Return MIG, SAP, FactorVAE and DCI of means (N, K) for factors (N,) by name.

    Left out is a factor that does not vary, is not known of every item, or has more than 100
    words. ExplorerError where none is left.
    """
    z = as_array(mean)
    chosen = np.linspace(0, len(z) - 1, min(len(z), MOST_ITEMS)).astype(np.int64)
    usable = {name: np.asarray(values)[chosen] for name, values in factors.items()}
    usable = {name: values for name, values in usable.items() if _is_usable(values)}
    if not usable:
        raise ExplorerError(NO_FACTORS)
    values, names, categorical = factor_matrix(dict(list(usable.items())[:MOST_FACTORS]))
    scores = score_disentanglement(z[chosen], values, categorical=categorical, seed=seed)
    return FactorScores(scores, names, len(chosen))


def score_run_factors(
    codes: Codes, factors: Mapping[str, NDArray[Any]], *, seed: int = 0
) -> FactorScores:
    """Return the scores of a run's codes; `factors` have a value per image of its data set."""
    known = {
        name: np.asarray(values)[codes.ids]
        for name, values in factors.items()
        if len(values) > codes.ids.max(initial=0) and codes.ids.min(initial=0) >= 0
    }
    return score_factors(codes.mean, known, seed=seed)


def score_codes_factors(codes: CodesIn, *, seed: int = 0) -> FactorScores:
    """Return the scores of codes from a file, for the columns beside them."""
    columns = dict(codes.columns)
    if codes.labels is not None and len(codes.class_names) > 1:
        columns = {"class": np.asarray(codes.class_names)[codes.labels], **columns}
    return score_factors(codes.mean, columns, seed=seed)


def _is_usable(values: NDArray[Any]) -> bool:
    if values.dtype.kind in "USO":
        return 1 < len(np.unique(values.astype(str))) <= MOST_WORDS
    numbers: Floats = values.astype(np.float64)
    return bool(np.isfinite(numbers).all()) and float(np.ptp(numbers)) > 0


def _tell(name: str, nats: Floats) -> ToldFactor:
    order = np.argsort(nats)[::-1]
    second = int(order[1]) if len(order) > 1 else None
    second_nats = 0.0 if second is None else float(nats[second])
    return ToldFactor(name, int(order[0]), float(nats[order[0]]), second, second_nats)
