"""Shapes that are known without a run: never others than PyTorch's, whatever is put together."""

import itertools

import pytest
import torch
from torch import Tensor

from explorer.models.adopted.onnx.call import Call
from explorer.models.adopted.onnx.file import OnnxNode
from explorer.models.adopted.onnx.graph import ALL_OPERATORS
from explorer.models.adopted.onnx.outline import outline
from tests.helpers import of_kind

SHAPES = ((), (1,), (4,), (3, 4), (4, 3), (3, 1), (0, 4), (2, 3, 4), (2, 4, 3), (3, 4, 6, 6))
KERNELS = ((4, 4, 3, 3), (6, 2, 3, 2), (4, 3, 1, 1), (4, 4, 7, 7))


def calls():
    """Calls whose arrays fit together, or do not."""
    for name in ("Add", "Sub", "Pow", "Max", "MatMul", "Gemm", "Concat"):
        for first, second in itertools.product(SHAPES, SHAPES):
            yield name, (first, second), {"axis": -1} if name == "Concat" else {}
    for first, second, third in itertools.product(SHAPES[1:5], repeat=3):
        yield "Gemm", (first, second, third), {"transB": 1}
    for size in (1, 4):
        for given in SHAPES:
            yield "BatchNormalization", (given, *[(size,)] * 4), {}
    for name, kernel, given in itertools.product(("Conv", "ConvTranspose"), KERNELS, SHAPES[6:]):
        yield name, (given, kernel), {}
        yield name, (given, kernel), {"group": 2, "pads": [1, 0, 1, 0], "dilations": [2, 1]}
        yield name, (given, kernel, (4,)), {"strides": [2, 3], "pads": [2, 1, 2, 1]}
        yield name, (given, kernel), {"output_padding": [1, 0], "strides": [2, 1]}
        yield name, (given, kernel), {"output_padding": [1, 2]}
        yield name, (given, kernel), {"pads": [-1, 0, 0, 2]}


@pytest.mark.parametrize("name", sorted({name for name, *_ in calls()}))
def test_nothing_is_known_that_a_run_does_not_find(name):
    made = 0
    for called, shapes, attributes in calls():
        if called != name:
            continue
        arrays = [torch.empty(shape, device="meta") for shape in shapes]
        written = OnnxNode(name, ("x",), ("y",), attributes)
        call = Call(written, arrays, 18, torch.device("meta"), torch.float32, 0.0)
        known = outline(call)
        if known is not None:
            made += 1
            found = of_kind(Tensor, ALL_OPERATORS[name](call))
            assert (known.shape, known.dtype) == (found.shape, found.dtype), (shapes, attributes)
    assert made > 1
