"""Choose the MNIST images that are always there: `python pretrained/choose_digits.py`.

A fair sample: of DRAWS random draws of twenty test images a class, the one on which the shipped
models of MNIST have reconstruction and KL nearest to their means over all 10,000, in standard
errors. The first of each class, and of all, is then an image on which every model is near its mean.
"""

import argparse

import numpy as np

from explorer.datasets import load_dataset
from explorer.datasets.mnist200 import FILE, MNIST_PIXELS
from explorer.elbo.evaluation import evaluate_elbo
from explorer.library import Library

DRAWS = 20_000
A_CLASS = 20
CLASSES = 10
FAVOURITE = "mnist-2d"
NEAR = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", help="where torchvision data sets lie")
    options = parser.parse_args()
    test = load_dataset("mnist", data_root=options.data_root).split("test")
    assert test.labels is not None
    terms, losses = score_models(test.images, options.data_root)
    rows = order_rows(draw_rows(test.labels, terms), find_oddity(losses))
    np.savez_compressed(
        FILE,
        images=test.images[rows],
        labels=test.labels[rows].astype(np.uint8),
        ids=test.ids[rows].astype(np.int32),
    )
    errors = terms[rows].mean(0) * len(rows) ** 0.5
    print(f"{FILE.stat().st_size:,} bytes; at most {abs(errors).max():.2f} standard errors off:")
    for row in rows[:CLASSES]:
        print(test.ids[row], {name: f"{values[row]:.2f}" for name, values in losses.items()})


def score_models(
    images: np.ndarray, data_root: str | None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return reconstruction and KL (N, terms), and −ELBO (N,) by model, all standardised."""
    terms, losses = [], {}
    library = Library(data_root=data_root)
    for run in sorted(library.shipped.list(), key=lambda run: run.id):
        made_from = library.images_of(run)
        if made_from is None or made_from.pixel_digest != MNIST_PIXELS:
            continue
        found = evaluate_elbo(run.model, images)
        terms += [found.reconstruction_per_image]
        if found.kl_per_image is not None:
            terms += [found.kl_per_image]
        losses[run.id] = standardise(-found.elbo_per_image)
        print(run.id, f"{found.elbo_per_image.mean():.2f}", flush=True)
    # A term that is the same for every image, as KL of a collapsed model, tells none from another.
    told = [standardise(values) for values in terms if values.std() > 1e-3]
    return np.stack(told, 1), losses


def draw_rows(labels: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Return the rows (CLASSES, A_CLASS) of the draw whose means lie nearest to those of all."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(labels == digit) for digit in range(CLASSES)]
    best, least = None, np.inf
    for _ in range(DRAWS):
        rows = np.stack([rng.choice(rows, A_CLASS, replace=False) for rows in members])
        distance = float((terms[rows.ravel()].mean(0) ** 2).sum())
        if distance < least:
            best, least = rows, distance
    assert best is not None
    return best


def find_oddity(losses: dict[str, np.ndarray]) -> np.ndarray:
    """Return (N,) how far an image is from the mean of the model that pages open on.

    Images that any model finds more than NEAR from its mean come after all others.
    """
    worst = np.max([abs(values) for values in losses.values()], axis=0)
    return np.where(worst < NEAR, abs(losses[FAVOURITE]), worst + NEAR)


def order_rows(rows: np.ndarray, oddity: np.ndarray) -> np.ndarray:
    """Return the rows (N,) class by class again and again, the most typical image first."""
    for members in rows:
        first = int(oddity[members].argmin())
        members[[0, first]] = members[[first, 0]]
    start = int(oddity[rows[:, 0]].argmin())
    return np.roll(rows, -start, 0).T.ravel()


def standardise(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


if __name__ == "__main__":
    main()
