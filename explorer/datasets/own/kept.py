"""A data set on disk: its pixels in one file to be mapped, and what is known of them beside it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from explorer.datasets.images import ImageDataset
from explorer.datasets.own.pixels import HEADER_BYTES
from explorer.datasets.report import Report
from explorer.errors import ExplorerError
from explorer.files import make_folder, replace_file, replace_json

SCHEMA = 1
DESCRIPTION, ROWS, NAMES = "dataset.json", "rows.npz", "names.txt"


def write_description(folder: Path, dataset: ImageDataset, created: float) -> None:
    """Write all of a data set but its pixels: dataset.json, rows.npz and names.txt.

    `created` is in Unix seconds. dataset.json comes last: where it is, the others are whole.
    """
    make_folder(folder)
    arrays: dict[str, Any] = {
        f"split {part}": rows for part, rows in dataset.splits.items() if part != "all"
    }
    if dataset.labels is not None:
        arrays["labels"] = dataset.labels
    arrays |= {f"factor {at}": values for at, values in enumerate(dataset.factors.values())}
    replace_file(folder / ROWS, lambda stream: np.savez(stream, allow_pickle=False, **arrays))
    if dataset.names is not None:
        text = "\n".join(dataset.names)
        replace_file(folder / NAMES, lambda stream: stream.write(text.encode()))
    description = {
        "schema": SCHEMA,
        "name": dataset.name,
        "pixels": dataset.pixel_digest,
        "images": len(dataset),
        "shape": dataset.shape,
        "class_names": dataset.class_names,
        "factors": list(dataset.factors),
        "created": created,
        "report": None if dataset.report is None else dataset.report.to_dict(),
    }
    replace_json(folder / DESCRIPTION, description)


def read_description(folder: Path) -> dict[str, Any]:
    """Return what dataset.json says; ExplorerError where it cannot be read."""
    try:
        values: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        schema = values["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExplorerError(
            f"The data set at {folder} is damaged: remove it and add it again."
        ) from error
    if schema > SCHEMA:
        raise ExplorerError(f"The data set at {folder} was written by a newer Latent Explorer.")
    return values


def open_kept(folder: Path, pixels: Path) -> ImageDataset:
    """Return a data set from its description and its pixels, which are mapped, not read.

    Raises ExplorerError where a part is missing or does not fit.
    """
    values = read_description(folder)
    shape = (values["images"], *values["shape"])
    try:
        if pixels.stat().st_size != HEADER_BYTES + math.prod(shape):
            raise ValueError(shape)
        images = np.memmap(pixels, np.uint8, "r", HEADER_BYTES, shape)
        with np.load(folder / ROWS, allow_pickle=False) as rows:
            arrays = dict(rows)
        names = None
        if (folder / NAMES).is_file():
            names = tuple((folder / NAMES).read_text(encoding="utf-8").split("\n"))
        return ImageDataset(
            name=values["name"],
            images=images,
            labels=arrays.get("labels"),
            class_names=tuple(values["class_names"]),
            factors={name: arrays[f"factor {at}"] for at, name in enumerate(values["factors"])},
            splits={
                key.removeprefix("split "): part
                for key, part in arrays.items()
                if key.startswith("split ")
            },
            names=names,
            report=values["report"] and Report.from_dict(values["report"]),
            known_digest=values["pixels"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExplorerError(
            f"The data set '{values['name']}' is damaged: remove it and add it again."
        ) from error
