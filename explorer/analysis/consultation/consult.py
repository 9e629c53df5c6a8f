"""One subject, one answer: what is asleep and since when, why, and what to do about it.

A subject is a run with a model (ours or adopted), a run of somebody's own loop, of which a log and
codes are known, or a file of codes; with a pasted loss beside them its weight stands for β. What is
known decides how far the answer goes: without a model and its images no cause is proven, and the
answer says which evidence is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.analysis.checks import plain
from explorer.analysis.collapse.moved_beta import UsedBeta, find_beta
from explorer.analysis.consultation.fates import Dated, Fate, date_sleep, find_fates
from explorer.analysis.consultation.prescription import (
    Prescription,
    Thresholds,
    main_cause,
    prescribe,
    read_thresholds,
)
from explorer.analysis.consultation.stand_in import prescribe_elsewhere
from explorer.analysis.questions.converged import Convergence, judge_run
from explorer.runs.run import Run

SLEEPING = ("collapsed", "empty", "ignored")
KINDS = ("trained", "adopted", "logged", "codes")
WEIGHT = 0.7
"""Confidence of a cause that rests on a pasted loss and images, not on the model itself."""


@dataclass(frozen=True)
class Weight:
    """What a loss weighs KL with, in the terms of the thresholds that it is held against.

    `beta` is β, or βσ² beside eigenvalues of the pixels' covariance (`of_sigma2`).
    """

    beta: float
    thresholds: tuple[float, ...] = ()
    of_sigma2: bool = False


@dataclass(frozen=True)
class Consultation:
    """The answer on one subject; `diagnosis` is what `Diagnosis.to_dict` writes.

    `asleep` are its dimensions that are not in use, `dated` says since when. `beta` is None where
    nobody knows it. `cause` is a code of `collapse.causes.CAUSES`, "weight" (a pasted loss asks for
    more than the images hold), "weight_part" (which explains some of those that sleep), "" (nothing
    sleeps) or None (it cannot be told); `missing` then names what it would take: model, images,
    beta, or data (of a pasted loss, the images that it is meant for).
    """

    name: str
    kind: str
    diagnosis: Mapping[str, Any]
    asleep: tuple[int, ...]
    uncertain: int
    fates: tuple[Fate, ...]
    dated: Dated
    beta: UsedBeta | None
    weight: Weight | None
    thresholds: Thresholds
    cause: str | None
    confidence: float | None
    missing: tuple[str, ...]
    prescription: Prescription | None
    convergence: Convergence | None

    @property
    def latents(self) -> int:
        """Number of latent dimensions."""
        return len(self.diagnosis["dimensions"])

    @property
    def used(self) -> float | None:
        """The β that the thresholds are held against: that of training, or of a pasted loss."""
        if self.beta is not None:
            return self.beta.now
        return None if self.weight is None else self.weight.beta

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        beta = self.beta
        return plain(
            {
                "name": self.name,
                "kind": self.kind,
                "asleep": self.asleep,
                "latents": self.latents,
                "dated": self.dated.to_dict(),
                "fates": [fate.to_dict() for fate in self.fates],
                "beta": None if beta is None else {"planned": beta.planned, "used": beta.now},
                "weight": None if self.weight is None else vars(self.weight),
                "thresholds": vars(self.thresholds),
                "cause": self.cause,
                "confidence": self.confidence,
                "missing": self.missing,
                "prescription": self.prescription,
                "convergence": self.convergence,
                "diagnosis": self.diagnosis,
            }
        )


def consult_run(
    run: Run,
    diagnosis: Mapping[str, Any],
    *,
    images: bool = True,
    beta: float | None = None,
    weight: Weight | None = None,
) -> Consultation:
    """Return the answer on a run with its diagnosis; `images` says whether they are at hand.

    `beta`, as somebody remembers it, and `weight`, that of a pasted loss, count where the run does
    not say its β.
    """
    info = run.info
    kind = "adopted" if info.model.adopted is not None else "trained"
    points = run.metrics("train") or run.metrics()
    if not info.has_model:
        kind = "logged"
    lacking = {"model": info.has_model, "images": images or not info.has_model}
    used = find_beta(run) or _logged_beta(points)
    if used is None and beta is not None:
        used = UsedBeta(beta, beta)
    plan = prescribe(run, diagnosis)
    if kind == "adopted" and used is not None:
        plan = prescribe_elsewhere(run, diagnosis, used.now)
    lacking["beta"] = used is not None
    missing = [name for name, has in lacking.items() if not has]
    return _answer(
        run.name,
        kind,
        diagnosis,
        points,
        beta=used,
        weight=weight if used is None else None,
        missing=missing,
        prescription=plan,
        convergence=judge_run(run) if points else None,
    )


def consult_codes(
    name: str,
    diagnosis: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]] = (),
    weight: Weight | None = None,
) -> Consultation:
    """Return the answer on a file of codes, with log points where it holds several steps."""
    missing = ["model", "beta"]
    if weight is not None:
        missing = ["model"] if weight.thresholds else ["data", "model"]
    return _answer(name, "codes", diagnosis, points, weight=weight, missing=missing)


def _answer(
    name: str,
    kind: str,
    diagnosis: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    *,
    beta: UsedBeta | None = None,
    weight: Weight | None = None,
    missing: Sequence[str] = (),
    prescription: Prescription | None = None,
    convergence: Convergence | None = None,
) -> Consultation:
    verdicts = [row["verdict"] for row in diagnosis["dimensions"]]
    asleep = tuple(i for i, verdict in enumerate(verdicts) if verdict in SLEEPING)
    fates = find_fates(points)
    thresholds = read_thresholds(diagnosis)
    cause, confidence = _find_cause(diagnosis, asleep, weight)
    if weight is not None and weight.thresholds:
        thresholds = Thresholds(weight.thresholds, at_collapse=True)
    return Consultation(
        name=name,
        kind=kind,
        diagnosis=diagnosis,
        asleep=asleep,
        uncertain=verdicts.count("uncertain"),
        fates=fates,
        dated=date_sleep(fates, asleep),
        beta=beta,
        weight=weight,
        thresholds=thresholds,
        cause=cause,
        confidence=confidence,
        missing=tuple(missing) if cause is None else (),
        prescription=prescription,
        convergence=convergence,
    )


def _find_cause(
    diagnosis: Mapping[str, Any], asleep: Sequence[int], weight: Weight | None
) -> tuple[str | None, float | None]:
    if not asleep:
        return "", None
    proven = main_cause(diagnosis)
    if proven is not None:
        return proven["code"], proven["confidence"]
    if weight is None or not weight.thresholds:
        return None, None
    latents = len(diagnosis["dimensions"])
    surviving = sum(value > weight.beta for value in weight.thresholds[:latents])
    # The loss explains as many sleepers as it leaves no room for.
    explained = latents - surviving
    if explained >= len(asleep):
        return "weight", WEIGHT
    return ("weight_part", WEIGHT * explained / len(asleep)) if explained else (None, None)


def _logged_beta(points: Sequence[Mapping[str, Any]]) -> UsedBeta | None:
    """Return the last β of a log of somebody's own loop, None where it states none."""
    known = [point["beta"] for point in points if point.get("beta") is not None]
    return UsedBeta(known[-1], known[-1]) if known else None
