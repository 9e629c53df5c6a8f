"""All that a report says, gathered once: the consultation, its log, pictures and circumstances."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.checks import plain
from explorer.analysis.codes_in.told import Told
from explorer.analysis.collapse.judged import JudgedCodes
from explorer.analysis.consultation.consult import (
    Consultation,
    Weight,
    consult_codes,
    consult_run,
)
from explorer.analysis.questions.pictures import PictureVerdict, judge_model
from explorer.analysis.questions.sampling import SamplingVerdict, judge_sampling
from explorer.analysis.representation.holes import pick_images
from explorer.analysis.watch import Progress, Stop, Watch
from explorer.datasets import ImageDataset
from explorer.runs.run import Run, versions

DIAGNOSED = 2000
SHOWN = 10


@dataclass(frozen=True)
class Report:
    """What stands in a report; `made` in Unix seconds, `sheet` images and reconstructions."""

    found: Consultation
    points: Sequence[Mapping[str, Any]]
    run: Run | None = None
    pictures: PictureVerdict | None = None
    sampling: SamplingVerdict | None = None
    told: tuple[Told, ...] = ()
    sheet: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
    versions: Mapping[str, str] = field(default_factory=versions)
    made: float = field(default_factory=time.time)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: the report as JSON."""
        info = None if self.run is None else self.run.info
        return plain(
            {
                **self.found.to_dict(),
                "run": None if self.run is None else self.run.id,
                "pictures": self.pictures,
                "sampling": self.sampling,
                "told": self.told,
                "made": self.made,
                "versions": dict(self.versions),
                "trained_with": None if info is None else dict(info.versions),
            }
        )


def gather_run(
    run: Run,
    images: ImageDataset | None,
    *,
    diagnosis: Mapping[str, Any] | None = None,
    beta: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Report:
    """Return the report on a run; `images` are those it was made from, None where not at hand.

    `beta` stands in where the run does not say its own. Without a diagnosis (`Diagnosis.to_dict`)
    it is made here, which takes some seconds.
    """
    from explorer.analysis.collapse.diagnose import diagnose_run

    watch = Watch(progress, stop)
    if diagnosis is None:
        held_out = None if images is None else images.held_out().images[:DIAGNOSED]
        inner = watch.part(0.0, 0.7)
        diagnosis = diagnose_run(
            run, held_out, beta=beta, seed=seed, progress=inner.report, stop=inner.stopped
        ).to_dict()
    watch.check(0.7)
    info = run.info
    pictures = sampling = sheet = None
    if images is not None and info.has_model and info.has_shares:
        inner = watch.part(0.75, 1.0)
        pictures, sampling = ask_of_images(run, images, diagnosis, seed=seed, watch=inner)
        sheet = _show(run, pick_images(images)[1][:SHOWN])
    return Report(
        found=consult_run(run, diagnosis, images=images is not None, beta=beta),
        points=run.metrics("train") or run.metrics(),
        run=run,
        pictures=pictures,
        sampling=sampling,
        sheet=sheet,
    )


def ask_of_images(
    run: Run,
    images: ImageDataset,
    diagnosis: Mapping[str, Any],
    *,
    seed: int = 0,
    watch: Watch | None = None,
) -> tuple[PictureVerdict, SamplingVerdict]:
    """Return what is to be said of a run's reconstructions, and of its random codes."""
    watch = watch or Watch()
    verdicts = [row["verdict"] for row in diagnosis["dimensions"]]
    reference, unseen = pick_images(images)
    pictures = judge_model(run.model, unseen, verdicts=verdicts, seed=seed)
    sampling = judge_sampling(
        run.model, reference, unseen, seed=seed, progress=watch.report, stop=watch.stopped
    )
    return pictures, sampling


def gather_codes(judged: JudgedCodes, weight: Weight | None = None) -> Report:
    """Return the report on a file of codes; `weight` is what a loss beside it weighs KL with."""
    codes = judged.codes
    points = codes.points() if len(codes.steps) else []
    found = consult_codes(codes.name, judged.to_dict(), points, weight)
    return Report(found=found, points=points, told=judged.told)


def _show(run: Run, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    from explorer.analysis.representation.latents import decode_codes
    from explorer.elbo.encoding import encode_images

    made = decode_codes(run.model, encode_images(run.model, images)[0]).clip(0, 1)
    return images, (255 * made).round().astype(np.uint8)
