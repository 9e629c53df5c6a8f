"""`explorer.adopt`: the VAE that somebody trained elsewhere becomes a run that every page serves.

    run = explorer.adopt("my-vae", encode=vae.encode, decode=vae.decode, images=x,
                         likelihood="bernoulli")

Torch networks become layers and weights in plain files; no code of theirs is needed afterwards.
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explorer.adopting.measure import Adopted, Tell, is_told_apart, measure_pair
from explorer.adopting.pictures import gather_images
from explorer.adopting.place import placed
from explorer.adopting.record import write_run
from explorer.adopting.told import Told
from explorer.datasets.own.shelf import Root
from explorer.errors import ExplorerError
from explorer.models.adopted.opening import Source, open_pair
from explorer.models.adopted.question import Fit, build_adopted_likelihood
from explorer.runs.run import Run

SAME = 0.05
"""Share of KL and β by which readings may differ that say the same."""


def adopt(
    directory: str | os.PathLike[str],
    *,
    encode: Source | str,
    decode: Source | str,
    images: Any,
    labels: Any = None,
    likelihood: str,
    sigma2: float | None = None,
    binarise: bool = False,
    reading: str | Mapping[str, Any] = "probe",
    beta: float | None = None,
    name: str | None = None,
    overwrite: bool = False,
    data_root: Root = None,
    tell: Tell | None = None,
) -> Run:
    """Write a run of a foreign VAE and return it: model, codes, figures and a self-test.

    `encode` and `decode` are torch modules, methods or functions of a batch, whatever they return,
    or ONNX files (paths). `images` is a data set, the name of one, a path, or an array or tensor
    (N, C, H, W); what it was trained on serves best. `likelihood` is the one that the loss meant:
    bernoulli (cross-entropy; `binarise` where pixels were drawn 0 or 1), continuous-bernoulli,
    gaussian (squared error), laplace (absolute error) or discretized-logistic; `sigma2` is the
    variance of a pixel of these three, in the decoder's own units, by default the mean squared
    error: for a loss of Σ(x − x̂)² it is 0.5, for one of Σ|x − x̂| it is 2.
    `reading` is "probe", or what is known of layout, scale, shift, fit, heads, spread, output and
    output_layout. `beta` is the β of the training.

    Where readings fit alike the run keeps them all and a warning says so. Networks that cannot be
    turned into layers leave a run of codes and pictures. Raises ExplorerError with one sentence.
    """
    build_adopted_likelihood(likelihood, None, False, (1, 1, 1))
    told = Told(images, likelihood, sigma2, binarise, known_reading(reading), beta, name)
    with placed(directory, overwrite) as path:
        dataset = gather_images(images, labels, Path(directory).name, data_root)
        pair = open_pair(as_source(encode), as_source(decode), dataset.shape, keep=True)
        adopted = measure_pair(*pair, dataset, told, tell)
        write_run(path, adopted, told, data_root)
    if sentence := explain_doubt(adopted, beta):
        warnings.warn(sentence, stacklevel=2)
    return Run(directory)


def as_source(source: Any) -> Source:
    """Return a path as a Path; everything else as it is."""
    return Path(source) if isinstance(source, str | os.PathLike) else source


def known_reading(reading: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is known of a reading: nothing for "probe"."""
    if isinstance(reading, Mapping):
        return reading
    if reading != "probe":
        raise ExplorerError('reading is "probe", or a table such as {"spread": "log-sd"}.')
    return {}


def explain_doubt(adopted: Adopted, beta: float | None) -> str:
    """Return what must be asked of readings that fit alike; "" where nothing hangs on it.

    `beta` is the β that was told, which is not asked for again, nor where no reading implies one.
    """
    if not any(_differs(fit, adopted.fits[0]) for fit in adopted.fits[1:]):
        return ""
    shown = [
        f"spread {fit.reading.spread}, heads {fit.reading.heads}, output {fit.reading.output} "
        f"(KL {fit.kl:.2f} nats, " + ("β unknown)" if fit.beta is None else f"β {fit.beta:.2g})")
        for fit in adopted.fits[:3]
    ]
    return (
        f"{len(adopted.fits)} readings of this model fit alike: {'; or '.join(shown)}. The first "
        f"was taken: tell {_list_deciders(adopted.fits, beta)} to choose."
    )


def _list_deciders(fits: Sequence[Fit], beta: float | None) -> str:
    """Return in words what would decide between readings and was not told."""
    known = "what you know as reading={…}"
    return known if beta is not None or not is_told_apart(fits) else f"beta, or {known},"


def _differs(fit: Fit, first: Fit) -> bool:
    """Tell whether a reading says anything else than the first, in its KL or its β."""
    pairs = ((fit.kl, first.kl), (fit.beta, first.beta))
    return any(
        (a is None) != (b is None)
        or (a is not None and b is not None and abs(a - b) > SAME * max(abs(a), abs(b)))
        for a, b in pairs
    )
