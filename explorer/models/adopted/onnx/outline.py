"""What common operators of ONNX put out, by its shape alone: as `layers.extents` for layers.

What is not certain here (None) is left to a run without memory.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

from explorer.models.adopted.layers.builders import broadcast
from explorer.models.adopted.layers.extents import count_places, join_shapes, spread_places
from explorer.models.adopted.onnx.call import Call

Outline = Callable[[Call], Tensor | None]
Shape = Sequence[int]


def outline(call: Call) -> Tensor | None:
    """Return an array of the shape and type of the result of a call on "meta", without a run."""
    find = OUTLINES.get(call.node.operator)
    given = [x for x in call.inputs if x is not None]
    if find is None or not given or not given[0].is_floating_point():
        return None
    if any(x.dtype != given[0].dtype for x in given):
        return None
    return find(call)


def _same(call: Call) -> Tensor | None:
    return call[0] if len(call.inputs) == 1 else None


def _gelu(call: Call) -> Tensor | None:
    return _same(call) if call.word("approximate", "none") in ("none", "tanh") else None


def _together(call: Call) -> Tensor | None:
    shape = _meet(*(call[index].shape for index in range(len(call.inputs))))
    return None if shape is None else call[0].new_empty(shape)


def _meet(*shapes: Shape) -> tuple[int, ...] | None:
    """Return the shape in which arrays of `shapes` meet."""
    try:
        return broadcast(*(tuple(shape) for shape in shapes))
    except RuntimeError:
        return None


def _multiply(a: Shape, b: Shape) -> tuple[int, ...] | None:
    """Return the shape of a product of matrices (…, n, m) and (…, m, k)."""
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-2]:
        return None
    outer = _meet(a[:-2], b[:-2])
    return None if outer is None else (*outer, a[-2], b[-1])


def _matmul(call: Call) -> Tensor | None:
    shape = _multiply(call[0].shape, call[1].shape)
    return None if shape is None else call[0].new_empty(shape)


def _gemm(call: Call) -> Tensor | None:
    if min(call[0].ndim, call[1].ndim) < 2:
        return None
    a = call[0].mT if call.number("transA", 0) else call[0]
    b = call[1].mT if call.number("transB", 0) else call[1]
    shape, bias = _multiply(a.shape, b.shape), call.get(2)
    if shape is not None and bias is not None:
        shape = _meet(shape, bias.shape)
    return None if shape is None else a.new_empty(shape)


def _concat(call: Call) -> Tensor | None:
    shapes = [call[index].shape for index in range(len(call.inputs))]
    shape = join_shapes(shapes, call.axis("axis", 0, len(shapes[0]))) if shapes[0] else None
    return None if shape is None else call[0].new_empty(shape)


def _batch_norm(call: Call) -> Tensor | None:
    x = call[0]
    fits = x.ndim > 1 and x.numel() > 0 and not call.number("training_mode", 0)
    channels = all(call[index].shape == x.shape[1:2] for index in range(1, 5))
    return x if fits and channels else None


def _convolve(call: Call) -> Tensor | None:
    x, weight = call[0].shape, call[1].shape
    if not _is_kernel(call, x, weight, weight[:1]) or x[1] != weight[1] * _groups(call):
        return None
    if weight[0] % _groups(call) or call.word("auto_pad", "NOTSET") not in ("NOTSET", ""):
        return None
    count = len(weight) - 2
    pads = call.attribute("pads") or [0] * (2 * count)
    return _placed(call, weight[0], pads, [()] * count, count_places)


def _spread(call: Call) -> Tensor | None:
    x, weight = call[0].shape, call[1].shape
    outputs = [weight[1] * _groups(call)] if len(weight) > 1 else []
    if not _is_kernel(call, x, weight, outputs) or x[1] != weight[0]:
        return None
    if weight[0] % _groups(call) or call.attribute("output_shape") or call.attribute("auto_pad"):
        return None
    count = len(weight) - 2
    pads = call.attribute("pads") or [0] * (2 * count)
    extra = call.attribute("output_padding") or [0] * count
    even = pads[:count] == pads[count:] and len(extra) == count
    return _placed(call, outputs[0], pads, [(n,) for n in extra], spread_places) if even else None


def _groups(call: Call) -> int:
    return int(call.number("group", 1))


def _is_kernel(call: Call, x: Shape, weight: Shape, outputs: Shape) -> bool:
    """Tell whether weights have the axes of a picture, and the bias the channels that come out."""
    fits = 3 <= len(weight) <= 5 and len(x) == len(weight) and 0 not in (*x, *weight)
    bias = call.get(2)
    return fits and _groups(call) > 0 and (bias is None or list(bias.shape) == list(outputs))


def _placed(
    call: Call,
    channels: int,
    pads: Sequence[int],
    more: Sequence[tuple[int, ...]],
    count: Callable[..., int],
) -> Tensor | None:
    """Return the array of a convolution along every spatial axis."""
    x, kernel = call[0].shape, call[1].shape[2:]
    ones = [1] * len(kernel)
    strides, dilations = (call.attribute(name) or ones for name in ("strides", "dilations"))
    if len(pads) != 2 * len(ones) or {len(strides), len(dilations)} != {len(ones)}:
        return None
    if min(pads) < 0 or min(*strides, *dilations) < 1:
        return None
    padding = [a + b for a, b in zip(pads[: len(ones)], pads[len(ones) :], strict=True)]
    windows = zip(x[2:], kernel, strides, padding, dilations, more, strict=True)
    sizes = [count(*window, *extra) for *window, extra in windows]
    return call[0].new_empty((x[0], channels, *sizes)) if min(sizes) > 0 else None


OUTLINES: dict[str, Outline] = {
    **dict.fromkeys(
        "Abs Neg Exp Log Sqrt Reciprocal Erf Relu LeakyRelu Elu Selu Celu Swish Mish Sigmoid "
        "Tanh Softplus Softsign HardSigmoid HardSwish".split(),
        _same,
    ),
    **dict.fromkeys("Add Sub Mul Div Pow Max Min Sum".split(), _together),
    "Gelu": _gelu,
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Concat": _concat,
    "BatchNormalization": _batch_norm,
    "Conv": _convolve,
    "ConvTranspose": _spread,
}
