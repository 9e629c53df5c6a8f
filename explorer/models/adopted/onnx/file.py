"""An ONNX file → its graph as plain data. Nothing is executed and no other file is opened.

Whatever is not a plain forward pass of one input is refused here, each with one sentence: external
data, loops and branches, foreign domains, functions, random operators other than normal noise.
"""

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.limits import MAX_FILE_BYTES, MAX_LAYERS, check_weights, shown
from explorer.models.adopted.onnx.wire import (
    BrokenMessage,
    part,
    read_fields,
    read_packed,
    signed,
    single,
    text,
    whole,
)

LOOPS = {"Loop", "If", "Scan", "SequenceMap"}
RANDOM = {"RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
NOISE = {"RandomNormal", "RandomNormalLike"}
EXPORT = 'torch.onnx.export(…, external_data=False, dynamic_shapes=({0: "batch"},))'
INSTEAD = "or bring its codes alone (.npz)"
MAX_AXES = 8
MAX_LIST = 1_000_000
"""Whole numbers written one by one: shapes and indices, never weights."""

# Element types by number: the NumPy type that the bytes have.
TYPES: dict[int, str] = {
    1: "<f4",
    2: "u1",
    3: "i1",
    6: "<i4",
    7: "<i8",
    9: "?",
    10: "<f2",
    11: "<f8",
    16: "<u2",
}
FLOATS = {1, 10, 11, 16}
BFLOAT16 = 16


@dataclass(frozen=True)
class OnnxNode:
    """One operator: names of arrays in and out ("" for one left out) and its attributes."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OnnxFile:
    """A graph of one input; `input_shape` and `output_shapes` have None where a size is free."""

    nodes: tuple[OnnxNode, ...]
    weights: Mapping[str, Tensor]
    input_name: str
    input_shape: tuple[int | None, ...] | None
    outputs: tuple[str, ...]
    output_shapes: tuple[tuple[int | None, ...] | None, ...]
    opset: int


def read_onnx(source: Path | bytes, where: str | None = None) -> OnnxFile:
    """Read an ONNX file or its bytes; errors call it `where`.

    Raises ExplorerError with one sentence that says what to do instead.
    """
    if isinstance(source, bytes):
        return _Reader(where or "The network").read(memoryview(source))
    where = where or source.name
    size = source.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ExplorerError(f"{where} is larger than {MAX_FILE_BYTES // 10**6} MB.")
    if not size:
        raise BrokenMessage
    with open(source, "rb") as stream:
        # Mapped, not read: weights are copied out of it one by one.
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return _Reader(where).read(memoryview(mapped))


class _Reader:
    """Reads one file, whose name is in every error."""

    def __init__(self, where: str) -> None:
        self.where = where

    def read(self, data: memoryview) -> OnnxFile:
        version, graph, opset = 0, None, 0
        for number, value in read_fields(data):
            if number == 1:
                version = whole(value)
            elif number == 7:
                graph = part(value)
            elif number == 8:
                opset = max(opset, self._read_opset(part(value)))
            elif number == 25:
                self._refuse(
                    "holds functions of its own", f"export it inlined, {EXPORT}, {INSTEAD}"
                )
        if graph is None or not 1 <= version < 1000:
            raise BrokenMessage
        return self._read_graph(graph, opset)

    def _refuse(self, what: str, instead: str) -> None:
        raise ExplorerError(f"{self.where} {what}: {instead}.")

    def _read_opset(self, data: memoryview) -> int:
        domain, version = "", 0
        for number, value in read_fields(data):
            if number == 1:
                domain = text(value)
            elif number == 2:
                version = whole(value)
        return version if domain in ("", "ai.onnx") else 0

    def _read_graph(self, data: memoryview, opset: int) -> OnnxFile:
        nodes, weights, inputs, outputs, count = [], {}, [], [], 0
        for number, value in read_fields(data):
            if number == 1:
                nodes.append(self._read_node(part(value)))
                if len(nodes) > MAX_LAYERS:
                    self._refuse(f"has more than {MAX_LAYERS:,} operators", "bring a smaller one")
            elif number == 5:
                name, tensor = self._read_tensor(part(value))
                weights[name] = tensor
                # One more each, so that very many empty ones end too.
                count += tensor.numel() + 1
                check_weights(count, self.where)
            elif number == 11:
                inputs.append(self._read_value(part(value)))
            elif number == 12:
                outputs.append(self._read_value(part(value)))
            elif number == 15:
                self._refuse("has sparse weights", f"export it with dense ones, {EXPORT}")
        given = [value for value in inputs if value[0] not in weights]
        if len(given) != 1:
            names = ", ".join(shown(value[0]) for value in given[:4]) or "none"
            self._refuse(
                f"has {len(given)} inputs ({names}) in place of one",
                f"export a forward pass of the image or the code alone, {INSTEAD}",
            )
        name, kind, shape = given[0]
        if kind not in FLOATS:
            self._refuse("takes whole numbers", "export a network that takes float pixels or codes")
        if not outputs or len(outputs) > 16:
            self._refuse(f"has {len(outputs)} outputs", "export those that are mean and spread")
        self._check_names(nodes, {name, *weights}, [value[0] for value in outputs])
        return OnnxFile(
            tuple(nodes),
            weights,
            name,
            shape,
            tuple(value[0] for value in outputs),
            tuple(value[2] for value in outputs),
            opset,
        )

    def _check_names(self, nodes: list[OnnxNode], known: set[str], wanted: list[str]) -> None:
        """Every array is made before it is used, once."""
        for node in nodes:
            missing = [name for name in node.inputs if name and name not in known]
            if missing or any(name in known for name in node.outputs if name):
                raise BrokenMessage
            known.update(name for name in node.outputs if name)
        if any(name not in known for name in wanted):
            raise BrokenMessage

    def _read_node(self, data: memoryview) -> OnnxNode:
        inputs, outputs, operator, domain = [], [], "", ""
        attributes: list[memoryview] = []
        for number, value in read_fields(data):
            if number == 1:
                inputs.append(text(value))
            elif number == 2:
                outputs.append(text(value))
            elif number == 4:
                operator = text(value, 100)
            elif number == 5:
                # Read below, once it is known that the operator is one of ours.
                attributes.append(part(value))
            elif number == 7:
                domain = text(value)
        if domain not in ("", "ai.onnx"):
            self._refuse(
                f"uses the operator {shown(operator)} of the foreign domain {shown(domain)}",
                f"export it with standard operators, {INSTEAD}",
            )
        if operator in LOOPS:
            self._refuse(
                f"has a loop or a branch ({operator})",
                f"export a plain forward pass in eval mode, {INSTEAD}",
            )
        if operator in RANDOM:
            self._refuse(
                f"draws random numbers ({operator})",
                "export mean and log-variance in place of samples, in eval mode",
            )
        read = dict(self._read_attribute(value) for value in attributes)
        return OnnxNode(operator, tuple(inputs), tuple(outputs), read)

    def _read_attribute(self, data: memoryview) -> tuple[str, Any]:
        name, floats, wholes, strings = "", [], [], []
        found: Any = None
        for number, value in read_fields(data):
            if number == 1:
                name = text(value, 100)
            elif number == 2:
                found = single(value)
            elif number == 3:
                found = whole(value)
            elif number == 4:
                found = text(value)
            elif number == 5:
                found = self._read_tensor(part(value))[1]
            elif number in (6, 11):
                self._refuse(
                    "has a graph inside its graph",
                    f"export a plain forward pass in eval mode, {INSTEAD}",
                )
            elif number == 7:
                floats += self._read_floats(value)
            elif number == 8:
                wholes += (
                    [signed(value)] if isinstance(value, int) else read_packed(value, MAX_LIST)
                )
            elif number == 9:
                strings.append(text(value))
            if max(len(floats), len(wholes), len(strings)) > MAX_LIST:
                raise BrokenMessage
        return name, next((v for v in (floats, wholes, strings) if v), found)

    def _read_floats(self, value: int | memoryview) -> list[float]:
        data = part(value)
        if len(data) % 4:
            raise BrokenMessage
        return [float(v) for v in np.frombuffer(data, "<f4")]

    def _read_tensor(self, data: memoryview) -> tuple[str, Tensor]:
        name, kind, external, raw = "", 0, False, None
        shape: list[int] = []
        pieces: list[np.ndarray] = []
        for number, value in read_fields(data):
            if number == 1:
                shape += [signed(value)] if isinstance(value, int) else read_packed(value, MAX_AXES)
            elif number == 2:
                kind = whole(value)
            elif number in (4, 10):
                size = 4 if number == 4 else 8
                if len(part(value)) % size:
                    raise BrokenMessage
                pieces.append(np.frombuffer(part(value), f"<f{size}"))
            elif number in (5, 7, 11):
                one = [signed(value)] if isinstance(value, int) else read_packed(value, MAX_LIST)
                pieces.append(np.array(one, np.int64))
            elif number == 8:
                name = text(value)
            elif number == 9:
                raw = part(value)
            elif number == 13 or (number == 14 and value):
                external = True
        if external:
            self._refuse("keeps its weights in another file", f"export it as one file, {EXPORT}")
        if kind not in TYPES:
            self._refuse(
                f"holds an array of the element type {kind}", f"export it in float32, {INSTEAD}"
            )
        if len(shape) > MAX_AXES or any(not 0 <= size <= MAX_FILE_BYTES for size in shape):
            raise BrokenMessage
        return name, self._as_tensor(name, kind, shape, raw, pieces)

    def _as_tensor(
        self,
        name: str,
        kind: int,
        shape: list[int],
        raw: memoryview | None,
        pieces: list[np.ndarray],
    ) -> Tensor:
        count = math.prod(shape)
        check_weights(count, self.where)
        if raw is not None:
            if len(raw) != count * np.dtype(TYPES[kind]).itemsize:
                raise BrokenMessage
            values = np.frombuffer(raw, TYPES[kind])
        else:
            values = np.concatenate(pieces) if pieces else np.zeros(0, TYPES[kind])
            if kind in (10, BFLOAT16):  # Half precision as bit patterns, one per whole number.
                values = values.astype("<u2").view(TYPES[kind])
        if values.size != count:
            raise BrokenMessage
        if kind == BFLOAT16:
            values = (values.astype("<u4") << 16).view("<f4")
        target = np.float32 if kind in FLOATS else np.bool_ if kind == 9 else np.int64
        array: np.ndarray = values.astype(target, copy=True).reshape(shape)
        if kind in FLOATS and not np.isfinite(array).all():
            # Negative infinity serves as a mask in attention only, which is not read either.
            self._refuse(
                f"has NaN or infinite weights ({shown(name)})", "train it again, or repair it"
            )
        return torch.from_numpy(array)

    def _read_value(self, data: memoryview) -> tuple[str, int, tuple[int | None, ...] | None]:
        """Return name, element type and shape of a declared input or output."""
        name, kind, shape = "", 0, None
        for number, value in read_fields(data):
            if number == 1:
                name = text(value)
            elif number == 2:
                for inner, tensor in read_fields(part(value)):
                    if inner != 1:
                        continue
                    for at, item in read_fields(part(tensor)):
                        if at == 1:
                            kind = whole(item)
                        elif at == 2:
                            shape = self._read_shape(part(item))
        return name, kind, shape

    def _read_shape(self, data: memoryview) -> tuple[int | None, ...]:
        sizes: list[int | None] = []
        for number, value in read_fields(data):
            if number == 1:
                known = [whole(item) for at, item in read_fields(part(value)) if at == 1]
                sizes.append(known[0] if known and known[0] > 0 else None)
            if len(sizes) > MAX_AXES:
                raise BrokenMessage
        return tuple(sizes)
