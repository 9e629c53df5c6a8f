"""Adopting files of which nothing is known, in a process of its own with limits.

    latent-explorer adopt --encoder enc.onnx --decoder dec.onnx --images digits …

ONNX files, weights and pictures are read there alone (`worker`): what takes too long or too much
memory ends with its process, and a run appears whole or not at all.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from explorer.adopting.place import Checkpoint, placed
from explorer.adopting.told import Told
from explorer.datasets.own.shelf import Root
from explorer.errors import ExplorerError
from explorer.jobs.process import run_worker
from explorer.runs.run import Run

SECONDS = 600.0
MEMORY_BYTES = 2 << 30
DATA_BYTES = 4 << 30
"""What a process may ask for: the stacks of its threads count, touched or not."""


@dataclass(frozen=True)
class ModelFiles:
    """A model in files: two of ONNX, or weights with the layers.json that `adopt` wrote for them.

    In place of one file of weights (safetensors, or a state_dict) stand those of a training's
    checkpoints, in its order. Layers lie beside the weights where their path is not given. Raises
    ExplorerError for half a model.
    """

    encoder: Root = None
    decoder: Root = None
    weights: Root = None
    layers: Root = None
    checkpoints: Sequence[Checkpoint] = ()

    def __post_init__(self) -> None:
        drawn = self.encoder is not None or self.decoder is not None
        if drawn == (self.newest is not None):
            raise ExplorerError(
                "Give either an encoder and a decoder (ONNX), or the weights with their "
                "layers.json."
            )
        if drawn and (self.encoder is None or self.decoder is None):
            raise ExplorerError("A model is an encoder and a decoder: give both ONNX files.")

    @property
    def newest(self) -> Root:
        """The weights that are adopted: the only ones, or those of the last checkpoint."""
        return self.checkpoints[-1].source if self.checkpoints else self.weights


def adopt_files(
    directory: str | os.PathLike[str],
    files: ModelFiles,
    told: Told,
    *,
    overwrite: bool = False,
    data_root: Root = None,
    seconds: float = SECONDS,
    progress: Callable[[str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Run, str]:
    """Write a run of networks in files, and return it with what must be asked of its reading.

    Of checkpoints it is one run with its film, as `explorer.replay` writes it. The images that are
    told of are a name or a path, and β is that of the last checkpoint where there are some. The
    question is "" where one reading stands alone. Raises ExplorerError with one sentence, and
    warns where weights were matched by their order, since they are called otherwise.
    """
    if files.checkpoints:
        told = replace(told, beta=files.checkpoints[-1].beta)
    with placed(directory, overwrite) as path:
        job = {
            "files": asdict(_with_whole_paths(files)),
            "told": asdict(replace(told, images=os.fspath(told.images))),
            "data_root": _as_text(data_root),
            "path": os.fspath(files.newest or files.encoder or ""),
            "folder": str(path.parent),
            "seconds": seconds,
            "memory_bytes": MEMORY_BYTES,
            "data_bytes": DATA_BYTES,
            "what": "this model",
            "advice": "bring a smaller one, or its codes alone (.npz)",
        }
        tell = None if progress is None else lambda done, total: progress(str(done))
        found: Any = run_worker("explorer.adopting.worker", job, tell, stop)
    if found["note"]:
        warnings.warn(found["note"], stacklevel=2)
    return Run(directory), found["question"]


def _with_whole_paths(files: ModelFiles) -> ModelFiles:
    """Return the same files by paths that hold in every folder."""
    return ModelFiles(
        encoder=_as_text(files.encoder),
        decoder=_as_text(files.decoder),
        weights=_as_text(files.weights),
        layers=_as_text(files.layers),
        checkpoints=[replace(each, source=_as_text(each.source)) for each in files.checkpoints],
    )


def _as_text(path: Root) -> str | None:
    return None if path is None else os.path.abspath(path)
