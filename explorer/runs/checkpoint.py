"""Weights, optimiser and random state in one safetensors file."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models import Model, build_model
from explorer.models.adopted.model import AdoptedModel
from explorer.models.adopted.question import build_adopted_likelihood
from explorer.models.adopted.weights import WEIGHTS_FILE, read_networks
from explorer.runs.info import RunInfo

WEIGHT = "model."
OPTIMISER = "optimiser."
RANDOM_STATE = "random_state"


class Optimiser(Protocol):
    """What adapts the steps of a training, and what it needs to go on."""

    def state(self) -> dict[int, dict[str, Tensor]]:
        """Return tensors by name, of each parameter by its place."""
        ...

    def restore(self, state: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Go on from what `state` returned."""
        ...


class StoredRun(Protocol):
    """What weights need to know of the run that they belong to."""

    path: Path
    id: str

    @property
    def info(self) -> RunInfo:
        """The content of run.json."""
        ...


def pack_weights(
    model: nn.Module,
    dtype: torch.dtype | None = None,
    metadata: dict[str, Any] | None = None,
) -> bytes:
    """Return weights alone, in `dtype` where one is given: without `metadata`, the final file."""
    learned = dict(model.named_parameters())
    # Running statistics are few and may lie below half precision's range: they stay as they are.
    tensors = {
        WEIGHT + name: (value.to(dtype) if dtype and name in learned else value)
        for name, value in model.state_dict().items()
    }
    return _pack(tensors, {"complete": True, **(metadata or {})})


def pack_training(
    model: nn.Module,
    optimiser: Optimiser | None,
    generator: torch.Generator,
    metadata: Mapping[str, Any],
) -> bytes:
    """Return everything that is needed to go on training as if nothing had happened."""
    tensors = {WEIGHT + name: value for name, value in model.state_dict().items()}
    if optimiser is not None:
        for index, state in optimiser.state().items():
            for key, value in state.items():
                tensors[f"{OPTIMISER}{index}.{key}"] = value
    tensors[RANDOM_STATE] = generator.get_state()
    return _pack(tensors, {**metadata, "complete": False})


def unpack_training(
    content: Mapping[str, Tensor],
    model: nn.Module,
    optimiser: Optimiser | None,
    generator: torch.Generator,
) -> None:
    """Put the tensors of `pack_training` back where they came from."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in content.items():
        if name.startswith(OPTIMISER):
            index, key = name.removeprefix(OPTIMISER).split(".")
            state.setdefault(int(index), {})[key] = value
    try:
        model.load_state_dict(_weights(content))
        if optimiser is not None:
            optimiser.restore(state)
        generator.set_state(content[RANDOM_STATE].cpu())
    except (RuntimeError, LookupError, ValueError) as error:
        raise ExplorerError(
            "This checkpoint cannot be continued here: it is of another model, version or device."
        ) from error


def read_checkpoint(run: StoredRun) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors by name and the metadata of a run's checkpoint."""
    return read_tensors(run.path / "checkpoint.safetensors", run.id)


def read_tensors(path: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and metadata of the checkpoint at `path`, which belongs to `name`."""
    if not path.is_file():
        raise ExplorerError(f"The run {name} has no weights.")
    try:
        with safe_open(path, framework="pt") as archive:
            metadata = json.loads((archive.metadata() or {}).get("explorer", "{}"))
            if not isinstance(metadata, dict):
                raise ValueError("its notes are no table")
            return {name: archive.get_tensor(name) for name in archive.keys()}, metadata
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise ExplorerError(f"The weights of run {name} cannot be read: {error}.") from error


def load_model(run: StoredRun) -> Model:
    """Return the run's model with its stored weights, on the CPU, in evaluation mode."""
    kind = run.info.model.kind
    if kind not in LOADERS:
        raise ExplorerError(f"The run {run.id} holds figures and codes but no model.")
    return LOADERS[kind](run).eval().requires_grad_(False)


def load_config_model(run: StoredRun) -> Model:
    """Return a model that is built from the run's config, with its stored weights."""
    info = run.info
    if info.config is None or info.model.shape is None:
        raise ExplorerError(f"The run {run.id} does not say how its model is built.")
    model = build_model(info.config.model, info.model.shape)
    weights = _weights(read_checkpoint(run)[0])
    reference = model.state_dict()
    try:
        model.load_state_dict({name: value.to(reference[name]) for name, value in weights.items()})
    except (RuntimeError, KeyError) as error:
        raise ExplorerError(f"The weights of run {run.id} do not fit its config.") from error
    return model


def load_adopted_model(run: StoredRun) -> Model:
    """Return a model that was made elsewhere, from its layers.json and the weights beside it."""
    stated = run.info.model
    if stated.likelihood is None or stated.shape is None:
        raise ExplorerError(f"The run {run.id} does not say which likelihood its model has.")
    encoder, decoder = read_networks(run.path / WEIGHTS_FILE)
    likelihood = build_adopted_likelihood(
        stated.likelihood.name, stated.likelihood.sigma2, stated.likelihood.binarise, stated.shape
    )
    return AdoptedModel(encoder, decoder, stated.shape, likelihood)


LOADERS: dict[str, Callable[[StoredRun], Model]] = {
    "config": load_config_model,
    "layers": load_adopted_model,
    "onnx": load_adopted_model,
}
"""By the kind of model that run.json states (`info.MODEL_KINDS`)."""


def _weights(content: Mapping[str, Tensor]) -> dict[str, Tensor]:
    named = {
        name.removeprefix(WEIGHT): value
        for name, value in content.items()
        if name.startswith(WEIGHT)
    }
    # A learned prior was called a mixture before it became one of several.
    return {
        name.replace("mixture.", "prior.", 1) if name.startswith("mixture.") else name: value
        for name, value in named.items()
    }


def _pack(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> bytes:
    ready = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    return save(ready, {"explorer": json.dumps(metadata)})
