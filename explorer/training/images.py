"""What a training sees: the images that it was given, or those that its run or its config names."""

import os
import warnings

from explorer.codes import Array
from explorer.config import Config
from explorer.datasets import ImageDataset, load_dataset
from explorer.errors import ExplorerError
from explorer.runs.images import check_same_images, is_named, keep_images_for, need_images_of
from explorer.runs.info import DatasetInfo


def find_images(
    config: Config,
    images: ImageDataset | Array | None,
    known: DatasetInfo | None = None,
    data_root: str | os.PathLike[str] | None = None,
) -> ImageDataset:
    """Return the data set to train on: what was given, or else what a run named, or its config.

    `known` is what an unfinished run says of its images: it goes on with no others. What was given
    is kept for it; where it cannot be, a warning says so.
    """
    if images is None:
        if known is not None and is_named(known):
            return need_images_of(known, data_root)
        return load_dataset(config.dataset, data_root=data_root)
    if isinstance(images, ImageDataset):
        dataset = images
    else:
        dataset = ImageDataset.from_arrays(images, name=config.dataset)
    check_same_images(known, dataset)
    _keep(dataset, data_root)
    return dataset


def _keep(dataset: ImageDataset, data_root: str | os.PathLike[str] | None) -> None:
    """Keep what was given, or warn before the training that the run will not go on by itself."""
    try:
        if keep_images_for(dataset, data_root):
            return
        why = f"They take {dataset.images.nbytes / 1e6:.0f} MB, more than is kept of given images."
    except ExplorerError as error:
        why = str(error)
    warnings.warn(
        "This run goes on from Python alone, by `train` with the same images: the app and the "
        f"command line will not have them. {why} To have it go on anywhere, make a data set of "
        "them (save an .npy, then `latent-explorer data add FILE`) and train on that.",
        stacklevel=4,
    )
