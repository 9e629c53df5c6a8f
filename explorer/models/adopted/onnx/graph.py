"""An ONNX graph as a torch module: in any precision, with gradients, within bounds.

Before anything is computed for a new batch size the graph is walked with arrays that have a shape
and no memory; what would grow beyond the limits is refused there.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.limits import Cost, check_values
from explorer.models.adopted.layers.modules import Opaque
from explorer.models.adopted.layers.sketch import BATCH
from explorer.models.adopted.onnx.call import Call
from explorer.models.adopted.onnx.file import INSTEAD, NOISE, OnnxFile, OnnxNode, read_onnx
from explorer.models.adopted.onnx.operators import OPERATORS, Result
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

    def __init__(self, file: OnnxFile, where: str = "The network") -> None:
        super().__init__()
        self.file, self.where = file, where
        self.check_operators()
        self.noisy = any(node.operator in NOISE for node in file.nodes)
        floats = {name: w for name, w in file.weights.items() if w.is_floating_point()}
        self.weights = nn.ParameterList(
            [nn.Parameter(w, requires_grad=False) for w in floats.values()]
        )
        self.weight_names = list(floats)
        self.others = {name: w for name, w in file.weights.items() if name not in floats}
        self.last_use = {name: i for i, node in enumerate(file.nodes) for name in node.inputs}
        self.checked: set[tuple[int, ...]] = set()
        self.cost = Cost()
        declared = file.input_shape
        self.batch = declared[0] if declared else None
        self.segments: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @classmethod
    def from_tensor(cls, data: Tensor, where: str = "The network") -> "OnnxGraph":
        """Return the graph of a file's bytes (N,) uint8."""
        return cls(read_onnx(data.numpy().tobytes(), where), where)

    @classmethod
    def open(cls, path: Path) -> "OnnxGraph":
        """Return the graph of a file."""
        return cls(read_onnx(path), path.name)

    def check_operators(self) -> None:
        """Raise for the first operator that is not among those read."""
        for node in self.file.nodes:
            if node.operator not in ALL_OPERATORS:
                raise ExplorerError(
                    f"{self.where} uses the operator {node.operator[:60]}, which is not among the "
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
        for batch in dict.fromkeys((BATCH, self.batch or BATCH)):
            try:
                outputs = self.plan((batch, *shape))
            except ValueError as error:
                reason = error
                continue
            self.batch = None if batch == BATCH else batch
            self.segments = tuple(
                (name, tuple(outputs[name].shape[1:])) for name in self.file.outputs
            )
            total = sum(outputs[name][0].numel() for name in self.file.outputs)
            return (total * (2 if self.noisy else 1),)
        raise ExplorerError(
            f"{self.where} cannot be followed for an input of {shape}: {reason}."
        ) from reason

    def plan(self, shape: tuple[int, ...]) -> Arrays:
        """Walk the graph for a batch of `shape` without memory; return its arrays by name.

        What depends on weights and shapes alone is computed, within its own limit, since shapes
        may follow from it.
        """
        batch = shape[0]
        arrays: Arrays = {self.file.input_name: torch.empty(shape, device=META)}
        constants = self.constants
        self.cost = Cost()
        known = 0
        for node in self.file.nodes:
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
        for name in self.file.outputs:
            found = arrays.get(name, constants.get(name))
            if found is None or found.ndim < 1 or found.shape[0] != batch:
                raise ValueError(f"its output {name[:40]} has no row for each image")
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
        call = Call(node, inputs, self.file.opset, device, dtype, noise)
        try:
            result: Result = ALL_OPERATORS[node.operator](call)
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
        if node.operator not in MATRIX or inputs[0] is None or inputs[1] is None:
            return results[0].numel()
        x, weight, out = inputs[0], inputs[1], results[0]
        if node.operator == "Conv":
            return out.numel() * weight[0].numel()
        if node.operator == "ConvTranspose":
            return x.numel() * weight[0].numel()
        return out.numel() * x.shape[-1]

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
            self.plan(tuple(x.shape))
        outputs = self._run(x, 0.0)
        if self.noisy:
            moved = self._run(x, 1.0)
            outputs += [there - here for there, here in zip(moved, outputs, strict=True)]
        return torch.cat([output.flatten(1) for output in outputs], 1)

    def _run(self, x: Tensor, noise: float) -> list[Tensor]:
        arrays: Arrays = {self.file.input_name: x}
        constants: Mapping[str, Tensor] = self.constants
        for index, node in enumerate(self.file.nodes):
            inputs = [arrays.get(name, constants.get(name)) for name in node.inputs]
            arrays.update(
                zip(node.outputs, self._call(node, inputs, x.device, noise), strict=False)
            )
            for name in node.inputs:
                if self.last_use[name] == index and name not in self.file.outputs:
                    arrays.pop(name, None)
        found = [arrays.get(name, constants.get(name)) for name in self.file.outputs]
        return [output for output in found if output is not None]


def file_tensor(path: Path) -> Tensor:
    """Return a file's bytes as (N,) uint8, as a layer of the kind "onnx" holds them."""
    return torch.from_numpy(np.fromfile(path, np.uint8))
