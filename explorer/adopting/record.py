"""What was found of an adopted model → a run directory like any other."""

import os
from typing import Any

import numpy as np
import torch

from explorer.adopting.measure import Adopted
from explorer.adopting.pictures import keep_dataset
from explorer.adopting.told import Told
from explorer.analysis.checks import plain
from explorer.datasets.own.shelf import Root
from explorer.files import read_json, replace_json
from explorer.models.adopted.block import model_block, network_kind
from explorer.models.adopted.unfolded import describe_original
from explorer.models.adopted.weights import save_networks
from explorer.runs.images import describe_dataset
from explorer.runs.info import LikelihoodInfo, ModelInfo
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter

SHOWN = 16
"""Pictures that a run without a model keeps, of its images, their reconstructions and samples."""


def write_run(
    directory: str | os.PathLike[str],
    adopted: Adopted,
    told: Told,
    data_root: Root = None,
) -> None:
    """Write a run of an adopted model into a new folder, and keep its images.

    Networks that no file can hold leave a run without a model: codes, figures and pictures.
    """
    dataset = keep_dataset(adopted.dataset, data_root)
    model = adopted.model
    writer = RunWriter(
        directory,
        model=describe_model(adopted, told.beta),
        dataset=describe_dataset(dataset),
    )
    with writer:
        if writer.info.has_model:
            original = describe_original(adopted.fits[0])
            save_networks(writer.path, model.encoder, model.decoder, original)
        else:
            _keep_pictures(writer, adopted)
        mean, logvar = adopted.codes
        writer.save_codes(mean, logvar, adopted.labels, adopted.ids)
        weights = sum(tensor.numel() for tensor in model.state_dict().values())
        timing = {"seconds": adopted.seconds, "parameters": weights}
        writer.set_results({adopted.split: adopted.evaluation.to_dict()}, timing)
    if told.name is not None:
        Run(writer.path).rename(told.name)


def settle_reading(run: Run) -> None:
    """Forget the other readings of a run, once somebody has said that its own is the right one."""
    values = read_json(run.path / "run.json")
    values["model"]["adopted"]["also_fits"] = []
    replace_json(run.path / "run.json", values)


def describe_model(adopted: Adopted, beta: float | None) -> ModelInfo:
    """Return what run.json says of the model."""
    test, survivors = adopted.test, adopted.survivors
    block: dict[str, Any] = model_block(
        adopted.model,
        adopted.fits,
        adopted.question,
        beta=beta,
        implied=test.implied.to_dict(),
        report=test.to_dict(),
    )
    block["adopted"]["survivors"] = None if survivors is None else survivors.to_dict()
    return ModelInfo(
        kind=network_kind(adopted.model.encoder, adopted.model.decoder),
        latent_kind="gaussian",
        latent_dim=adopted.model.latent_dim,
        shape=adopted.model.shape,
        likelihood=LikelihoodInfo(**block["likelihood"]),
        adopted=plain(block["adopted"]),
    )


@torch.no_grad()
def _keep_pictures(writer: RunWriter, adopted: Adopted) -> None:
    """Keep some images with their reconstructions, and samples of the prior."""
    model, mean = adopted.model, adopted.codes[0]
    rows = np.arange(min(SHOWN, len(mean)))
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((SHOWN, model.latent_dim), generator=generator)
    pictures = [model.decode(z).mean.clamp(0, 1) for z in (torch.from_numpy(mean[rows]), noise)]
    writer.snapshot(
        0,
        mean=mean,
        logvar=adopted.codes[1],
        labels=adopted.labels,
        inputs=np.asarray(adopted.dataset.images[adopted.ids[rows]]),
        reconstructions=pictures[0],
        samples=pictures[1],
    )
