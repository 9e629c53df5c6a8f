"""Adopting files of which nothing is known, in a process of its own with limits.

    latent-explorer adopt --encoder enc.onnx --decoder dec.onnx --images digits …

ONNX files, weights and pictures are read there alone (`worker`): what takes too long or too much
memory ends with its process, and a run appears whole or not at all.
"""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from explorer.adopting.place import check_beta, order_checkpoints, placed
from explorer.datasets.own.shelf import Root
from explorer.errors import ExplorerError
from explorer.jobs.process import run_worker
from explorer.runs.run import Run

SECONDS = 600.0
MEMORY_BYTES = 2 << 30
DATA_BYTES = 4 << 30
"""What a process may ask for: the stacks of its threads count, touched or not."""


def adopt_files(
    directory: str | os.PathLike[str],
    *,
    encoder: str | os.PathLike[str] | None = None,
    decoder: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    layers: str | os.PathLike[str] | None = None,
    images: str | os.PathLike[str],
    likelihood: str,
    sigma2: float | None = None,
    binarise: bool = False,
    reading: Mapping[str, Any] | None = None,
    beta: float | None = None,
    name: str | None = None,
    overwrite: bool = False,
    data_root: Root = None,
    seconds: float = SECONDS,
    progress: Callable[[str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Run, str]:
    """Write a run of networks in files, and return it with what must be asked of its reading.

    Either two ONNX files, or `weights` (safetensors, or a state_dict) with the `layers` beside
    them, as `adopt` writes both. The rest is as in `explorer.adopt`; `images` is a name or a path.
    The question is "" where one reading stands alone. Raises ExplorerError with one sentence, and
    warns where weights were matched by their order, since they are called otherwise.
    """
    if (weights is None) == (encoder is None and decoder is None):
        raise ExplorerError(
            "Give either an encoder and a decoder (ONNX), or the weights with their layers.json."
        )
    if weights is None and (encoder is None or decoder is None):
        raise ExplorerError("A model is an encoder and a decoder: give both ONNX files.")
    return _adopt(
        directory,
        {"encoder": encoder, "decoder": decoder, "weights": weights, "layers": layers},
        {
            "images": images, "likelihood": likelihood, "sigma2": sigma2, "binarise": binarise,
            "reading": reading, "beta": beta, "name": name,
        },
        overwrite, data_root, seconds, progress, stop,
    )  # fmt: skip


def replay_files(
    directory: str | os.PathLike[str],
    checkpoints: Sequence[tuple[int, str | os.PathLike[str]]],
    *,
    layers: str | os.PathLike[str],
    images: str | os.PathLike[str],
    likelihood: str,
    sigma2: float | None = None,
    binarise: bool = False,
    reading: Mapping[str, Any] | None = None,
    beta: float | None = None,
    betas: Sequence[float] | None = None,
    name: str | None = None,
    overwrite: bool = False,
    data_root: Root = None,
    seconds: float = SECONDS,
    progress: Callable[[str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Run, str]:
    """Write one run of a training's checkpoints, as `explorer.replay` does, from files alone.

    `checkpoints` are pairs (step, weights), all of the networks that `layers` describes; `betas`
    has one β for each of them, where it changed. The rest, and what comes back, as in
    `adopt_files`.
    """
    found = order_checkpoints(checkpoints, beta, betas)
    ordered = [(each.step, _as_text(each.source), each.beta) for each in found]
    return _adopt(
        directory,
        {"weights": ordered[-1][1], "layers": layers},
        {
            "images": images, "likelihood": likelihood, "sigma2": sigma2, "binarise": binarise,
            "reading": reading, "beta": found[-1].beta, "name": name, "checkpoints": ordered,
        },
        overwrite, data_root, seconds, progress, stop,
    )  # fmt: skip


def _adopt(
    directory: str | os.PathLike[str],
    files: Mapping[str, Root],
    told: Mapping[str, Any],
    overwrite: bool,
    data_root: Root,
    seconds: float,
    progress: Callable[[str], None] | None,
    stop: Callable[[], bool] | None,
) -> tuple[Run, str]:
    """Have a worker adopt files with what is told of them; return the run and the question."""
    check_beta(told["beta"])
    with placed(directory, overwrite) as path:
        job = {
            **dict.fromkeys(("encoder", "decoder", "weights", "layers", "checkpoints")),
            **told,
            **{part: _as_text(file) for part, file in files.items()},
            "path": os.fspath(files.get("weights") or files.get("encoder") or ""),
            "folder": str(path.parent),
            "images": os.fspath(told["images"]),
            "reading": dict(told["reading"] or {}),
            "data_root": _as_text(data_root),
            "seconds": seconds,
            "memory_bytes": MEMORY_BYTES,
            "data_bytes": DATA_BYTES,
            "what": "this model",
            "advice": "bring a smaller one, or its codes alone (.npz)",
        }
        tell = None if progress is None else lambda done, total: progress(str(done))
        found: Any = run_worker("explorer.adopting.worker", job, tell, stop)
    if found["note"]:
        warnings.warn(found["note"], stacklevel=3)
    return Run(directory), found["question"]


def _as_text(path: Root) -> str | None:
    return None if path is None else os.path.abspath(path)
