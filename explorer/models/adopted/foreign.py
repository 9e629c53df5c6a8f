"""A foreign encoder or decoder, however it came: one input, and what comes out as one flat row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.adopted.formats import check_kind, sniff
from explorer.models.adopted.layers.modules import Shape
from explorer.models.adopted.layers.network import Network, build_network
from explorer.models.adopted.layers.schema import (
    Layer,
    Layers,
    check_layers,
    opaque_kind,
    walk,
)
from explorer.models.adopted.layers.simplify import simplify
from explorer.models.adopted.layers.sketch import (
    Item,
    Noisy,
    NotLayers,
    Value,
    concat,
    constant,
    reshape,
    to_layers,
)
from explorer.models.adopted.onnx.drawing import draw_onnx
from explorer.models.adopted.onnx.file import INSTEAD
from explorer.models.adopted.onnx.graph import OnnxGraph
from explorer.models.adopted.originals import Original, Stored, keep_original
from explorer.models.adopted.trace.export import (
    Called,
    Drawn,
    NotTraced,
    call_once,
    find_modules,
    held_still,
    trace,
)
from explorer.models.adopted.trace.outputs import MEAN, STD

TOLERANCE = 1e-4
"""Of the largest value: by so much a network of our layers may differ from what it stands for."""
DIGITS = 8
"""Last digits of a precision that a whole network may lose."""
CHECKED = 4
"""Random inputs on which the two are compared."""


Named = tuple[str, Shape, str]
"""An array that a network returns: its name, its shape and its role."""


@dataclass(frozen=True)
class Segment:
    """One array that a network returns: where it lies in the flat row, and its shape in itself.

    `role` is "mean", "std" or "logits" where that is certain, else "".
    """

    name: str
    shape: Shape
    start: int
    role: str = ""

    @property
    def stop(self) -> int:
        """Where it ends in the flat row."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class Foreign:
    """A network x (B, *shape) → (B, total): all that it returns, flattened and joined.

    `original` is the same by the names of its state_dict, where its modules are at hand.
    """

    where: str
    shape: Shape
    segments: tuple[Segment, ...]
    network: Network
    original: Original | None = None

    @property
    def layers(self) -> Layers:
        """Its layers; a single opaque one where it has no counterpart."""
        return self.network.layers

    @property
    def kind(self) -> str:
        """What it is made of: "layers", or "onnx" or "callable" where it could not be drawn."""
        return opaque_kind(self.layers) or "layers"


class OpenSizes(ExplorerError):
    """An ONNX file that leaves the size of its input open."""

    def __init__(self, where: str, declared: tuple[int | None, ...]) -> None:
        super().__init__(
            f"{where} leaves the size of its input open: say it, or export it with fixed sizes "
            '(dynamic_shapes=({0: "batch"},)).'
        )
        self.declared = declared

    def allows(self, shape: Shape) -> bool:
        """Tell whether an input of `shape` (without the batch) is what the file declares."""
        if not self.declared:
            return True
        pairs = zip(self.declared, shape, strict=False)
        return len(self.declared) == len(shape) and all(d in (None, n) for d, n in pairs)


def open_onnx(
    source: Path | bytes, shape: Shape | None = None, where: str | None = None
) -> Foreign:
    """Read an ONNX network for inputs of `shape` (without the batch), by default the declared one.

    It becomes layers where all its operators have counterparts that compute the same.
    """
    where = where or (source.name if isinstance(source, Path) else "The network")
    if isinstance(source, Path):
        check_kind(source, sniff(source), ("onnx", "unknown"))
    graph = OnnxGraph.open(source, where)
    shape = shape or declared_shape(graph)
    if shape is None:
        raise OpenSizes(where, (graph.graph.input_shape or (None,))[1:])
    graph.follow(shape)
    x = torch.rand((graph.batch or CHECKED, *shape), generator=torch.Generator().manual_seed(0))
    expected = graph(x)
    if not bool(expected.isfinite().all()):
        raise ExplorerError(f"{where} gives NaN or infinite values: repair its weights, {INSTEAD}.")
    segments = _segments([(name, size, "") for name, size in graph.segments])
    if graph.noisy:
        names = [(f"{s.name}, noise 0", s.shape, MEAN) for s in segments]
        segments = _segments(names + [(f"{s.name}, noise 1", s.shape, STD) for s in segments])
    try:
        start, items = draw_onnx(graph, shape)
        outputs = [
            Drawn(name, "", item, size)
            for (name, size), item in zip(graph.segments, items, strict=True)
        ]
        drawn = _from_drawn(where, start, outputs)
        if _agrees(drawn.network(x), expected, drawn.segments, segments):
            return drawn
    except (NotLayers, ExplorerError):
        pass  # It stays what it is: a graph of ONNX operators.
    graph.keep_file(source)
    network = build_network([Layer("opaque", {"module": graph})], shape, where)
    return Foreign(where, shape, segments, network)


def declared_shape(graph: OnnxGraph) -> Shape | None:
    """Return the input's shape without the batch, None where a size is left open."""
    declared = graph.graph.input_shape
    if declared is None or len(declared) < 2 or None in declared[1:]:
        return None
    return tuple(size for size in declared[1:] if size is not None)


def open_callable(call: Any, shape: Shape, where: str) -> Foreign:
    """Turn a torch module, method or function into layers; see `trace` for what it may be.

    Raises NotTraced where that cannot be, also where the layers do not compute the same.
    """
    start, outputs, stored = trace(call, shape)
    try:
        drawn = _from_drawn(where, start, outputs, call, stored)
    except NotLayers as error:
        raise NotTraced(f"This network does what our layers do not: {error}.") from error
    x = torch.rand((CHECKED, *shape), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        theirs = call_once(call, x)
    certain = {own.name for own in outputs if not isinstance(own.item, Noisy)}
    steady = [output for output in theirs if output.name in certain]
    if steady:
        # Detached: theirs may switch gradients on by itself.
        expected = torch.cat([output.array.detach().flatten(1) for output in steady], 1)
        wanted = _segments([(o.name, tuple(o.array.shape[1:]), "") for o in steady])
        # Theirs may compute in half precision, ours computes in single.
        with held_still(call) as like:
            tolerance = max(TOLERANCE, DIGITS * torch.finfo(like.dtype).eps)
        if not _agrees(drawn.network(x), expected, drawn.segments, wanted, tolerance):
            raise NotTraced(
                f"{where} gives other values when it is run again: it draws random numbers or "
                "looks at the whole batch; call .eval() on it, or bring its codes alone."
            )
    return drawn


def keep_callable(call: Any, shape: Shape, where: str) -> Foreign:
    """Return a callable as it is: it serves in this process, and no file can hold it."""
    with torch.no_grad():
        outputs = call_once(call, torch.zeros((CHECKED, *shape)))
    segments = _segments([(o.name, tuple(o.array.shape[1:]), o.role) for o in outputs])
    network = build_network([Layer("opaque", {"module": Called(call)})], shape, where)
    return Foreign(where, shape, segments, network)


def from_layers(
    layers: Sequence[Layer], shape: Shape, where: str, outputs: Sequence[Named] = ()
) -> Foreign:
    """Return a network that is given as layers, and what its flat row holds where that is told.

    Raises ExplorerError where that is something else.
    """
    whole = check_network(layers, shape, where)
    size = math.prod(whole.shape_out)
    flat = build_network([*whole.layers, Layer("reshape", {"shape": [size]})], shape, where)
    segments = _segments(outputs or [("output", whole.shape_out, "")])
    if segments[-1].stop != size:
        raise ExplorerError(f"{where} puts out {size} values, and its outputs hold others.")
    return Foreign(where, shape, segments, flat)


def check_network(layers: Sequence[Layer], shape: Shape, where: str) -> Network:
    """Return layers that anybody may have written as the network that they are."""
    for layer in walk(layers):
        if not all(bool(tensor.isfinite().all()) for tensor in layer.tensors.values()):
            raise ExplorerError(f"{where} has NaN or infinite weights ({layer.kind}).")
    return build_network(simplify(check_layers(layers, where), shape), shape, where)


def _from_drawn(
    where: str,
    start: Value,
    outputs: Sequence[Drawn],
    call: Any = None,
    stored: Sequence[Stored] = (),
) -> Foreign:
    """Return the network of drawn outputs; one with noise becomes two, mean and spread.

    `stored` are the weights that `call` was recorded with.
    """
    named: list[Named] = []
    flat: list[Item] = []
    for output in outputs:
        parts: list[tuple[str, str, Item]] = [(output.name, output.role, output.item)]
        if isinstance(output.item, Noisy):
            parts = [
                (f"{output.name}, noise 0", MEAN, output.item.mean),
                (f"{output.name}, noise 1", STD, output.item.scale),
            ]
        for name, role, item in parts:
            size = math.prod(output.shape)
            value = constant(start, item, output.shape) if isinstance(item, Tensor) else item
            flat.append(reshape(value, (size,)))
            named.append((name, output.shape, role))
    raw = to_layers(concat(flat, 0), start)
    original = keep_original(raw, stored, find_modules(call)) if stored else None
    network = build_network(simplify(raw, start.shape), start.shape, where)
    return Foreign(where, start.shape, _segments(named), network, original)


def _segments(named: Sequence[Named]) -> tuple[Segment, ...]:
    found: list[Segment] = []
    at = 0
    for name, shape, role in named:
        found.append(Segment(name, tuple(shape), at, role))
        at = found[-1].stop
    return tuple(found)


def _agrees(
    ours: Tensor,
    theirs: Tensor,
    own: Sequence[Segment],
    foreign: Sequence[Segment],
    tolerance: float = TOLERANCE,
) -> bool:
    """Compare the arrays that both have, by name."""
    named = {segment.name: theirs[:, segment.start : segment.stop] for segment in foreign}
    for segment in own:
        expected = named.get(segment.name)
        if expected is None:
            continue
        found = ours[:, segment.start : segment.stop]
        largest = 1 + float(expected.abs().max())
        if found.shape != expected.shape:
            return False
        if not float((found - expected).abs().max()) <= tolerance * largest:  # Nor may it be NaN.
            return False
    return True
