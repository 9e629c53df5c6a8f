"""Anyone's codes judged: the one source of the page, the command line and its JSON.

A file is read (`codes_in`), what must be said of it stands first, and then come the verdicts; of
means alone what means can tell.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from explorer.analysis.checks import Record, plain
from explorer.analysis.codes_in.reading import read_any_codes
from explorer.analysis.codes_in.result import CodesIn
from explorer.analysis.codes_in.told import Told
from explorer.analysis.collapse.diagnose import diagnose_moments
from explorer.analysis.collapse.diagnosis import Diagnosis
from explorer.analysis.collapse.means import MeansDiagnosis, diagnose_means
from explorer.analysis.collapse.prior_match import PriorMatch, check_use, match_prior, read_joint
from explorer.analysis.representation.columns import ColumnMatch, match_columns
from explorer.analysis.watch import Progress, Stop, Watch

SCORED_CODES = 5000
"""Codes among which neighbours are looked for, evenly spread over the file."""
READING, JUDGING = 0.6, 0.8
"""Shares of the work, as the progress shows them."""


@dataclass(frozen=True)
class LabelScore(Record):
    """How well a code's nearest neighbours tell its label: a share with its standard error."""

    accuracy: float
    standard_error: float
    images: int
    neighbours: int
    largest_class: float
    """Share of the most frequent label: what always guessing it would give."""


@dataclass(frozen=True)
class JudgedCodes:
    """Codes with their diagnosis, how well they tell their labels, and what follows which column.

    `prior` says whether the codes follow N(0, I), and what to do for the use that was told.
    `columns` has an entry for the labels and for every further column of the file.
    """

    codes: CodesIn
    diagnosis: Diagnosis | MeansDiagnosis
    score: LabelScore | None
    prior: PriorMatch
    columns: tuple[ColumnMatch, ...] = ()

    @property
    def told(self) -> tuple[Told, ...]:
        """What must be said above the verdicts, the gravest first."""
        count, judged = len(self.codes.mean), self.diagnosis.images
        thinned = Told("judged", {"kept": judged, "count": count})
        return (*self.codes.told, *([thinned] if judged < count else []))

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain values, with what is said of the file under "codes".

        `dimension` of each row is its index in the file, where some were left out.
        """
        values = self.diagnosis.to_dict()
        values["told"] = [told.to_dict() for told in self.told]
        for row in values["dimensions"]:
            row["dimension"] = self.codes.dimensions[row["index"]]
        columns = [column.to_dict() for column in self.columns]
        prior = self.prior.to_dict()
        for row in prior["dimensions"]:
            row["dimension"] = self.codes.dimensions[row["index"]]
        for column in columns:
            for match in column["best"]:
                match["dimension"] = self.codes.dimensions[match["index"]]
        return {
            **values,
            "codes": self.codes.to_dict(),
            "labels": plain(self.score),
            "prior": prior,
            "columns": columns,
        }


def judge_file(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    name: str | None = None,
    *,
    axes: str | None = None,
    per: str = "channel",
    spread: str | None = None,
    names: Mapping[str, str] | None = None,
    use: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> JudgedCodes:
    """Return the verdict on a file of codes; of codes over steps, on the last one.

    What the file may be and what `axes`, `per`, `spread` and `names` say: `read_any_codes`; what
    `use` the codes have (sampling, diffusion or embedding): `match_prior`.
    """
    check_use(use)
    watch = Watch(progress, stop)
    reading = watch.part(0.0, READING)
    codes = read_any_codes(
        source, name, axes=axes, per=per, spread=spread, names=names, progress=reading.report
    )
    watch.check(READING)
    inner = watch.part(READING, 1.0)
    return judge_codes(codes, use=use, seed=seed, progress=inner.report, stop=inner.stopped)


def judge_codes(
    codes: CodesIn,
    *,
    use: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> JudgedCodes:
    """Return the verdict on codes that were read; of very many some are judged, evenly spread."""
    watch = Watch(progress, stop)
    mean, logvar = codes.judged()
    if logvar is None:
        found: Diagnosis | MeansDiagnosis = diagnose_means(mean)
    else:
        inner = watch.part(0.0, JUDGING)
        found = diagnose_moments(mean, logvar, seed=seed, progress=inner.report, stop=inner.stopped)
    watch.check(JUDGING)
    joint = read_joint(found.to_dict())
    prior = match_prior(codes.mean, codes.logvar, joint=joint, items=codes.rows, use=use)
    score = score_labels(codes)
    columns = match_own_columns(codes, seed=seed, watch=watch.part(JUDGING, 1.0))
    watch.report(1.0)
    return JudgedCodes(codes, found, score, prior, columns)


def match_own_columns(
    codes: CodesIn, *, seed: int = 0, watch: Watch | None = None
) -> tuple[ColumnMatch, ...]:
    """Return which dimensions follow the labels and the columns of a file, items with all rows.

    Positions of a grid that are one item are averaged first.
    """
    columns = dict(codes.columns)
    if codes.labels is not None and codes.class_names:
        columns = {"labels": np.asarray(codes.class_names)[codes.labels], **columns}
    return match_columns(codes.mean, columns, items=codes.rows, seed=seed, watch=watch)


def score_labels(codes: CodesIn) -> LabelScore | None:
    """Return how well each code's nearest neighbours among the others tell its label.

    The means of at most `SCORED_CODES` items are used. None where there are no labels, or only
    one, or too few codes.
    """
    from explorer.analysis.representation.quality import NEIGHBOURS, neighbour_accuracy

    if codes.labels is None or len(codes.class_names) < 2:
        return None
    count = len(codes.mean)
    chosen = np.linspace(0, count - 1, min(count, SCORED_CODES)).astype(int)
    neighbours = min(NEIGHBOURS, len(chosen) - 1)
    mean, labels = codes.mean[chosen], codes.labels[chosen]
    found = neighbour_accuracy(mean, labels, neighbours=neighbours)
    largest = float(np.bincount(labels).max() / len(labels))
    return LabelScore(found.accuracy, found.standard_error, found.images, neighbours, largest)
