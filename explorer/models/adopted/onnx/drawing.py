"""An ONNX graph drawn with our layers, where each of its operators has a counterpart."""

import torch
from torch import Tensor

from explorer.models.adopted.layers.sketch import BATCH, Item, NotLayers, Value
from explorer.models.adopted.onnx.call import Call
from explorer.models.adopted.onnx.file import NOISE
from explorer.models.adopted.onnx.graph import OnnxGraph
from explorer.models.adopted.onnx.moves import MOVES
from explorer.models.adopted.onnx.rules import RULES
from explorer.models.adopted.onnx.stroke import Stroke

ALL_RULES = {**RULES, **MOVES}


def draw_onnx(graph: OnnxGraph, shape: tuple[int, ...]) -> tuple[Value, list[Item]]:
    """Return the input of `shape` (without the batch) and what the outputs are, as values.

    Raises NotLayers where an operator has no counterpart.
    """
    arrays = graph.plan((graph.batch or BATCH, *shape))
    start = Value(shape)
    items: dict[str, Item] = {graph.graph.input_name: start, **graph.constants}
    dtype = torch.get_default_dtype()
    for node in graph.graph.nodes:
        known = [arrays.get(name) for name in node.outputs]
        if node.operator not in NOISE and all(x is None or not x.is_meta for x in known):
            items |= {n: x for n, x in zip(node.outputs, known, strict=True) if x is not None}
            continue
        given = [items.get(name) for name in node.inputs]
        constants = [item if isinstance(item, Tensor) else None for item in given]
        call = Call(node, constants, graph.graph.opset, torch.device("cpu"), dtype, 0.0)
        rule = ALL_RULES.get(node.operator)
        if rule is None:
            raise NotLayers(f"the operator {node.operator}")
        drawn = rule(Stroke(call, given, tuple(arrays[node.outputs[0]].shape[1:])))
        results = drawn if isinstance(drawn, list) else [drawn]
        items |= dict(zip(node.outputs, results, strict=False))
    return start, [items[name] for name in graph.graph.outputs]
