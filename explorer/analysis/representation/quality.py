"""How good are the codes: neighbours, a linear probe, a density, an alignment of two runs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from explorer.analysis.checks import Floats, Record, as_array
from explorer.errors import ExplorerError

NEIGHBOURS = 15
FEW = 2500
LN_2PI = float(np.log(2 * np.pi))
ALIGNMENTS = ("signed-permutation", "rotation")


@dataclass(frozen=True)
class Accuracy(Record):
    """Share of held-out labels that were right, with its binomial standard error."""

    accuracy: float
    standard_error: float
    images: int


@dataclass(frozen=True)
class LatentDensity(Record):
    """A Gaussian mixture fitted to codes: an ex-post density to sample from, beside the prior.

    `weights` (M,), `means` (M, K), `covariances` (M, K, K). `log_density` and
    `prior_log_density` are means over held-out codes, nats, with `gain_error` the standard error
    of their difference: how much better than N(0, I) the mixture describes the codes.
    """

    weights: Floats
    means: Floats
    covariances: Floats
    log_density: float
    prior_log_density: float
    gain_error: float

    def sample(self, count: int, seed: int = 0) -> Floats:
        """Return codes (count, K) drawn from the mixture."""
        rng = np.random.default_rng([seed, 0x633])
        component = rng.choice(len(self.weights), count, p=self.weights / self.weights.sum())
        noise = rng.standard_normal((count, self.means.shape[1]))
        factors = np.linalg.cholesky(self.covariances)
        return self.means[component] + np.einsum("nij,nj->ni", factors[component], noise)

    def score(self, codes: ArrayLike) -> Floats:
        """Return the log density (N,) of codes (N, K), nats."""
        z = as_array(codes)
        terms = []
        for weight, mean, covariance in zip(
            self.weights, self.means, self.covariances, strict=True
        ):
            factor = np.linalg.cholesky(covariance)
            white = np.linalg.solve(factor, (z - mean).T)
            log_scale = np.log(np.diag(factor)).sum() + 0.5 * z.shape[1] * LN_2PI
            terms.append(np.log(weight) - 0.5 * (white**2).sum(0) - log_scale)
        return np.asarray(np.logaddexp.reduce(terms, axis=0))


@dataclass(frozen=True)
class Alignment(Record):
    """codes_b @ matrix lies as close as it can to codes_a; `matrix` is orthogonal, (K, K).

    `explained` is the share of codes_a's variance that the aligned codes reproduce as they are,
    and `correlation` (K,) that of each aligned dimension with its counterpart.
    """

    kind: str
    matrix: Floats
    explained: float
    correlation: Floats

    def apply(self, codes_b: ArrayLike) -> Floats:
        """Return codes_b (N, K) in the coordinates of codes_a."""
        return as_array(codes_b) @ self.matrix


def neighbour_accuracy(
    codes: ArrayLike,
    labels: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    *,
    neighbours: int = NEIGHBOURS,
) -> Accuracy:
    """Return k-nearest-neighbour accuracy of codes (N, K) with labels (N,).

    With test codes these are classified by `codes`; without, each code by all others
    (leave-one-out).
    """
    z, y = _check_labels(codes, labels)
    if len(z) <= neighbours:
        raise ExplorerError(f"{neighbours} neighbours need more than {neighbours} codes.")
    if test_codes is not None and test_labels is not None:
        test_z, test_y = _check_labels(test_codes, test_labels)
        from sklearn.neighbors import KNeighborsClassifier

        guess = KNeighborsClassifier(neighbours).fit(z, y).predict(test_z)
        return _accuracy(guess == test_y)
    index = _find_nearest(z, neighbours)
    classes, numbers = np.unique(y, return_inverse=True)
    counts = np.zeros((len(y), len(classes)))
    for column in index.T:
        counts[np.arange(len(y)), numbers[column]] += 1
    return _accuracy(counts.argmax(1) == numbers)


def _find_nearest(z: Floats, neighbours: int) -> NDArray[np.int64]:
    """Return the places (N, `neighbours`) of the codes nearest to each of z (N, K), but for itself.

    Among few all distances are measured: a page that shows them needs no scikit-learn, 50 MB.
    """
    if len(z) > FEW:
        from sklearn.neighbors import NearestNeighbors

        nearest = NearestNeighbors(n_neighbors=neighbours).fit(z)
        return np.asarray(nearest.kneighbors(return_distance=False))
    points = torch.from_numpy(z)
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    distances.fill_diagonal_(torch.inf)
    return distances.topk(neighbours, largest=False).indices.numpy()


def probe_accuracy(
    codes: ArrayLike, labels: ArrayLike, *, folds: int = 5, seed: int = 0
) -> Accuracy:
    """Return the cross-validated accuracy of a linear probe (multinomial logistic regression)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    z, y = _check_labels(codes, labels)
    if np.unique(y, return_counts=True)[1].min() < folds:
        raise ExplorerError(f"A probe with {folds} folds needs as many images of every class.")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return _accuracy(cross_val_predict(probe, z, y, cv=splits) == y)


def fit_density(
    codes: ArrayLike, *, components: int = 10, seed: int = 0, held_out: float = 0.2
) -> LatentDensity:
    """Return a Gaussian mixture with full covariances fitted to codes (N, K).

    A fifth of the codes is held out to compare it with the prior N(0, I). For an ex-post density
    (Ghosh et al. 2020) pass samples or means of q(z|x).
    """
    from sklearn.mixture import GaussianMixture

    z = as_array(codes)
    if z.ndim != 2 or len(z) < 10 * components or not np.isfinite(z).all():
        raise ExplorerError(
            f"A mixture of {components} needs at least {10 * components} finite codes (N, K)."
        )
    order = np.random.default_rng([seed, 0x633]).permutation(len(z))
    cut = max(1, int(len(z) * held_out))
    test, train = z[order[:cut]], z[order[cut:]]
    mixture = GaussianMixture(components, random_state=seed, reg_covar=1e-6).fit(train)
    density = mixture.score_samples(test)
    prior = -0.5 * (test**2 + LN_2PI).sum(1)
    gain = density - prior
    return LatentDensity(
        weights=mixture.weights_,
        means=mixture.means_,
        covariances=mixture.covariances_,
        log_density=float(density.mean()),
        prior_log_density=float(prior.mean()),
        gain_error=float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else 0.0,
    )


def align_codes(
    codes_a: ArrayLike, codes_b: ArrayLike, *, kind: str = "signed-permutation"
) -> Alignment:
    """Return the orthogonal map of codes_b (N, K) onto codes_a (N, K) of the same images.

    signed-permutation matches dimensions by the assignment with the largest summed |Σ a_i b_j|
    (Hungarian method), the symmetry of the ELBO with a diagonal q; rotation is the orthogonal
    Procrustes solution (Schönemann 1966), the symmetry of the prior.
    """
    from scipy.linalg import orthogonal_procrustes
    from scipy.optimize import linear_sum_assignment

    a, b = as_array(codes_a), as_array(codes_b)
    if a.ndim != 2 or a.shape != b.shape or not len(a):
        raise ExplorerError(f"Both runs need codes of one shape (N, K): {a.shape}, {b.shape}.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ExplorerError("The codes hold NaN or infinite values.")
    if kind == "rotation":
        matrix = orthogonal_procrustes(b, a)[0]
    elif kind == "signed-permutation":
        cross = b.T @ a
        rows, columns = linear_sum_assignment(-np.abs(cross))
        matrix = np.zeros_like(cross)
        matrix[rows, columns] = np.where(cross[rows, columns] < 0, -1.0, 1.0)
    else:
        raise ExplorerError(f"kind must be one of {', '.join(ALIGNMENTS)}; it is {kind!r}.")
    moved = b @ matrix
    total = float(((a - a.mean(0)) ** 2).sum())
    explained = 1 - float(((a - moved) ** 2).sum()) / total if total > 0 else 0.0
    return Alignment(kind, matrix, explained, _correlation(a, moved))


def _correlation(a: Floats, b: Floats) -> Floats:
    spread = a.std(0) * b.std(0)
    cross = ((a - a.mean(0)) * (b - b.mean(0))).mean(0)
    return np.where(spread > 1e-12, cross / np.maximum(spread, 1e-12), 0.0)


def _check_labels(codes: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[Any]]:
    z, y = as_array(codes), np.asarray(labels)
    if z.ndim != 2 or y.shape != (len(z),) or not np.isfinite(z).all():
        raise ExplorerError(f"Codes (N, K) and labels (N,) must match: {z.shape}, {y.shape}.")
    return z, y


def _accuracy(right: NDArray[np.bool_]) -> Accuracy:
    share = float(right.mean())
    return Accuracy(share, float(np.sqrt(share * (1 - share) / len(right))), len(right))
