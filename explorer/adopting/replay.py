"""`explorer.replay`: the checkpoints that a training left behind become one run with its film.

    run = explorer.replay("my-film", checkpoints=[(1000, "a.pt"), (2000, "b.pt")], load=load,
                          images=x, likelihood="bernoulli")

The last checkpoint is adopted; its reading is applied to all the others, on the same images.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.adopting.adopt import known_reading
from explorer.adopting.measure import Adopted, Tell, measure_pair
from explorer.adopting.pictures import gather_images
from explorer.adopting.place import Checkpoint, order_checkpoints, placed
from explorer.adopting.record import write_run
from explorer.adopting.told import Told
from explorer.analysis.subject import Subject
from explorer.datasets import Split
from explorer.datasets.own.shelf import Root
from explorer.elbo.terms import sample_codes
from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import Foreign, keep_callable
from explorer.models.adopted.model import AdoptedModel, adopt_fit
from explorer.models.adopted.opening import open_pair
from explorer.models.adopted.question import Fit
from explorer.models.adopted.reading import Cut
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter

Load = Callable[[Any], tuple[Any, Any]]
"""Returns (encode, decode) of a checkpoint, as `explorer.adopt` takes them."""

IMAGES = 1000
"""Images at most that every checkpoint encodes, the same in each frame."""
PICTURES = 16
CHUNK = 100


def replay(
    directory: str | os.PathLike[str],
    checkpoints: Sequence[tuple[int, Any]],
    *,
    load: Load,
    images: Any,
    labels: Any = None,
    likelihood: str,
    sigma2: float | None = None,
    binarise: bool = False,
    reading: str | Mapping[str, Any] = "probe",
    beta: float | None = None,
    betas: Sequence[float] | None = None,
    name: str | None = None,
    overwrite: bool = False,
    data_root: Root = None,
    tell: Tell | None = None,
) -> Run:
    """Write one run of a training's checkpoints: KL per dimension, reconstruction and a film.

    `checkpoints` are pairs (step, whatever `load` takes), `load(it)` returns (encode, decode); the
    same modules with other weights will do. Figures are of at most `IMAGES` images, with one draw
    of z. A dimension that sleeps at a checkpoint fell asleep after the one before. `beta` is that
    of the whole training; `betas`, of a schedule, has one for each checkpoint, in their order. The
    rest is as in `explorer.adopt`, which takes the last checkpoint. Raises ExplorerError with one
    sentence.
    """
    ordered = order_checkpoints(checkpoints, beta, betas)
    last = ordered[-1]
    told = Told(images, likelihood, sigma2, binarise, known_reading(reading), last.beta, name)
    tell = tell or (lambda step: None)
    with placed(directory, overwrite) as path:
        dataset = gather_images(images, labels, Path(directory).name, data_root)
        pair = load(last.source)
        opened = open_pair(*pair, dataset.shape, keep=True)
        adopted = measure_pair(*opened, dataset, told, tell)
        write_run(path, adopted, told, data_root)
        models = ((each, apply_reading(adopted, *load(each.source))) for each in ordered)
        write_film(path, adopted, models, tell)
    return Run(directory)


def write_film(
    path: Path, adopted: Adopted, models: Iterable[tuple[Checkpoint, AdoptedModel]], tell: Tell
) -> None:
    """Add to a run of the last checkpoint the figures and the frame of each, in order of step.

    Where no β was told it is the one that the last checkpoint's weights imply.
    """
    writer, last = RunWriter(path, info=Run(path).info), 0
    for checkpoint, model in models:
        last = checkpoint.step
        tell(f"step {last:,}")
        beta = writer.info.beta if checkpoint.beta is None else checkpoint.beta
        add_frame(writer, last, model, adopted.dataset.held_out(), beta)
    writer.set_plan(last)
    writer.set_state("finished", step=last)


def apply_reading(adopted: Adopted, encode: Any, decode: Any) -> AdoptedModel:
    """Return the model of other weights, read as the adopted one is.

    They are called as they are, since drawing them takes seconds; where the reading needs a
    drawing (noise inside an encoder) they are drawn.
    """
    fit = adopted.fits[0]
    if fit.reading.heads == "noise":
        encoders, decoders = open_pair(encode, decode, fit.shape)
        found = _same_shapes(fit, encoders, decoders)
    else:
        found = (
            keep_callable(encode, fit.encoder.shape, "The encoder"),
            keep_callable(decode, fit.decoder.shape, "The decoder"),
        )
    return read_alike(adopted, *found)


def read_alike(adopted: Adopted, encoder: Foreign, decoder: Foreign) -> AdoptedModel:
    """Return the model of networks of other weights, read as the adopted ones are."""
    fit = adopted.fits[0]
    reading = dataclasses.replace(
        fit.reading,
        mean=_relocate(fit.reading.mean, fit.encoder, encoder),
        spread_at=_relocate(fit.reading.spread_at, fit.encoder, encoder),
        pixels=_relocate(fit.reading.pixels, fit.decoder, decoder),
    )
    changed = dataclasses.replace(fit, reading=reading, encoder=encoder, decoder=decoder)
    return adopt_fit(changed, adopted.question)


def _same_shapes(
    fit: Fit, encoders: Sequence[Foreign], decoders: Sequence[Foreign]
) -> tuple[Foreign, Foreign]:
    encoder = next((e for e in encoders if e.shape == fit.encoder.shape), encoders[0])
    return encoder, next((d for d in decoders if d.shape == fit.decoder.shape), decoders[0])


def _relocate(cut: Cut, first: Foreign, other: Foreign) -> Cut:
    """Return where the same part of the same array lies in another network's flat row."""
    part = next(s for s in first.segments if s.start <= cut.start and cut.stop <= s.stop)
    there = next((s for s in other.segments if (s.name, s.shape) == (part.name, part.shape)), None)
    if there is None:
        raise ExplorerError(
            f"A checkpoint's networks return no {part.name} of {part.shape} as the last one's do: "
            "all checkpoints must be of one model."
        )
    moved = there.start - part.start
    return Cut(cut.start + moved, cut.stop + moved, cut.step)


@torch.no_grad()
def add_frame(
    writer: RunWriter, step: int, model: AdoptedModel, split: Split, beta: float | None
) -> None:
    """Log a checkpoint's figures on the same images, and keep its frame of the film."""
    rows = np.unique(np.linspace(0, len(split) - 1, min(IMAGES, len(split))).astype(np.int64))
    images = np.asarray(split.images[rows])
    subject = Subject(model, images)
    mean, logvar = subject.posterior
    if not bool(mean.isfinite().all() and logvar.isfinite().all()):
        raise ExplorerError(f"The checkpoint of step {step:,} gives NaN: leave it out.")
    generator = torch.Generator().manual_seed(0)
    z = sample_codes(mean, logvar, 1, generator)
    nll = torch.cat([model.nll(codes, x) for codes, x in _chunks(z, subject.x)])
    writer.log(step, mean=mean, logvar=logvar, reconstruction=nll, beta=beta)
    labels = None if split.labels is None else split.labels[rows]
    noise = torch.randn((PICTURES, model.latent_dim), generator=generator)
    writer.snapshot(
        step,
        mean,
        logvar,
        labels=labels,
        inputs=images[:PICTURES],
        reconstructions=model.decode(mean[:PICTURES]).mean.clamp(0, 1),
        samples=model.decode(noise).mean.clamp(0, 1),
    )


def _chunks(z: Tensor, x: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(torch.split(z, CHUNK), torch.split(x, CHUNK), strict=True)
