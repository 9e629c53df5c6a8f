"""Weights without code: safetensors or a state_dict (`weights_only=True`) and a layer list beside.

`layers.json`, schema 1:
    {"schema": 1,
     "encoder": {"shape": [1, 28, 28], "layers": [{"kind": "linear", "weight": "fc1.weight"}, …]},
     "decoder": {"shape": [2], "layers": […]}}
Kinds and settings are those of `layers.py`; weights stand by their names in the file of weights.
"original" may hold both once more, unfolded and by the names of the network's own state_dict; an
array that is no weight stands there as {"values": [2.0], "shape": []}.
Pickles, whole modules and other formats that run code are refused before anything is read.
"""

import json
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from explorer.archives.zips import open_zip
from explorer.errors import ExplorerError
from explorer.files import replace_file, replace_json
from explorer.models.adopted.foreign import Foreign, Named, check_network, from_layers
from explorer.models.adopted.formats import LONGEST_LIST, SAVE_STATE, check_kind, sniff
from explorer.models.adopted.layers.limits import (
    MAX_DEPTH,
    MAX_LAYERS,
    MAX_WEIGHTS,
    check_weights,
    shown,
)
from explorer.models.adopted.layers.network import Network
from explorer.models.adopted.layers.schema import SCHEMAS, Layer, Layers, opaque_kind
from explorer.models.adopted.names import explain_match, has_names, match_names
from explorer.models.adopted.onnx.graph import OnnxGraph
from explorer.models.adopted.originals import read_constant
from explorer.models.adopted.trace.outputs import LOGITS, MEAN, STD

SCHEMA = 1
PARTS, ORIGINAL = ("encoder", "decoder"), "original"
LAYERS_FILE, WEIGHTS_FILE = "layers.json", "checkpoint.safetensors"
MAX_JSON_BYTES = 4_000_000
MAX_TENSORS = 10_000
ROLES = ("", MEAN, STD, LOGITS)
INSIDE = ("state_dict", "model_state_dict", "model", "weights")
"""Where checkpoints keep their state_dict."""


def describe_layers(layers: Sequence[Layer], keep: Callable[[Tensor], Any]) -> list[dict[str, Any]]:
    """Return layers as plain dictionaries; `keep(tensor)` gives what stands for each weight."""
    found = []
    for layer in layers:
        described = {"kind": layer.kind, **layer.settings}
        if layer.kind == "opaque":
            module = layer.settings["module"]
            described = {"kind": module.kind, "file": keep(module.file)}
        described |= {name: keep(tensor) for name, tensor in layer.tensors.items()}
        if layer.branches:
            described["branches"] = [describe_layers(branch, keep) for branch in layer.branches]
        found.append(described)
    return found


def pack_networks(encoder: Network, decoder: Network) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return layers.json's content and the weights by name.

    Raises ExplorerError for a callable that could not be drawn: no file can hold it.
    """
    tensors: dict[str, Tensor] = {}
    values: dict[str, Any] = {"schema": SCHEMA}
    for part, network in zip(PARTS, (encoder, decoder), strict=True):

        def keep(tensor: Tensor, part: str = part) -> str:
            name = f"{part}.{len(tensors)}"
            tensors[name] = tensor.detach().cpu().contiguous()
            return name

        if opaque_kind(network.layers) == "callable":
            raise ExplorerError(
                f"The {part} could not be turned into layers, so that no file can hold it: keep "
                "its codes and pictures, or export it to ONNX."
            )
        layers = describe_layers(network.layers, keep)
        values[part] = {"shape": list(network.shape), "layers": layers}
    return values, tensors


def save_networks(
    folder: Path, encoder: Network, decoder: Network, original: Mapping[str, Any] | None = None
) -> None:
    """Write layers.json and checkpoint.safetensors, each in one step.

    `original` is what `unfolded.describe_original` gives.
    """
    values, tensors = pack_networks(encoder, decoder)
    if original is not None:
        values[ORIGINAL] = dict(original)
    replace_file(folder / WEIGHTS_FILE, lambda stream: stream.write(save(tensors)))
    replace_json(folder / LAYERS_FILE, values)


def read_foreign(weights: Path, layers: Path | None = None) -> tuple[Foreign, Foreign]:
    """Read encoder and decoder as `read_networks` does, for the probe: their meaning is open."""
    values, (encoder, decoder) = _read_pair(weights, layers)
    return (
        from_layers(encoder.layers, encoder.shape, "the encoder", _outputs(values, "encoder")),
        from_layers(decoder.layers, decoder.shape, "the decoder", _outputs(values, "decoder")),
    )


def read_networks(weights: Path, layers: Path | None = None) -> tuple[Network, Network]:
    """Read encoder and decoder from a file of weights and the layers.json beside it.

    Raises ExplorerError with one sentence for every file that is none of ours.
    """
    return _read_pair(weights, layers)[1]


def _read_pair(
    weights: Path, layers: Path | None
) -> tuple[dict[str, Any], tuple[Network, Network]]:
    """Return the description that serves a file of weights, and the networks of it."""
    layers = layers or weights.with_name(LAYERS_FILE)
    tensors = read_weights(weights)
    values = _read_json(layers)
    if values.get("schema") != SCHEMA:
        raise ExplorerError(
            f"{layers.name} is of schema {shown(values.get('schema'))}; this version reads "
            f"schema {SCHEMA}."
        )
    values = _choose_names(values, tensors)
    tensors = match_names(_all_layers(values), tensors, weights.name)
    found = []
    for part in PARTS:
        described: Any = values.get(part)
        if not isinstance(described, dict) or not isinstance(described.get("layers"), list):
            raise ExplorerError(f"{layers.name} describes no {part}: it needs shape and layers.")
        shape, where = described.get("shape"), f"the {part} in {layers.name}"
        if not _is_shape(shape):
            raise ExplorerError(
                f"The {part} in {layers.name} needs its shape, such as [1, 28, 28]."
            )
        parsed = parse_layers(described["layers"], tensors, where)
        found.append(check_network(parsed, tuple(shape), where))
    return values, (found[0], found[1])


def _is_shape(shape: Any) -> TypeGuard[list[int]]:
    fits = isinstance(shape, list) and 1 <= len(shape) <= 4
    return fits and all(type(size) is int and 1 <= size <= MAX_WEIGHTS for size in shape)


def _outputs(values: Mapping[str, Any], part: str) -> list[Named]:
    """Return what a network's row holds, where layers.json tells that."""
    told = values[part].get("outputs", [])
    known = isinstance(told, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("name"), str)
        and _is_shape(one.get("shape"))
        and one.get("role") in ROLES
        for one in told
    )
    if not known:
        raise ExplorerError(f"The {part} in {LAYERS_FILE} has outputs that are none of ours.")
    return [(shown(one["name"]), tuple(one["shape"]), one["role"]) for one in told]


def explain_file(weights: Path, layers: Path | None = None) -> tuple[str, Any]:
    """Return what must be said of weights matched by order, and what is told of their reading.

    "" where names agree; None where layers.json holds canonical networks alone.
    """
    tensors = read_weights(weights)
    values = _choose_names(_read_json(layers or weights.with_name(LAYERS_FILE)), tensors)
    note = explain_match(_all_layers(values), tensors, weights.name)
    return note, values.get("reading")


def _choose_names(values: dict[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the description for a file of weights: the original, unless it has adopt's names."""
    original = values.get(ORIGINAL)
    if not isinstance(original, dict) or has_names(_all_layers(values), tensors):
        return values
    return original


def _all_layers(values: Mapping[str, Any]) -> list[Any]:
    """Return the lists of layers of all parts, whatever stands there."""
    parts = (values.get(part) for part in PARTS)
    return [part.get("layers") for part in parts if isinstance(part, dict)]


def parse_layers(
    described: Any, tensors: Mapping[str, Tensor], where: str, depth: int = 0
) -> Layers:
    """Return the layers of a JSON list, whose weights are names in `tensors`."""
    if not isinstance(described, list) or len(described) > MAX_LAYERS or depth > MAX_DEPTH:
        raise ExplorerError(f"{where} is no list of at most {MAX_LAYERS:,} layers.")
    return tuple(_parse_layer(one, tensors, where, depth) for one in described)


def _parse_layer(described: Any, tensors: Mapping[str, Tensor], where: str, depth: int) -> Layer:
    if not isinstance(described, dict) or not isinstance(described.get("kind"), str):
        raise ExplorerError(f"{where} holds something that is no layer: it has no kind.")
    kind = described["kind"]
    schema = SCHEMAS.get(kind)
    names = {name.rstrip("?") for name in schema.tensors} if schema else set()
    settings, weights, branches = {}, {}, described.get("branches", [])
    for name, value in described.items():
        if name in names:
            constant = read_constant(value)
            if constant is not None:
                weights[name] = constant
                continue
            if not isinstance(value, str) or value not in tensors:
                raise ExplorerError(
                    f"{where} asks for the weights {shown(value)!r} ({kind}, {name}), which are "
                    f"not in the file; it holds {', '.join(map(shown, list(tensors)[:6]))}."
                )
            weights[name] = tensors[value]
        elif name not in ("kind", "branches"):
            settings[name] = value
    if kind == "onnx":
        return _parse_onnx(described, tensors, where)
    if not isinstance(branches, list):
        raise ExplorerError(f"{where} has branches that are no list.")
    inner = tuple(parse_layers(branch, tensors, where, depth + 1) for branch in branches)
    return Layer(kind, settings, weights, inner)


def _parse_onnx(described: Mapping[str, Any], tensors: Mapping[str, Tensor], where: str) -> Layer:
    """Return a whole ONNX file that stands in place of layers, read within its own limits."""
    data = tensors.get(str(described.get("file")))
    if data is None or data.dtype != torch.uint8 or data.ndim != 1 or len(described) != 2:
        raise ExplorerError(f"{where} lacks the ONNX file that it names.")
    content = data.numpy().tobytes()
    graph = OnnxGraph.open(content, where)
    graph.keep_file(content)
    return Layer("opaque", {"module": graph})


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ExplorerError(f"{path.name} is larger than {MAX_JSON_BYTES // 10**6} MB.")
        values = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ExplorerError(
            f"Weights alone are not enough: put {LAYERS_FILE} beside them, as adopt writes it, "
            "or export encoder and decoder to ONNX."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ExplorerError(f"{path.name} is no JSON: write it as adopt does.") from error
    if not isinstance(values, dict):
        raise ExplorerError(f"{path.name} describes no networks: write it as adopt does.")
    return values


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read tensors by name from safetensors or a torch state_dict; floats become float32.

    Nothing in the file is executed. Raises ExplorerError for other formats, saying what to save.
    """
    kind = sniff(path)
    if kind == "onnx":
        raise ExplorerError(
            f"{path.name} is no file of weights: give ONNX files as encoder and decoder."
        )
    check_kind(path, kind, ("safetensors", "torch"))
    return _read_safetensors(path) if kind == "safetensors" else _read_state(path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    found = {}
    try:
        with safe_open(path, framework="pt") as archive:
            names = list(archive.keys())
            if len(names) > MAX_TENSORS:
                raise ExplorerError(f"{path.name} holds more than {MAX_TENSORS:,} arrays.")
            for name in names:
                found[name] = _plain_tensor(archive.get_tensor(name))
    except (SafetensorError, OSError, ValueError) as error:
        raise ExplorerError(f"{path.name} is damaged: save its weights again.") from error
    check_weights(sum(tensor.numel() for tensor in found.values()), path.name)
    return found


def _read_state(path: Path) -> dict[str, Tensor]:
    _check_members(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what it likes for what it will not unpickle.
        raise ExplorerError(
            f"{path.name} holds more than weights, which would run its code: {SAVE_STATE}."
        ) from error
    state = _find_state(content)
    if not state or len(state) > MAX_TENSORS:
        raise ExplorerError(f"{path.name} holds no state_dict: {SAVE_STATE}.")
    count = 0
    for name, tensor in state.items():
        # A view may claim far more values than it stores.
        count += tensor.numel()
        check_weights(count, path.name)
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise ExplorerError(f"{path.name} holds sparse or quantised weights ({shown(name)}).")
    return {name: _plain_tensor(tensor) for name, tensor in state.items()}


def _check_members(path: Path) -> None:
    """An archive of weights is stored as it is: compressed ones may unpack to anything."""
    with open_zip(path, path.name, LONGEST_LIST, SAVE_STATE) as archive:
        members = archive.infolist()
    total = sum(member.file_size for member in members)
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or total > os.path.getsize(path) or len(members) > 2 * MAX_TENSORS:
        raise ExplorerError(f"{path.name} is no file that torch.save writes: {SAVE_STATE}.")


def _find_state(content: Any) -> dict[str, Tensor]:
    """Return the state_dict in a checkpoint: the file itself, or one of its usual places."""
    for candidate in (content, *(content.get(key) for key in INSIDE if isinstance(content, dict))):
        if isinstance(candidate, dict):
            found = {str(k): v for k, v in candidate.items() if isinstance(v, Tensor)}
            if found:
                return found
    return {}


def _plain_tensor(tensor: Tensor) -> Tensor:
    tensor = tensor.detach()
    return (tensor.float() if tensor.is_floating_point() else tensor).contiguous().clone()
