"""Why is a dimension asleep? Only what can be told, each with its evidence.

- objective: nothing that one more latent could tell would pay its KL at this β (the wake-up rule
  of `wakeup`, a local statement); the remedy must change the objective or the model.
- encoder_lags: for single images a better q(z_i|x) exists, away from the prior: the true posterior
  differs from the prior while q does not; remedies that change the path help (He et al. 2019).
- decoder_ignores: a further latent would pay, yet the decoder does not read this one, so its true
  posterior is the prior too: a failure of optimisation, or a decoder too strong.
- written_not_read: the encoder writes the dimension and the decoder does not read it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from explorer.analysis.checks import Record
from explorer.analysis.collapse.verdicts import vote
from explorer.analysis.collapse.wakeup import wake_up_at_collapse, wake_up_now
from explorer.analysis.inference.refinement import FEWEST_TRAINING, Draws, refine_subject
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Watch
from explorer.codes import kl_of_codes
from explorer.models.cost import decoding_cost
from explorer.models.likelihoods.base import NoRuleKnown
from explorer.models.priors import gaussian_kl

CAUSES = ("objective", "encoder_lags", "decoder_ignores", "written_not_read")
REFINED_IMAGES, FEWEST_REFINED = 32, 12
REFINING_STEPS, FEWEST_STEPS = 100, 30
REFINING_COST, SCORING_COST = 2e10, 4e9
"""Multiply-adds that decoding the draws of all refined images may take: the steps, and the score.
Of costly decoders fewer images are refined, in fewer steps: a diagnosis stays one of seconds."""
WAY = 5.0
"""Steps × their size, in units of q's sd: fewer steps are longer."""
PRIOR_DRAWS = 8
"""Codes of the prior that tell whether refining could find anything."""
REFINED_KL_NATS = 0.05
"""A refined q(z_i|x) this far from the prior, on average, means that the encoder lags."""


@dataclass(frozen=True)
class Cause(Record):
    """A code of CAUSES, the dimensions it explains, a confidence (0 to 1) and the evidence."""

    code: str
    dimensions: tuple[int, ...]
    confidence: float
    evidence: dict[str, Any]


def find_causes(
    subject: Subject,
    *,
    beta: float | None,
    asleep: list[int],
    ignored: list[int],
    seed: int = 0,
    watch: Watch | None = None,
) -> tuple[Cause, ...]:
    """Return the causes for dimensions `asleep` (collapsed or empty) and `ignored`.

    A few thousand images do. Nothing asleep, nothing computed. Where β is unknown, None, only
    "written_not_read" can be told: an encoder lags behind the best q of its own loss, which under
    a large β is the prior.
    """
    watch = watch or Watch()
    causes = []
    if ignored:
        causes.append(Cause("written_not_read", tuple(ignored), 1.0, {}))
    if not asleep or beta is None:
        watch.report(1.0)
        return tuple(causes)
    evidence: dict[str, Any] = {"beta": beta, "local": True}
    top, top_error = wake_up_now(subject, beta, seed=seed).leading
    watch.check(0.2)
    evidence |= _look_at_collapse(subject, beta, seed)
    evidence |= {"top_eigenvalue_now": top, "top_eigenvalue_now_error": top_error}
    pays = vote(top, top_error, beta)
    watch.check(0.4)
    if not _could_tell(subject, asleep, beta, seed):
        watch.report(1.0)
        return (*causes, *_blame(pays, tuple(asleep), evidence))
    refined_kl, encoder_kl, error = _refined_kl(subject, beta, seed, watch.part(0.45, 1))
    lagging = [i for i in asleep if refined_kl[i] - encoder_kl[i] > REFINED_KL_NATS + 2 * error[i]]
    if lagging:
        gains = [float(refined_kl[i] - encoder_kl[i]) for i in lagging]
        worst = max(
            vote(gain, float(error[i]), REFINED_KL_NATS)
            for gain, i in zip(gains, lagging, strict=True)
        )
        causes.append(
            Cause("encoder_lags", tuple(lagging), worst, {**evidence, "refined_kl_gain": gains})
        )
    rest = tuple(i for i in asleep if i not in lagging)
    return (*causes, *_blame(pays, rest, evidence))


def _blame(pays: float, rest: tuple[int, ...], evidence: dict[str, Any]) -> tuple[Cause, ...]:
    """Return why dimensions sleep whose q is as far from the prior as the best one."""
    if not rest:
        return ()
    if pays < 0.5:
        return (Cause("objective", rest, 1 - pays, evidence),)
    return (Cause("decoder_ignores", rest, pays, evidence),)


def _could_tell(subject: Subject, asleep: list[int], beta: float, seed: int) -> bool:
    """Return whether the best q of sleeping dimensions can differ from their prior.

    Without bounds on its shape it is p(z)·p(x|z)^(1/β). Where log p(x|z)/β hardly varies while they
    run over the prior it is the prior: their KL is half that variance, to its second order. A few
    draws tell that, and refining takes hundreds.
    """
    if beta == 0:
        return True
    model, count = subject.model, plan_refining(subject).images
    mean = subject.posterior[0][:count]
    generator = torch.Generator(mean.device).manual_seed(seed)
    likelihood = []
    with torch.no_grad(), subject.hold():
        for _ in range(PRIOR_DRAWS):
            z = mean.clone()
            z[:, asleep] = torch.randn(
                len(mean), len(asleep), generator=generator, device=mean.device, dtype=mean.dtype
            )
            likelihood.append(model.nll(z, subject.x[:count]).double())
    kl = float(torch.stack(likelihood).var(0).mean() / (2 * beta**2))
    return not kl < REFINED_KL_NATS / 2


def _look_at_collapse(subject: Subject, beta: float, seed: int) -> dict[str, Any]:
    """Return what the rule says at the collapsed point; nothing where none is known.

    `thresholds_at_collapse` are the values of the leading directions, one for each latent.
    """
    try:
        rule = wake_up_at_collapse(subject, beta, seed=seed)
    except NoRuleKnown:
        return {}
    return {
        "awake_at_collapse": rule.awake,
        "top_eigenvalue_at_collapse": rule.leading[0],
        "thresholds_at_collapse": rule.held_out[: subject.model.latent_dim],
    }


@dataclass(frozen=True)
class Refining:
    """How many images are refined, in how many steps, by how many draws of q."""

    images: int
    steps: int
    draws: Draws


def plan_refining(subject: Subject) -> Refining:
    """Return what refining may take of a subject's decoder, however costly that is."""
    cost = decoding_cost(subject.model)
    decodes, scored = REFINING_COST / cost, SCORING_COST / cost
    draws = 2 * FEWEST_TRAINING
    steps = int(np.clip(decodes / draws / (2 * FEWEST_REFINED), FEWEST_STEPS, REFINING_STEPS))
    affordable = np.clip(decodes / draws / steps, FEWEST_REFINED, REFINED_IMAGES)
    images = min(int(affordable), len(subject))
    return Refining(images, steps, Draws.within(decodes / steps / images, scored / images))


def _refined_kl(
    subject: Subject, beta: float, seed: int, watch: Watch
) -> tuple[list[float], list[float], list[float]]:
    """Return per dimension the mean KL of refined q's, of the encoder's, and the gain's error.

    Refined for the loss of the training: at β = 1 any model of a larger β would seem to lag.

    Of the first images: as many as the cost of the decoder allows.
    """
    plan = plan_refining(subject)
    subject = subject.first(plan.images)
    refined = refine_subject(
        subject,
        prior_starts=0,
        steps=plan.steps,
        learning_rate=WAY / plan.steps,
        seed=seed,
        draws=plan.draws,
        beta=beta,
        progress=watch.report,
        stop=watch.stopped,
    )
    mean = torch.from_numpy(refined.mean)
    scale = torch.diagonal(torch.from_numpy(refined.cholesky), dim1=1, dim2=2)
    kl = gaussian_kl(mean, 2 * scale.log())
    encoder_kl = torch.from_numpy(kl_of_codes(*subject.codes))
    gain = kl - encoder_kl
    error = gain.std(0) / len(gain) ** 0.5 if len(gain) > 1 else torch.zeros(kl.shape[1])
    return kl.mean(0).tolist(), encoder_kl.mean(0).tolist(), error.tolist()
