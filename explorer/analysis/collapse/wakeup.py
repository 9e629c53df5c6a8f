"""Does the objective want this dimension? The wake-up rule, at the collapsed point and beyond.

Expand the β-ELBO in a silent latent z_i that moves the decoder's natural parameters along w. With
s the score ∂log p(x|z)/∂w and F its Fisher information, the best q(z_i|x) has mean s·w/β, and the
bound rises iff E[(s·w)²] > β wᵀFw for some w: a latent wakes iff an eigenvalue of F^-½ E[ssᵀ] F^-½
exceeds β. At the collapsed point this is V^-½ C V^-½ (C the covariance of the pixels, V the
decoder's variance function at their means; for a Gaussian λ_i > βσ²). Both are local statements:
they see small, additive moves of the decoder only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.analysis.checks import Floats, as_pixels, plain
from explorer.analysis.subject import Subject
from explorer.config import ModelConfig
from explorer.elbo.terms import sample_codes
from explorer.models.base import Model
from explorer.models.likelihoods import build_likelihood

RARE_COUNT = 10
"""Binary pixels that vary in fewer images than this are left out of held-out estimates."""
STREAM = 0x3A4E
CHUNK = 512
SMALLEST_FISHER = 1e-12
"""Pixels of which an image tells less than this are constant."""
SMALLEST_LENGTH = 1e-7
"""Of the longest direction: below it, rounding decides where a direction points."""


@dataclass(frozen=True)
class WakeUp:
    """Eigenvalues in descending order, to be compared with β.

    `held_out` (r,) are the same directions' values on images that did not choose them: free of
    the upward bias of sample eigenvalues; `error` (r,) their standard errors. `awake` counts
    held-out values above β, and `local` recalls that the rule is a local statement.
    """

    eigenvalues: Floats
    held_out: Floats
    error: Floats
    beta: float
    local: bool = True

    @property
    def leading(self) -> tuple[float, float]:
        """The direction whose held-out value is surest to be large: (value, error)."""
        if not self.held_out.size:
            return 0.0, 0.0
        best = int((self.held_out - 2 * self.error).argmax())
        return float(self.held_out[best]), float(self.error[best])

    @property
    def awake(self) -> int:
        """Directions that would wake at this β."""
        return int((self.held_out > self.beta).sum())

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and the ten leading values."""
        return plain(
            {
                "beta": self.beta,
                "awake": self.awake,
                "eigenvalues": self.eigenvalues[:10],
                "held_out": self.held_out[:10],
                "error": self.error[:10],
                "local": self.local,
            }
        )


MOST_PIXELS = 4_096
"""Numbers in an image for which all eigenvalues of a whole data set take seconds, not hours."""


def wake_up_eigenvalues(images: NDArray[Any], likelihood: str, sigma2: float = 1.0) -> Floats:
    """Return the eigenvalues of V^-½ C V^-½ for a data set, descending, shape (D,) at most.

    `images` (N, …) are uint8 or floats in [0, 1]. "bernoulli" takes them as P(pixel = 1), so that
    C is the covariance of the binarised pixels: Var = p̄(1 − p̄) on the diagonal, the grey values'
    covariance off it; constant pixels are dropped. "gaussian" gives λ_i/σ². Compare with β.
    NoRuleKnown for a likelihood that does not say what holds at the collapsed point.
    Source: docs/science.md §1; the Gaussian case is Lucas et al. 2019.
    """
    config = ModelConfig(likelihood=likelihood, sigma2=sigma2)
    pixels = torch.from_numpy(as_pixels(images))
    scored = build_likelihood(config, (1, 1, pixels.shape[1]))
    moment, fisher = scored.score_covariance(pixels)
    kept = fisher > SMALLEST_FISHER
    scale = fisher[kept].rsqrt()
    return torch.linalg.eigvalsh(moment[kept][:, kept] * scale * scale[:, None]).flip(0).numpy()


def wake_up_at_collapse(
    subject: Subject, beta: float, *, directions: int = 64, seed: int = 0
) -> WakeUp:
    """Return the rule at the collapsed point: what a first latent would see in the images.

    The decoder is replaced by the pixels' means; Gaussian variances are the model's own.
    NoRuleKnown for a likelihood that does not say what holds there.
    """
    with torch.no_grad():
        flat = subject.x.flatten(1).double().cpu()
        score, fisher = subject.model.likelihood.at_collapse(flat)
    rare = _rare(subject.model)
    return _held_out_rule(score.numpy(), fisher.numpy(), rare, beta, directions, seed)


def wake_up_now(
    subject: Subject, beta: float, *, copies: int = 4, directions: int = 16, seed: int = 0
) -> WakeUp:
    """Return the rule at the model as it is: would one more latent pay for itself?

    The score is averaged over `copies` codes from q(z|x). Values above β say that the pixels hold
    structure which the decoder's output leaves unexplained and one more latent would earn.
    """
    model, x = subject.model, subject.x
    generator = torch.Generator(x.device).manual_seed(seed)
    scores, fishers = [], []
    with torch.no_grad(), subject.hold():
        for start in range(0, len(x), CHUNK):
            part = x[start : start + CHUNK]
            mean, logvar = (code[start : start + CHUNK] for code in subject.posterior)
            total = torch.zeros_like(part.flatten(1), dtype=torch.float64)
            for _ in range(copies):
                z = sample_codes(mean, logvar, 1, generator)
                output = model.decode_output(z)
                score, fisher = model.likelihood.score_and_fisher(output, part)
                total += score
                fishers.append(fisher.double().sum(0).cpu().numpy() / (copies * len(x)))
            scores.append((total / copies).cpu().numpy())
    fisher = np.sum(fishers, 0)
    return _held_out_rule(np.concatenate(scores), fisher, _rare(model), beta, directions, seed)


def _rare(model: Model) -> float:
    # A pixel's Fisher information in [0, 1] times N counts the images in which it varies.
    return RARE_COUNT if model.likelihood.bounded else 0.0


def _held_out_rule(
    score: Floats, fisher: Floats, rare: float, beta: float, directions: int, seed: int
) -> WakeUp:
    """Choose directions on one half of the images, value them on the other, both ways."""
    count = len(score)
    kept = fisher * count >= rare
    if count < 4 or not kept.any():
        nothing = np.zeros(0)
        return WakeUp(nothing, nothing, nothing, beta)
    white = score[:, kept] / np.sqrt(fisher[kept])
    order = np.random.default_rng([seed, STREAM]).permutation(count)
    halves = order[: count // 2], order[count // 2 :]
    rank = min(directions, white.shape[1], count // 2)
    values, squares = [], []
    for fit, held in (halves, halves[::-1]):
        vectors = _leading_vectors(white[fit], rank)
        projected = (white[held] @ vectors) ** 2
        values.append(projected.mean(0))
        squares.append(projected.var(0) / len(held))
    # The two products have the same eigenvalues but for zeros: the smaller one is quicker.
    product = white.T @ white if white.shape[1] <= count else white @ white.T
    eigenvalues = np.linalg.eigvalsh(product / count)[::-1][:rank].copy()
    held_out = np.asarray(np.mean(values, axis=0), dtype=np.float64)
    error = 0.5 * np.sqrt(np.sum(squares, axis=0))
    return WakeUp(np.asarray(eigenvalues, dtype=np.float64), held_out, error, beta)


def _leading_vectors(rows: Floats, rank: int) -> Floats:
    """Return the leading eigenvectors (D, rank) of rowsᵀ rows, rows being (n, D)."""
    if rows.shape[1] > len(rows):
        # Fewer images than pixels: the same directions by the smaller product, in a tenth of the
        # time of a singular value decomposition. What no image moves has no direction.
        shares = np.linalg.eigh(rows @ rows.T)[1][:, ::-1][:, :rank]
        vectors: Floats = rows.T @ shares
        length = np.linalg.norm(vectors, axis=0)
        kept = length > SMALLEST_LENGTH * length.max(initial=0)
        return np.divide(vectors, length, out=np.zeros_like(vectors), where=kept)
    return np.linalg.eigh(rows.T @ rows / len(rows))[1][:, ::-1][:, :rank]
