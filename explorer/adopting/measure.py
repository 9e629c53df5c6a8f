"""A pair of foreign networks → its model with every figure that a run of it keeps."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.adopting.pictures import choose_asked, fit_dataset
from explorer.adopting.told import Told
from explorer.analysis.collapse.beta_of_weights import Survivors, expected_survivors
from explorer.analysis.collapse.self_test import SelfTest, self_test
from explorer.analysis.subject import Subject
from explorer.datasets import ImageDataset, Split
from explorer.elbo.encoding import encode_images
from explorer.elbo.evaluation import DRAWS, Evaluation, evaluate_elbo
from explorer.models.adopted.foreign import Foreign
from explorer.models.adopted.model import AdoptedModel, adopt_fit
from explorer.models.adopted.probe import probe
from explorer.models.adopted.question import Fit, Question

Tell = Callable[[str], None]
"""Hears which step is at work: reading, testing, measuring."""

BUDGET = 40_000_000_000
"""Multiply-adds that the evaluation may take, and the codes likewise, or else the fewest images."""
FEWEST, MOST_CODES = 64, 10_000


@dataclass(frozen=True)
class Adopted:
    """A model that was understood, and what was found on the images that it is shown with."""

    model: AdoptedModel
    fits: tuple[Fit, ...]
    question: Question
    dataset: ImageDataset
    split: str
    ids: np.ndarray
    codes: tuple[np.ndarray, np.ndarray]
    labels: np.ndarray | None
    evaluation: Evaluation
    test: SelfTest
    survivors: Survivors | None
    seconds: float


def measure_pair(
    encoders: Sequence[Foreign],
    decoders: Sequence[Foreign],
    dataset: ImageDataset,
    told: Told,
    tell: Tell | None = None,
) -> Adopted:
    """Return the model of a pair: read by the probe, tested, and measured on held-out images.

    Of readings that fit alike the one whose β is nearest to the β that was told comes first.
    """
    tell = tell or (lambda step: None)
    started = time.monotonic()
    tell("reading")
    fits = _put_first(probe(encoders, decoders, ask(dataset, told)), told.beta)
    best = fits[0]
    dataset = fit_dataset(dataset, best.shape, best.reading.fit)
    question = ask(dataset, told)
    model = adopt_fit(best, question)
    tell("testing")
    subject = Subject(model, question.images)
    test = self_test(subject, beta=told.beta)
    survivors = None
    if test.implied.reason == "asleep":
        survivors = expected_survivors(subject, told.beta)
    tell("measuring")
    split = dataset.held_out()
    rows, scored = _choose(model, split)
    images = np.asarray(split.images[rows])
    mean, logvar = encode_images(model, images)
    assert logvar is not None
    return Adopted(
        model=model,
        fits=fits,
        question=question,
        dataset=dataset,
        split=split.name,
        ids=split.ids[rows],
        codes=(mean, logvar),
        labels=None if split.labels is None else split.labels[rows],
        evaluation=evaluate_elbo(model, images[scored]),
        test=test,
        survivors=survivors,
        seconds=time.monotonic() - started,
    )


def ask(dataset: ImageDataset, told: Told) -> Question:
    """Return the probe's question on a data set."""
    images = choose_asked(dataset)
    return Question(images, told.likelihood, told.sigma2, told.binarise, told.reading)


def _put_first(fits: Sequence[Fit], beta: float | None) -> tuple[Fit, ...]:
    """Return fits, of which the first is the one that a told β speaks for most."""
    if beta is None or beta <= 0 or not is_told_apart(fits):
        return tuple(fits)
    return tuple(sorted(fits, key=lambda fit: abs(float(np.log((fit.beta or beta) / beta)))))


def is_told_apart(fits: Sequence[Fit]) -> bool:
    """Tell whether a β would choose between fits: not where one has no dimension awake."""
    return all(fit.beta is not None and fit.beta > 0 for fit in fits)


def _choose(model: AdoptedModel, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a split whose codes are kept, and of these the ones that are scored."""
    encoding = model.encoder.cost.multiply_adds
    drawing = DRAWS * (encoding + model.decoder.cost.multiply_adds)
    count = int(np.clip(BUDGET // max(1, encoding), FEWEST, MOST_CODES))
    rows = _spread(len(split), count)
    return rows, _spread(len(rows), max(FEWEST, BUDGET // max(1, drawing)))


def _spread(count: int, most: int) -> np.ndarray:
    """Return at most `most` of the numbers 0..count−1, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
