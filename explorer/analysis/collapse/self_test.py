"""Is this a trained VAE on its own images? Asked of every foreign model before any verdict.

A model read wrongly, or shown images that it never saw, gives fine-looking figures: noise makes all
dimensions "active". Each check here has a known answer for a trained VAE, whatever its networks.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.analysis.checks import Floats, plain
from explorer.analysis.collapse.beta_of_weights import (
    BUDGET,
    ImpliedBeta,
    count_decoding,
    implied_beta,
)
from explorer.analysis.subject import Subject
from explorer.elbo.terms import sample_codes

IMAGES, FEWEST_IMAGES = 512, 32
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""By which the posterior's standard deviation is multiplied."""
DRAWS = 2
STEADY, ALONE = 1e-4, 1e-3
"""What two passes, and a batch and its images one by one, may differ by, of the codes' size."""
ALONE_IMAGES = 8
LEAST_EXPLAINED = 0.1
"""Share of variance below which the pictures have little to do with the images."""
LEAST_GAIN = 0.05
"""By how much an image's own code must explain it better than another image's."""
SPENT_NATS = 3.0
"""A code of fewer nats may explain little: that is collapse, and no fault of the reading."""
FAR_MEAN = 0.6
"""|E μ| of a dimension, in prior standard deviations, that no aggregate of a trained VAE has."""
NARROWEST, WIDEST = 0.3, 3.0
"""Var μ + E σ² of a dimension outside which the aggregate is not the prior's; a β below 1 lets it
be as much wider as it lets q be narrower, 1/√β."""
LOGVAR_LIMITS = (-20.0, 3.0)
BETTER = 3.0
"""Standard errors by which another spread must beat the model's own to be a finding."""


@dataclass(frozen=True)
class SelfTest:
    """Figures of every check, and `findings`: those that a trained VAE on its images does not have.

    A finding is one of: nan, unsteady (two passes differ), batch (an image's code depends on its
    batch), range (log-variances beyond belief), unexplained (pictures explain little for what the
    code spends), worse (pictures of a quiet code miss the images by more than their mean does),
    unrelated (another image's code explains as much), aggregate (codes far from the
    prior), spread (the objective gains by another spread, `best_factor`) and beta (the implied β is
    scattered). A code of few nats is `quiet`: it is not asked whether it explains anything.
    """

    findings: tuple[str, ...]
    quiet: bool
    kl: float
    """Mean KL in nats per image."""
    explained: float
    """Share of the images' variance that reconstructions from the mean explain."""
    explained_by_others: float
    """The same, from another image's mean."""
    aggregate_mean: Floats
    """E μ_i, (K,)."""
    aggregate_variance: Floats
    """Var μ_i + E σ_i², (K,); about 1 where the aggregate is the prior."""
    difference: float
    """Between two passes, at most."""
    alone: float
    """Between a batch and its images one by one, at most."""
    logvar_range: tuple[float, float]
    factors: tuple[float, ...]
    objective_at: Floats
    """β-ELBO at σ × factors, nats per image, with the β that was told or implied, or 1."""
    best_factor: float
    implied: ImpliedBeta
    images: int

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against a verdict."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists, as run.json keeps them."""
        return plain({**vars(self), "passed": self.passed})


def self_test(subject: Subject, *, beta: float | None = None, seed: int = 0) -> SelfTest:
    """Return what a model's own figures say of it on a subject's images, at most `IMAGES`.

    `beta` is what the person says that it was trained with. Nothing is raised for a model that
    fails; ExplorerError only for a prior other than N(0, I).
    """
    passes = count_decoding(subject) * (len(FACTORS) * DRAWS + 1)
    part = subject.first(min(len(subject), max(FEWEST_IMAGES, min(IMAGES, BUDGET // passes))))
    mean, logvar = part.posterior
    if not bool(mean.isfinite().all() and logvar.isfinite().all()):
        return _without_numbers(part)
    with torch.no_grad(), part.hold():
        own, others = _explained(part, mean)
        difference, alone = _steadiness(part)
    implied = implied_beta(subject, seed=seed)
    known = implied.beta if beta is None else beta
    with torch.no_grad(), part.hold():
        objective, gain = _other_spreads(part, mean, logvar, known or 1.0, seed)
    centre = mean.double().mean(0).cpu().numpy()
    variance = (mean.double().var(0, correction=0) + logvar.double().exp().mean(0)).cpu().numpy()
    limits = float(logvar.min()), float(logvar.max())
    best = int(objective.argmax())
    kl = float(part.model.prior.kl(mean, logvar).total.double().mean())
    spent = kl > SPENT_NATS
    checks = {
        "nan": not np.isfinite([own, others, *objective]).all(),
        "unsteady": difference > STEADY,
        "batch": alone > ALONE,
        "range": limits[0] < LOGVAR_LIMITS[0] or limits[1] > LOGVAR_LIMITS[1],
        "unexplained": spent and not own > LEAST_EXPLAINED,
        "worse": not spent and own < -LEAST_EXPLAINED,
        "unrelated": spent and not own - others > LEAST_GAIN,
        "aggregate": _is_far(centre, variance, known or 1.0),
        "spread": known is not None and FACTORS[best] != 1 and bool(gain[best] > BETTER),
        "beta": spent and implied.reason == "scattered",
    }
    return SelfTest(
        findings=tuple(name for name, found in checks.items() if found),
        quiet=not spent,
        kl=kl,
        explained=own,
        explained_by_others=others,
        aggregate_mean=centre,
        aggregate_variance=variance,
        difference=difference,
        alone=alone,
        logvar_range=limits,
        factors=FACTORS,
        objective_at=objective,
        best_factor=FACTORS[best],
        implied=implied,
        images=len(part),
    )


def _explained(part: Subject, mean: Tensor) -> tuple[float, float]:
    """Return the share of variance explained from the own mean, and from the next image's."""
    x = part.x.flatten(1).double()
    total = (x - x.mean(0)).square().sum()
    pictures = []
    for codes in torch.split(mean, 256):
        pictures.append(part.model.decode(codes).mean.flatten(1).double())
    shown = torch.cat(pictures)
    own = 1 - (x - shown).square().sum() / total
    others = 1 - (x - shown.roll(1, 0)).square().sum() / total
    return float(own), float(others)


def _steadiness(part: Subject) -> tuple[float, float]:
    """Return how far a second pass lies from the first, and single images from their batch."""
    first, again = _encode(part, part.x), _encode(part, part.x)
    single = torch.cat([_encode(part, x[None]) for x in part.x[:ALONE_IMAGES]])
    size = 1 + float(first.abs().max())
    return (
        float((again - first).abs().max()) / size,
        float((single - first[: len(single)]).abs().max()) / size,
    )


def _encode(part: Subject, x: Tensor) -> Tensor:
    """Return mean and log-variance side by side, (B, 2K)."""
    mean, logvar = part.model.encode_parameters(x)
    assert logvar is not None
    return torch.cat([mean, logvar], 1)


def _other_spreads(
    part: Subject, mean: Tensor, logvar: Tensor, beta: float, seed: int
) -> tuple[Floats, Floats]:
    """Return the β-ELBO at σ × factors, and each one's gain over σ in standard errors."""
    columns = []
    for factor in FACTORS:
        moved = logvar + 2 * float(np.log(factor))
        kl = part.model.prior.kl(mean, moved).total.double()
        generator = torch.Generator(mean.device).manual_seed(seed)  # The same noise for each.
        nll = torch.zeros_like(kl)
        for _ in range(DRAWS):
            z = sample_codes(mean, moved, 1, generator)
            scores = zip(torch.split(z, 256), torch.split(part.x, 256), strict=True)
            nll += torch.cat([part.model.nll(codes, x).double() for codes, x in scores])
        columns.append((-(nll / DRAWS) - beta * kl).cpu().numpy())
    per_image = np.stack(columns)
    gain = per_image - per_image[FACTORS.index(1.0)]
    error = gain.std(1) / np.sqrt(max(1, per_image.shape[1] - 1))
    return per_image.mean(1), gain.mean(1) / np.where(error == 0, 1.0, error)


def _is_far(centre: Floats, variance: Floats, beta: float) -> bool:
    """Tell whether more than a tenth of the dimensions lie where no trained VAE's do."""
    wider = max(1.0, beta**-0.5)
    outside = (variance < NARROWEST) | (variance > WIDEST * wider)
    off = np.abs(centre) > FAR_MEAN * wider**0.5
    return bool(off.mean() > 0.1 or outside.mean() > 0.1)


def _without_numbers(part: Subject) -> SelfTest:
    """Return the test of a model whose codes are no numbers."""
    nothing = np.full(part.model.latent_dim, np.nan)
    none = ImpliedBeta(
        None, None, None, None, "asleep", np.zeros(0), np.zeros(0, int), None, len(part)
    )
    return SelfTest(
        ("nan",), False, np.nan, np.nan, np.nan, nothing, nothing, np.nan, np.nan, (np.nan, np.nan),
        FACTORS, np.full(len(FACTORS), np.nan), 1.0, none, len(part),
    )  # fmt: skip
