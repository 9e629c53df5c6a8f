"""An ONNX graph as a torch module: in any precision, with gradients, within bounds.

Before anything is computed for a new batch size the graph is walked with arrays that have a shape
and no memory; what would grow beyond the limits is refused there.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.limits import Cost, check_values, shown
from explorer.models.adopted.layers.modules import Opaque
from explorer.models.adopted.layers.sketch import BATCH
from explorer.models.adopted.onnx.call import Call
from explorer.models.adopted.onnx.file import INSTEAD, NOISE, OnnxFile, OnnxNode, read_onnx
from explorer.models.adopted.onnx.operators import OPERATORS, Result
from explorer.models.adopted.onnx.outline import outline
from explorer.models.adopted.onnx.shapes import SHAPE_INPUTS, SHAPE_OPERATORS

ALL_OPERATORS = {**OPERATORS, **SHAPE_OPERATORS}
MAX_KNOWN = 50_000_000
"""Values of all arrays together that are computed from weights alone."""
MATRIX = {"Gemm", "MatMul", "Conv", "ConvTranspose"}
META = torch.device("meta")
Arrays = dict[str, Tensor]


class OnnxGraph(Opaque):
    """The forward pass of an ONNX file: x (B, …) → its outputs, flattened and joined, (B, total).

    Where the file draws normal noise, the outputs without noise (ε = 0) come first and then what
    ε = 1 adds to each. `segments` names the parts in their order with their shapes.
    """

    kind = "onnx"

    def __init__(self, graph: OnnxFile, where: str = "The network") -> None:
        super().__init__()
        self.graph, self.where = graph, where
        self.check_operators()
        self.noisy = any(node.operator in NOISE for node in graph.nodes)
        floats = {name: w for name, w in graph.weights.items() if w.is_floating_point()}
        self.weights = nn.ParameterList(
            [nn.Parameter(w, requires_grad=False) for w in floats.values()]
        )
        self.weight_names = list(floats)
        self.others = {name: w for name, w in graph.weights.items() if name not in floats}
        self.last_use = {name: i for i, node in enumerate(graph.nodes) for name in node.inputs}
        self.checked: set[tuple[int, ...]] = set()
        self.cost = Cost()
        declared = graph.input_shape
        self.batch = declared[0] if declared else None
        self.segments: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @classmethod
    def open(cls, source: Path | bytes, where: str | None = None) -> "OnnxGraph":
        """Return the graph of a file or of its bytes; errors call it `where`."""
        where = where or (source.name if isinstance(source, Path) else "The network")
        return cls(read_onnx(source, where), where)

    def keep_file(self, source: Path | bytes) -> None:
        """Keep the bytes that it was read from, to be stored where it could not be drawn."""
        data = source if isinstance(source, bytes) else source.read_bytes()
        self.file = torch.frombuffer(bytearray(data), dtype=torch.uint8)

    def check_operators(self) -> None:
        """Raise for the first operator that is not among those read."""
        for node in self.graph.nodes:
            if node.operator not in ALL_OPERATORS:
                raise ExplorerError(
                    f"{self.where} uses the operator {shown(node.operator)}, which is none of the "
                    f"{len(ALL_OPERATORS)} that are read: export a network without it, {INSTEAD}."
                )

    @property
    def constants(self) -> Arrays:
        """All arrays of the file by name, in the module's present precision."""
        return {**dict(zip(self.weight_names, self.weights, strict=True)), **self.others}

    def follow(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape (total,) of what comes out for inputs of `shape` (without the batch).

        Sets `segments`, `cost` and whether the file is bound to its own batch size.
        """
        reasons = []
        for batch in dict.fromkeys((BATCH, self.batch or 1, 1)):
            try:
                outputs = self.plan((batch, *shape))
            except ValueError as error:
                reasons.append(error)
                continue
            self.batch = None if batch == BATCH and self._is_free(shape) else batch
            self.segments = tuple(
                (name, tuple(outputs[name].shape[1:])) for name in self.graph.outputs
            )
            total = sum(outputs[name][0].numel() for name in self.graph.outputs)
            return (total * (2 if self.noisy else 1),)
        raise ExplorerError(
            f"{self.where} cannot be followed for an input of {shape}: {reasons[0]}."
        ) from reasons[0]

    def _is_free(self, shape: tuple[int, ...]) -> bool:
        """Tell whether another batch size than the one that is followed does as well."""
        cost = self.cost
        try:
            self.plan((BATCH + 1, *shape))
        except ValueError:
            return False
        finally:
            self.cost = cost
        return True

    def plan(self, shape: tuple[int, ...]) -> Arrays:
        """Walk the graph for a batch of `shape` without memory; return its arrays by name.

        What depends on weights and shapes alone is computed, within its own limit, since shapes
        may follow from it.
        """
        batch = shape[0]
        arrays: Arrays = {self.graph.input_name: torch.empty(shape, device=META)}
        constants = self.constants
        self.cost = Cost()
        known = 0
        for node in self.graph.nodes:
            inputs = [arrays.get(name, constants.get(name)) for name in node.inputs]
            inputs = [self._without_memory(node, i, x) for i, x in enumerate(inputs)]
            results = self._call(node, inputs, META, 0.0)
            size = sum(result.numel() for result in results)
            if not self._depends(node, arrays):
                known += size
                if known > MAX_KNOWN:
                    self._too_large(node, known)
                given = [arrays.get(name, constants.get(name)) for name in node.inputs]
                results = self._call(node, given, torch.device("cpu"), 0.0)
            else:
                check_values(size // batch, f"The operator {node.operator} of {self.where}")
                self.cost.add(self._multiply_adds(node, inputs, results) // batch, size // batch)
            arrays.update(zip(node.outputs, results, strict=False))
        for name in self.graph.outputs:
            found = arrays.get(name, constants.get(name))
            if found is None or found.ndim < 1 or found.shape[0] != batch:
                raise ValueError(f"its output {shown(name)} has no row for each image")
            arrays[name] = found
        self.checked.add(shape)
        return arrays

    def _depends(self, node: OnnxNode, arrays: Arrays) -> bool:
        """Tell whether an operator's result depends on the picture."""
        if node.operator in ("Shape", *NOISE):
            return node.operator in NOISE
        return any(name in arrays and arrays[name].is_meta for name in node.inputs)

    def _without_memory(self, node: OnnxNode, index: int, x: Tensor | None) -> Tensor | None:
        if x is None or index in SHAPE_INPUTS.get(node.operator, ()):
            return x
        return x.to(META)

    def _call(
        self, node: OnnxNode, inputs: list[Tensor | None], device: torch.device, noise: float
    ) -> tuple[Tensor, ...]:
        dtype = self.weights[0].dtype if len(self.weights) else torch.get_default_dtype()
        call = Call(node, inputs, self.graph.opset, device, dtype, noise)
        try:
            known = outline(call) if device == META else None
            result: Result = ALL_OPERATORS[node.operator](call) if known is None else known
        except ExplorerError:
            raise
        except (RuntimeError, IndexError, KeyError, TypeError, ZeroDivisionError) as error:
            raise ValueError(f"its operator {node.operator} does not fit its arrays") from error
        except ValueError as error:
            raise ValueError(f"its operator {node.operator} asks for {error}") from error
        return result if isinstance(result, tuple) else (result,)

    def _too_large(self, node: OnnxNode, count: int) -> None:
        raise ExplorerError(
            f"{self.where} makes {count:,} values out of its weights ({node.operator}); at most "
            f"{MAX_KNOWN:,} are supported: export a smaller network, {INSTEAD}."
        )

    def _multiply_adds(
        self, node: OnnxNode, inputs: list[Tensor | None], results: tuple[Tensor, ...]
    ) -> int:
        if node.operator == "Einsum":
            return self._count_einsum(node, inputs)
        if node.operator not in MATRIX or inputs[0] is None or inputs[1] is None:
            return results[0].numel()
        x, weight, out = inputs[0], inputs[1], results[0]
        if node.operator == "Conv":
            return out.numel() * weight[0].numel()
        if node.operator == "ConvTranspose":
            return x.numel() * weight[0].numel()
        return out.numel() * x.shape[-1]

    def _count_einsum(self, node: OnnxNode, inputs: list[Tensor | None]) -> int:
        """Return the products of an einsum: one for each choice of a place on every axis."""
        terms = str(node.attributes.get("equation")).replace(" ", "").partition("->")[0].split(",")
        sizes = {
            letter: size
            for term, given in zip(terms, inputs, strict=False)
            if given is not None
            for letter, size in zip(term, given.shape, strict=False)
        }
        return math.prod(sizes.values())

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs for x (B, …), flattened and joined, (B, total)."""
        if self.batch is None or len(x) == self.batch:
            return self._join(x)
        parts = []
        for start in range(0, len(x), self.batch):
            part = x[start : start + self.batch]
            missing = self.batch - len(part)
            filled = torch.cat([part, part[:1].expand(missing, *part.shape[1:])])
            parts.append(self._join(filled)[: len(part)])
        return torch.cat(parts)

    def _join(self, x: Tensor) -> Tensor:
        if tuple(x.shape) not in self.checked:
            self._check(tuple(x.shape))
        outputs = self._run(x, 0.0)
        if self.noisy:
            moved = self._run(x, 1.0)
            outputs += [there - here for there, here in zip(moved, outputs, strict=True)]
        return torch.cat([output.flatten(1) for output in outputs], 1)

    def _check(self, shape: tuple[int, ...]) -> None:
        """Follow a batch of another size than before; raise where it does not go through."""
        cost = self.cost
        try:
            self.plan(shape)
        except ValueError as error:
            raise ExplorerError(f"{self.where} cannot be run on {shape}: {error}.") from error
        self.cost = cost

    def _run(self, x: Tensor, noise: float) -> list[Tensor]:
        arrays: Arrays = {self.graph.input_name: x}
        constants: Mapping[str, Tensor] = self.constants
        for index, node in enumerate(self.graph.nodes):
            inputs = [arrays.get(name, constants.get(name)) for name in node.inputs]
            try:
                results = self._call(node, inputs, x.device, noise)
            except ValueError as error:  # What shapes alone did not show, such as a wrong index.
                raise ExplorerError(f"{self.where} cannot be run: {error}.") from error
            arrays.update(zip(node.outputs, results, strict=False))
            for name in node.inputs:
                if self.last_use[name] == index and name not in self.graph.outputs:
                    arrays.pop(name, None)
        found = [arrays.get(name, constants.get(name)) for name in self.graph.outputs]
        return [output for output in found if output is not None]
