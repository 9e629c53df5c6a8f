"""Disentanglement of codes where the generating factors are known: MIG, SAP, FactorVAE, DCI.

Codes (N, K) are posterior means; factors (N, F) hold one column per known factor. All scores lie
between 0 and 1, higher is better, and each needs factors that vary. Known answers: an identity
code scores ≥ 0.9 on all four, a duplicated code ≤ 0.1 on MIG and ≤ 0.2 on SAP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.analysis.checks import Floats, Record, as_array, plain
from explorer.errors import ExplorerError

BINS = 20
SMALLEST_GROUP = 20
"""Fewer images with one value of a factor would vary too little in everything else."""
CATEGORICAL = ("class", "shape")
"""Names of factors without an order."""
FEWEST_IMAGES = 100


@dataclass(frozen=True)
class DCI(Record):
    """Disentanglement, completeness, informativeness (Eastwood and Williams 2018), 0 to 1.

    `importance` (K, F) is how much code i helps to predict factor j.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: Floats


@dataclass(frozen=True)
class Disentanglement:
    """All four scores of one set of codes, and the matrices behind two of them.

    `mutual_information` (K, F) in nats between binned code and factor.
    """

    mig: float
    sap: float
    factor_vae: float
    dci: DCI
    mutual_information: Floats

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return plain(
            {
                "mig": self.mig,
                "sap": self.sap,
                "factor_vae": self.factor_vae,
                "dci_disentanglement": self.dci.disentanglement,
                "dci_completeness": self.dci.completeness,
                "dci_informativeness": self.dci.informativeness,
                "mutual_information": self.mutual_information,
                "importance": self.dci.importance,
            }
        )


def score_disentanglement(
    codes: ArrayLike, factors: ArrayLike, *, categorical: Sequence[int] = (), seed: int = 0
) -> Disentanglement:
    """Return MIG, SAP, FactorVAE and DCI of codes (N, K) for factors (N, F).

    `categorical` lists the columns of `factors` without an order (a class, a shape).
    """
    z, v = _check(codes, factors)
    information = mutual_information_matrix(z, v, categorical=categorical)
    return Disentanglement(
        mig=mutual_information_gap(z, v, categorical=categorical),
        sap=separated_attribute_predictability(z, v, categorical=categorical, seed=seed),
        factor_vae=factor_vae_score(z, v, seed=seed),
        dci=dci_score(z, v, categorical=categorical, seed=seed),
        mutual_information=information,
    )


def factor_matrix(
    factors: Mapping[str, NDArray[Any]],
) -> tuple[Floats, tuple[str, ...], tuple[int, ...]]:
    """Return the factors (N, F) that vary, their names and the categorical columns.

    `factors` is a data set's mapping of names to arrays (N,), such as `strokes` and `shapes` have;
    a factor is categorical if its name is in CATEGORICAL, or if it is of words, which are numbered.

    >>> values, names, categorical = factor_matrix({"class": np.array([0, 1]), "x": np.zeros(2)})
    >>> values.shape, names, categorical
    ((2, 1), ('class',), (0,))
    >>> factor_matrix({"colour": np.array(["red", "blue", "red"])})[0].ravel()
    array([1., 0., 1.])
    """
    words = {name for name, values in factors.items() if np.asarray(values).dtype.kind in "USO"}
    numbers = {
        name: np.unique(values, return_inverse=True)[1] if name in words else np.asarray(values)
        for name, values in factors.items()
    }
    varying = {
        name: values.astype(np.float64)
        for name, values in numbers.items()
        if np.ptp(values.astype(np.float64)) > 0
    }
    if not varying:
        raise ExplorerError("This data set has no known factors that vary.")
    names = tuple(varying)
    categorical = tuple(i for i, name in enumerate(names) if name in words | set(CATEGORICAL))
    return np.stack(list(varying.values()), 1), names, categorical


def mutual_information_matrix(
    codes: ArrayLike, factors: ArrayLike, *, categorical: Sequence[int] = ()
) -> Floats:
    """Return I(z_i; v_j) in nats, (K, F), from histograms of 20 bins per continuous variable."""
    from sklearn.metrics import mutual_info_score

    z, v = _check(codes, factors)
    binned_z = [_bin(column) for column in z.T]
    binned_v = [_bin_factor(v[:, j], j in categorical) for j in range(v.shape[1])]
    return np.array([[mutual_info_score(b, a) for b in binned_v] for a in binned_z])


def mutual_information_gap(
    codes: ArrayLike, factors: ArrayLike, *, categorical: Sequence[int] = ()
) -> float:
    """Return MIG: the mean over factors of (best − second best I(z_i; v_j)) / H(v_j).

    Chen et al. 2018, Eq. 6. With one code dimension the second best is 0.
    """
    from scipy.stats import entropy

    z, v = _check(codes, factors)
    information = mutual_information_matrix(z, v, categorical=categorical)
    ranked = np.sort(information, 0)[::-1]
    second = ranked[1] if len(ranked) > 1 else np.zeros(v.shape[1])
    entropies = [
        entropy(np.unique(_bin_factor(v[:, j], j in categorical), return_counts=True)[1])
        for j in range(v.shape[1])
    ]
    return float(np.mean((ranked[0] - second) / np.array(entropies)))


def separated_attribute_predictability(
    codes: ArrayLike, factors: ArrayLike, *, categorical: Sequence[int] = (), seed: int = 0
) -> float:
    """Return SAP: the mean over factors of best − second best score of one code.

    Kumar et al. 2018, Sect. 3. The score of an ordered factor is the squared correlation; that of
    a categorical one the balanced accuracy of a linear classifier on held-out images, with chance
    taken to 0.
    """
    z, v = _check(codes, factors)
    scores = np.zeros((z.shape[1], v.shape[1]))
    for j in range(v.shape[1]):
        for i in range(z.shape[1]):
            if z[:, i].std() < 1e-9:
                continue
            if j in categorical:
                scores[i, j] = _classify(z[:, i : i + 1], v[:, j], seed)
            else:
                scores[i, j] = np.corrcoef(z[:, i], v[:, j])[0, 1] ** 2
    ranked = np.sort(scores, 0)[::-1]
    second = ranked[1] if len(ranked) > 1 else np.zeros(v.shape[1])
    return float(np.mean(ranked[0] - second))


def factor_vae_score(
    codes: ArrayLike, factors: ArrayLike, *, votes: int = 800, batch: int = 64, seed: int = 0
) -> float:
    """Return the FactorVAE metric: accuracy of the majority vote from "least varying code".

    Kim and Mnih 2018, Sect. 4: fix one factor (to one of its values, or bins), draw a batch, take
    the code whose normalised variance is least. Half of the votes train the table, half test it.
    Constant codes are left out; where all are, the answer is chance, 1/F.
    """
    z, v = _check(codes, factors)
    rng = np.random.default_rng([seed, 0xFAC7])
    scale = z.std(0)
    kept = scale > 1e-9
    count = v.shape[1]
    if not kept.any():
        return 1.0 / count
    z = z[:, kept] / scale[kept]
    groups = []
    for j in range(count):
        values = _bin_factor(v[:, j], False)
        same = [np.flatnonzero(values == value) for value in np.unique(values)]
        large = [members for members in same if len(members) >= SMALLEST_GROUP]
        groups.append(large or [max(same, key=len)])
    table = np.zeros((z.shape[1], count))
    correct = total = 0
    for vote in range(votes):
        j = int(rng.integers(count))
        members = groups[j][int(rng.integers(len(groups[j])))]
        chosen = rng.choice(members, batch)
        code = int(z[chosen].var(0).argmin())
        if vote < votes // 2:
            table[code, j] += 1
        else:
            total += 1
            correct += bool(table[code].any() and table[code].argmax() == j)
    return correct / max(1, total)


def dci_score(
    codes: ArrayLike, factors: ArrayLike, *, categorical: Sequence[int] = (), seed: int = 0
) -> DCI:
    """Return DCI with random forests as predictors; informativeness is held-out R² or accuracy."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    z, v = _check(codes, factors)
    order = np.random.default_rng([seed, 0xDC1]).permutation(len(z))
    train, test = order[: len(z) * 3 // 4], order[len(z) * 3 // 4 :]
    importance = np.zeros((z.shape[1], v.shape[1]))
    scores = []
    for j in range(v.shape[1]):
        forest = ExtraTreesClassifier if j in categorical else ExtraTreesRegressor
        # Every split looks at all codes: otherwise irrelevant codes are used by lot.
        fitted = forest(n_estimators=30, max_features=None, min_samples_leaf=5, random_state=seed)
        fitted.fit(z[train], v[train, j])
        importance[:, j] = fitted.feature_importances_
        scores.append(max(0.0, float(fitted.score(z[test], v[test, j]))))
    disentanglement, completeness = dci_from_importance(importance)
    return DCI(disentanglement, completeness, float(np.mean(scores)), importance)


def dci_from_importance(importance: ArrayLike) -> tuple[float, float]:
    """Return disentanglement and completeness from importances (K, F).

    D = Σ_i ρ_i (1 − H_F(R_i·)), C the same over factors, with entropies to the base of their
    length (Eastwood and Williams 2018, Sect. 2).

    >>> import numpy as np
    >>> codes_for_factors = np.kron(np.eye(5), np.ones((1, 2)))
    >>> round(dci_from_importance(codes_for_factors)[0], 5)
    0.69897
    """
    matrix = np.abs(as_array(importance))
    if matrix.ndim != 2 or matrix.sum() <= 0:
        raise ExplorerError("Importances are a matrix (codes, factors) with a positive sum.")
    return _concentration(matrix), _concentration(matrix.T)


def _concentration(matrix: Floats) -> float:
    from scipy.stats import entropy

    totals = matrix.sum(1)
    if matrix.shape[1] == 1:
        return 1.0
    rows = totals > 0
    spread = entropy(matrix[rows].T, base=matrix.shape[1])
    return float(((1 - spread) * totals[rows] / totals.sum()).sum())


def _check(codes: ArrayLike, factors: ArrayLike) -> tuple[Floats, Floats]:
    z, v = as_array(codes), as_array(factors)
    if v.ndim == 1:
        v = v[:, None]
    if z.ndim != 2 or v.ndim != 2 or len(z) != len(v):
        raise ExplorerError(f"Codes (N, K) and factors (N, F) must match: {z.shape}, {v.shape}.")
    if len(z) < FEWEST_IMAGES:
        raise ExplorerError(f"Disentanglement needs at least {FEWEST_IMAGES} images.")
    if not (np.isfinite(z).all() and np.isfinite(v).all()):
        raise ExplorerError("The codes or the factors hold NaN or infinite values.")
    if (np.ptp(v, axis=0) == 0).any():
        raise ExplorerError("Every factor must vary among the images.")
    return z, v


def _bin(values: Floats) -> NDArray[np.int64]:
    edges = np.histogram_bin_edges(values, BINS)
    return np.digitize(values, edges[1:-1])


def _bin_factor(values: Floats, categorical: bool) -> NDArray[np.int64]:
    distinct, inverse = np.unique(values, return_inverse=True)
    if categorical or len(distinct) <= BINS:
        return inverse.astype(np.int64)
    return _bin(values)


def _classify(z: Floats, labels: Floats, seed: int) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score

    order = np.random.default_rng([seed, 0x5A9]).permutation(len(z))
    train, test = order[: len(z) // 2], order[len(z) // 2 :]
    scaled = (z - z[train].mean(0)) / z[train].std(0)
    classifier = LogisticRegression(max_iter=500, class_weight="balanced")
    classifier.fit(scaled[train], labels[train])
    chance = 1 / len(np.unique(labels))
    score = balanced_accuracy_score(labels[test], classifier.predict(scaled[test]))
    return max(0.0, (score - chance) / (1 - chance))
