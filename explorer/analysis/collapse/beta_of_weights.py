"""The β that a model was trained with, from its weights and some images alone.

Where training of q's spread has come to rest, the reconstruction's pull on ln σ_i and KL's are in
balance (`models.adopted.balance`): each awake dimension tells β, and their median is the answer.
Checked on our β sweep from .1 to 31 (within 5 %). Importance-weighted training reads higher than
its β of 1, and nothing in the weights says so; a capacity target has no β, and its scatter does.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from explorer.analysis.checks import Floats, Record, check_standard_prior
from explorer.analysis.collapse.wakeup import WakeUp, wake_up_at_collapse
from explorer.analysis.subject import Subject
from explorer.models.adopted.balance import Balance, measure_balance

IMAGES, FEWEST_IMAGES = 512, 24
PAIRS, FEWEST_PAIRS = 16, 4
BUDGET = 100_000_000_000
"""Multiply-adds that are spent at most, or else the fewest images and draws are taken."""
RESAMPLES = 200
SCATTERED = 0.6
"""Incoherence above which the groups of images speak of no one β: trained models of ours reach .36,
a capacity target 1.4 and more."""
UNSURE = 0.3
"""A standard error of more than this share of β says nothing of it."""
SURVIVAL = (1.0, 0.25, 1 / 16)
"""Shares of β at which the survivors of a dead model are foretold."""
STREAM = 0x1BE7


@dataclass(frozen=True)
class ImpliedBeta(Record):
    """β with its standard error over images, or why there is none.

    `reason` is "" where `beta` is told, else "asleep" (no dimension is awake), "scattered" (groups
    of images and dimensions speak of no one β: a capacity target, training that was stopped early,
    or images that it never saw) or "unsure" (too few images). `low` and `high` are quartiles over
    groups of images with alike spread; `per_dim` (A,) is β of each awake dimension, `dims` (A,).
    `incoherence` is the root mean square of ln(β_group/β).
    """

    beta: float | None
    error: float | None
    low: float | None
    high: float | None
    reason: str
    per_dim: Floats
    dims: np.ndarray
    incoherence: float | None
    images: int


def implied_beta(subject: Subject, *, seed: int = 0) -> ImpliedBeta:
    """Return the β that a model's spreads imply on a subject's images, at most `IMAGES` of them.

    Images that it was trained on serve best; a large decoder is asked about fewer images, with
    fewer draws. Raises ExplorerError for a prior other than N(0, I).
    """
    check_standard_prior(subject.model)
    images, pairs = _afford(subject)
    part = subject.first(images)
    model = part.model

    def nll(z: Tensor, x: Tensor) -> Tensor:
        return model.nll(z, x)

    mean, logvar = part.posterior
    with part.hold():
        balance = measure_balance(nll, part.x, mean, logvar, pairs=pairs, seed=seed)
    groups = balance.beta_per_group()
    beta, incoherence = balance.beta(), balance.incoherence()
    error = _standard_error(balance, seed)
    reason = _reason(beta, error, incoherence)
    low, high = np.quantile(groups, (0.25, 0.75)) if groups.size else (None, None)
    told = reason == ""
    return ImpliedBeta(
        beta=beta if told else None,
        error=error if told else None,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        reason=reason,
        per_dim=balance.beta_per_dim(),
        dims=np.flatnonzero(balance.active),
        incoherence=incoherence,
        images=len(part),
    )


def count_decoding(subject: Subject) -> int:
    """Return the multiply-adds that decoding and scoring one code takes."""
    mean, _ = subject.first(1).posterior
    with torch.no_grad(), subject.hold(), _Operations() as counted:
        subject.model.nll(mean, subject.x[:1])
    return max(1, counted.total // 2)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the multiplications and additions of products, as PyTorch's own counter does."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # Its compiler would be loaded to be kept out: a second, and 70 MB.

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func._overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def _afford(subject: Subject) -> tuple[int, int]:
    """Return how many images and pairs of draws the budget allows."""
    # A gradient costs about three passes; each pair is two draws.
    one = 6 * count_decoding(subject)
    pairs = int(np.clip(BUDGET // (one * IMAGES), FEWEST_PAIRS, PAIRS))
    images = int(np.clip(BUDGET // (one * pairs), FEWEST_IMAGES, IMAGES))
    return min(images, len(subject)), pairs


def _reason(beta: float | None, error: float | None, incoherence: float | None) -> str:
    if beta is None or error is None or incoherence is None:
        return "asleep"
    if beta <= 0 or incoherence > SCATTERED:
        return "scattered"
    return "unsure" if error > UNSURE * beta else ""


def _standard_error(balance: Balance, seed: int) -> float | None:
    """Return the standard error of the median β, by drawing the images anew."""
    if not balance.active.any():
        return None
    count = len(balance.pull)
    rng = np.random.default_rng([seed, STREAM])
    weights = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(float)
    room = weights @ balance.room[:, balance.active]
    pull = weights @ balance.pull[:, balance.active]
    return float(np.median(pull / np.where(room == 0, 1e-12, room), 1).std())


@dataclass(frozen=True)
class Survivors(Record):
    """What the images and the loss say of a model that sleeps: the wake-up threshold.

    `threshold` is the leading eigenvalue of the wake-up rule, with its error: a first latent wakes
    below this β. `expected` gives, for β, β/4 and β/16, how many of `latents` are expected awake;
    it is empty where β is not known.
    """

    threshold: float
    error: float
    expected: tuple[tuple[float, int], ...]
    latents: int


def expected_survivors(subject: Subject, beta: float | None = None, *, seed: int = 0) -> Survivors:
    """Return how many latents β, β/4 and β/16 would leave awake, by the local wake-up rule.

    For models that are asleep, where `implied_beta` cannot tell; the rule is a local statement.
    Without `beta` only the threshold is told, which does not depend on it.
    """
    with torch.no_grad():
        rule: WakeUp = wake_up_at_collapse(subject, 1.0 if beta is None else beta, seed=seed)
    latents = subject.model.latent_dim
    threshold, error = rule.leading
    betas = () if beta is None else tuple(share * beta for share in SURVIVAL)
    expected = tuple((b, min(latents, int((rule.held_out > b).sum()))) for b in betas)
    return Survivors(threshold, error, expected, latents)
