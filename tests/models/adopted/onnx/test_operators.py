"""Every operator of ONNX that is read, against torch's own functions of the same definition."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import open_onnx
from explorer.models.adopted.onnx import graph as graph_module
from explorer.models.adopted.onnx.graph import ALL_OPERATORS, OnnxGraph
from tests.models.adopted.onnx_writer import graph, info, model, node, one_node, tensor, through

PICTURE = (4, 6, 6)
RNG = np.random.default_rng(0)


def floats(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def whole(*values):
    return np.array(values, np.int64)


VECTOR, SCALARS = floats(4, 1, 1), np.array([0.5], np.float32)
KERNEL, GROUPED, BIAS = floats(8, 4, 3, 3), floats(8, 2, 3, 3), floats(8)
TRANSPOSED, SQUARE = floats(4, 5, 4, 4), floats(6, 6)
POSITIVE = np.abs(floats(4)) + 0.5
FOUR = floats(4)


def t(array):
    return torch.from_numpy(array)


def op(name, function, weights=(), shape=PICTURE, **more):
    """Return a case: its name, the file, what torch makes of x, and the shape of x."""
    return name, one_node(name, weights, shape, **more), function, shape


def chain(name, nodes, function, weights=(), shape=PICTURE, **more):
    return name, through(nodes, weights, shape, **more), function, shape


def cases():
    yield op("Add", lambda x: x + t(VECTOR), [("w", VECTOR)])
    yield op("Sub", lambda x: x - t(VECTOR), [("w", VECTOR)])
    yield op("Mul", lambda x: x * t(VECTOR), [("w", VECTOR)])
    yield op("Div", lambda x: x / t(VECTOR), [("w", VECTOR)])
    yield op("Pow", lambda x: x**2, [("w", np.float32(2))])
    yield op("Max", lambda x: torch.maximum(x, t(VECTOR)), [("w", VECTOR)])
    yield op("Min", lambda x: torch.minimum(x, t(VECTOR)), [("w", VECTOR)])
    yield op("Sum", lambda x: x + t(VECTOR) + t(SCALARS), [("w", VECTOR), ("v", SCALARS)])
    for name in ("Abs", "Neg", "Exp", "Erf", "Relu", "Sigmoid", "Tanh", "Floor", "Ceil"):
        yield op(name, getattr(torch, name.lower()))
    yield op("Softplus", functional.softplus)
    yield op("Identity", lambda x: x)
    yield op("Dropout", lambda x: x)
    yield op("Reciprocal", lambda x: 1 / x)
    absolute = [node("Abs", ["x"], ["a"])]
    yield chain("Log", [*absolute, node("Log", ["a"], ["y"])], lambda x: x.abs().log())
    yield chain("Sqrt", [*absolute, node("Sqrt", ["a"], ["y"])], lambda x: x.abs().sqrt())
    yield op("LeakyRelu", lambda x: functional.leaky_relu(x, 0.2), alpha=0.2)
    yield op("Elu", lambda x: functional.elu(x, 0.7), alpha=0.7)
    yield op("Swish", functional.silu, opset=24)
    yield op("Gelu", functional.gelu, opset=20)
    tanh = lambda x: functional.gelu(x, approximate="tanh")  # noqa: E731
    yield op("Gelu", tanh, opset=20, approximate="tanh")
    yield op("PRelu", lambda x: functional.prelu(x, t(FOUR)), [("w", FOUR.reshape(4, 1, 1))])
    clip = [("low", np.float32(-0.5)), ("high", np.float32(0.4))]
    yield op("Clip", lambda x: x.clamp(-0.5, 0.4), clip)
    yield op("Clip", lambda x: x.clamp(-0.5, 0.4), opset=6, min=-0.5, max=0.4)
    yield op("Softmax", lambda x: x.softmax(1), axis=1)
    yield op("LogSoftmax", lambda x: x.log_softmax(1), axis=1)
    yield op("Selu", functional.selu)
    yield op("Celu", lambda x: functional.celu(x, 2.0), alpha=2.0)
    yield op("HardSigmoid", lambda x: (0.2 * x + 0.5).clamp(0, 1))
    yield op("HardSigmoid", functional.hardsigmoid, alpha=1 / 6, beta=0.5)
    yield op("HardSwish", functional.hardswish)
    yield op("Mish", functional.mish)
    yield op("Softsign", functional.softsign)
    yield op("ThresholdedRelu", lambda x: functional.threshold(x, 0.3, 0.0), alpha=0.3)
    yield op("GlobalMaxPool", lambda x: x.amax((2, 3), keepdim=True))
    pixels = [("axes", whole(2, 3))]
    yield op("ReduceMax", lambda x: x.amax((2, 3), keepdim=True), pixels, opset=18)
    yield op("ReduceMin", lambda x: x.amin((2, 3), keepdim=True), pixels, opset=18)
    yield op("ReduceL2", lambda x: x.flatten(2).norm(dim=2)[..., None, None], pixels, opset=18)
    squares = [("axes", whole(1))]
    yield op("ReduceSumSquare", lambda x: (x**2).sum(1, keepdim=True), squares, opset=18)
    for name in ("Sin", "Cos", "Sign", "Round"):
        yield op(name, getattr(torch, name.lower()))
    choose = [node("Where", ["c", "x", "w"], ["y"])]
    for name, extreme in (("GreaterOrEqual", torch.maximum), ("LessOrEqual", torch.minimum)):
        compared = [node(name, ["x", "w"], ["c"]), *choose]
        yield chain(name, compared, lambda x, f=extreme: f(x, t(VECTOR)), [("w", VECTOR)])
    scores = [
        node("Transpose", ["x"], ["k"], perm=[0, 1, 3, 2]),
        node("MatMul", ["x", "k"], ["s"]),
        node("Softmax", ["s"], ["a"], axis=-1),
        node("MatMul", ["a", "x"], ["y"]),
    ]
    yield chain("MatMul", scores, lambda x: (x @ x.mT).softmax(-1) @ x)
    moved = "nchw -> nwch"
    yield op("Einsum", lambda x: torch.einsum("nchw->nwch", x), equation=moved)
    mixed = lambda x: torch.einsum("nchw,hd->ncd", x, t(SQUARE))  # noqa: E731
    yield op("Einsum", mixed, [("w", SQUARE)], equation="nchw,hd->ncd")
    yield op("Softmax", lambda x: x.flatten(1).softmax(1).reshape(x.shape), opset=11, axis=1)
    yield op("Mod", lambda x: torch.fmod(x, t(SCALARS)), [("w", SCALARS)], fmod=1)
    above = [node("Greater", ["x", "w"], ["c"]), node("Where", ["c", "x", "v"], ["y"])]
    where = lambda x: torch.where(x > 0.5, x, t(VECTOR))  # noqa: E731
    for name in ("Greater", "Where"):
        yield chain(name, above, where, [("w", SCALARS), ("v", VECTOR)])
    for name, test in (("Equal", torch.eq), ("Less", torch.lt)):
        nodes = [node(name, ["x", "w"], ["c"]), node("Cast", ["c"], ["y"], to=1)]
        yield chain(name, nodes, lambda x, test=test: test(x, t(SCALARS)).float(), [("w", SCALARS)])
    # Linear layers.
    linear = lambda x: functional.linear(x, t(SQUARE), t(SQUARE[0]))  # noqa: E731
    yield op("Gemm", linear, [("w", SQUARE), ("b", SQUARE[0])], (6,), transB=1)
    scaled = lambda x: 0.5 * x @ t(SQUARE) + 2 * t(SQUARE[0])  # noqa: E731
    yield op("Gemm", scaled, [("w", SQUARE), ("b", SQUARE[0])], (6,), alpha=0.5, beta=2.0)
    yield op("MatMul", lambda x: x @ t(SQUARE), [("w", SQUARE)])
    two = [("w", KERNEL), ("b", BIAS)]
    yield op("Conv", lambda x: functional.conv2d(x, t(KERNEL), t(BIAS)), two)
    spread = lambda x: functional.conv2d(x, t(KERNEL), None, 2, 2, 2)  # noqa: E731
    sizes = {"strides": [2, 2], "pads": [2, 2, 2, 2], "dilations": [2, 2]}
    yield op("Conv", spread, [("w", KERNEL)], **sizes)
    grouped = lambda x: functional.conv2d(x, t(GROUPED), t(BIAS), padding=1, groups=2)  # noqa: E731
    yield op("Conv", grouped, [("w", GROUPED), ("b", BIAS)], pads=[1, 1, 1, 1], group=2)
    uneven = lambda x: functional.conv2d(functional.pad(x, (0, 1, 1, 0)), t(KERNEL))  # noqa: E731
    yield op("Conv", uneven, [("w", KERNEL)], pads=[1, 0, 0, 1])
    same = lambda x: functional.conv2d(functional.pad(x, (0, 1, 0, 1)), t(KERNEL), None, 2)  # noqa: E731
    yield op("Conv", same, [("w", KERNEL)], strides=[2, 2], auto_pad="SAME_UPPER")
    up = lambda x: functional.conv_transpose2d(x, t(TRANSPOSED), None, 2, 1)  # noqa: E731
    yield op("ConvTranspose", up, [("w", TRANSPOSED)], strides=[2, 2], pads=[1, 1, 1, 1])
    extra = lambda x: functional.conv_transpose2d(x, t(TRANSPOSED), None, 3, 1, 1)  # noqa: E731
    sizes = {"strides": [3, 3], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}
    yield op("ConvTranspose", extra, [("w", TRANSPOSED)], **sizes)
    cropped = lambda x: functional.conv_transpose2d(x, t(TRANSPOSED), None, 2)[:, :, 1:, :-1]  # noqa: E731
    yield op("ConvTranspose", cropped, [("w", TRANSPOSED)], strides=[2, 2], pads=[1, 0, 0, 1])
    sized = lambda x: functional.conv_transpose2d(x, t(TRANSPOSED), None, 2, 1)  # noqa: E731
    yield op("ConvTranspose", sized, [("w", TRANSPOSED)], strides=[2, 2], output_shape=[12, 12])
    # Norms and pools.
    norm = [("s", FOUR), ("b", FOUR[::-1].copy()), ("m", floats(4)), ("v", POSITIVE)]
    _, _, (_, mean), _ = norm
    batch = lambda x: functional.batch_norm(  # noqa: E731
        x, t(mean), t(POSITIVE), t(FOUR), t(FOUR[::-1].copy()), eps=1e-3
    )
    yield op("BatchNormalization", batch, norm, epsilon=1e-3)
    scale = [("s", FOUR), ("b", FOUR[::-1].copy())]
    weights = t(FOUR), t(FOUR[::-1].copy())
    instance = lambda x: functional.instance_norm(x, weight=weights[0], bias=weights[1])  # noqa: E731
    yield op("InstanceNormalization", instance, scale)
    group = lambda x: functional.group_norm(x, 2, *weights)  # noqa: E731
    yield op("GroupNormalization", group, scale, opset=21, num_groups=2)
    layer = lambda x: functional.layer_norm(x, (6,), t(SQUARE[0]), t(SQUARE[1]))  # noqa: E731
    yield op("LayerNormalization", layer, [("s", SQUARE[0]), ("b", SQUARE[1])])
    window = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    yield op("MaxPool", lambda x: functional.max_pool2d(x, 3, 2, 1), **window)
    yield op(
        "AveragePool", lambda x: functional.avg_pool2d(x, 3, 2, 1), **window, count_include_pad=1
    )
    inside = lambda x: functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)  # noqa: E731
    yield op("AveragePool", inside, **window)
    yield op("GlobalAveragePool", lambda x: x.mean((2, 3), keepdim=True))
    yield op("ReduceMean", lambda x: x.mean((2, 3)), axes=[2, 3], keepdims=0)
    yield op("ReduceMean", lambda x: x.mean((2, 3), True), [("a", whole(2, 3))], opset=18)
    yield op("ReduceSum", lambda x: x.sum(1, True), [("a", whole(1))])
    yield op("ReduceProd", lambda x: x.prod(1), axes=[1], keepdims=0)
    # Shapes.
    yield op("Reshape", lambda x: x.reshape(-1, 12, 12), [("s", whole(0, 12, -1))])
    yield op("Flatten", lambda x: x.flatten(1))
    yield op("Unsqueeze", lambda x: x[:, None, ..., None], [("a", whole(1, 5))])
    yield op("Squeeze", lambda x: x[:, :, 0], [("a", whole(2))], (4, 1, 3))
    yield op("Squeeze", lambda x: x[:, :, 0], shape=(4, 1, 3), opset=11, axes=[2])
    yield op("Transpose", lambda x: x.permute(0, 2, 3, 1), perm=[0, 2, 3, 1])
    yield chain(
        "Concat", [node("Concat", ["x", "x"], ["y"], axis=1)], lambda x: torch.cat([x, x], 1)
    )
    parts = lambda x: torch.cat(x.flatten(2).split([1, 3], 1), 1)  # noqa: E731
    yield chain(
        "Split",
        [
            node("Split", ["x", "s"], ["a", "b"], axis=1),
            node("Concat", ["a", "b"], ["c"], axis=1),
            node("Reshape", ["c", "f"], ["y"]),
        ],
        parts,
        [("s", whole(1, 3)), ("f", whole(0, 4, 36))],
    )
    slices = [("s", whole(1, -3)), ("e", whole(4, 9)), ("a", whole(1, 3)), ("k", whole(2, 1))]
    yield op("Slice", lambda x: x[:, 1:4:2, :, -3:], slices)
    back = [("s", whole(-1)), ("e", whole(-9)), ("a", whole(3)), ("k", whole(-2))]
    yield op("Slice", lambda x: x.flip(3)[..., ::2], back)
    yield op("Gather", lambda x: x[:, :, -1], [("i", np.array(-1))], axis=2)
    yield op("Gather", lambda x: x[:, [2, 0]], [("i", whole(2, 0))], axis=1)
    yield op("Expand", lambda x: x.expand(-1, 4, 6), [("s", whole(1, 4, 6))], (1, 6))
    yield op("Tile", lambda x: x.repeat(1, 2, 1, 3), [("r", whole(1, 2, 1, 3))])
    border = [("p", whole(0, 0, 1, 2, 0, 0, 0, 1)), ("v", np.float32(0.5))]
    yield op("Pad", lambda x: functional.pad(x, (2, 1, 1, 0), value=0.5), border)
    for mode, name in (("reflect", "reflect"), ("edge", "replicate")):
        padded = lambda x, name=name: functional.pad(x, (2, 1, 1, 0), name)  # noqa: E731
        yield op("Pad", padded, border[:1], mode=mode)
    named = ["x", "", "", "s"]
    for mode, rule, size, function in (
        ("nearest", "asymmetric", 12, lambda x: functional.interpolate(x, (12, 12))),
        ("nearest", "half_pixel", 12, lambda x: functional.interpolate(x, (12, 12))),
        ("linear", "half_pixel", 9,
         lambda x: functional.interpolate(x, (9, 9), mode="bilinear")),
        ("linear", "align_corners", 9,
         lambda x: functional.interpolate(x, (9, 9), mode="bilinear", align_corners=True)),
    ):  # fmt: skip
        more = {"nearest_mode": "floor"} if rule == "asymmetric" else {}
        yield op(
            "Resize",
            function,
            [("s", whole(3, 4, size, size))],
            inputs=named,
            mode=mode,
            coordinate_transformation_mode=rule,
            **more,
        )
    double = np.array([1, 1, 2, 2], np.float32)
    upsampled = lambda x: functional.interpolate(x, scale_factor=2.0)  # noqa: E731
    yield op("Upsample", upsampled, [("s", double)], opset=9)
    yield op("DepthToSpace", lambda x: functional.pixel_shuffle(x, 2), blocksize=2, mode="CRD")

    def order(x):
        return functional.pixel_shuffle(x.view(-1, 4, 1, 6, 6).transpose(1, 2).flatten(1, 2), 2)

    yield op("DepthToSpace", order, blocksize=2)
    # Shapes that follow from shapes, and constants.
    from_shape = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"], axis=0),
        node("Unsqueeze", ["n", "axis"], ["n1"]),
        node("Constant", [], ["rest"], value=whole(-1)),
        node("Concat", ["n1", "rest"], ["to"], axis=0),
        node("Reshape", ["x", "to"], ["y"]),
    ]
    zero = [("zero", np.array(0)), ("axis", whole(0))]
    yield chain("Shape", from_shape, lambda x: x.flatten(1), zero)
    yield chain("Constant", from_shape, lambda x: x.flatten(1), zero)
    filled = [node("ConstantOfShape", ["s"], ["c"], value=SCALARS), node("Add", ["x", "c"], ["y"])]
    yield chain("ConstantOfShape", filled, lambda x: x + 0.5, [("s", whole(6))])
    counted = [
        node("Range", ["a", "b", "c"], ["r"]),
        node("Cast", ["r"], ["f"], to=1),
        node("Add", ["x", "f"], ["y"]),
    ]
    limits = [("a", np.array(0)), ("b", np.array(12)), ("c", np.array(2))]
    yield chain("Range", counted, lambda x: x + torch.arange(0.0, 12, 2), limits)
    yield chain("Cast", counted, lambda x: x + torch.arange(0.0, 12, 2), limits)


CASES = list(cases())


def some_input(shape, seed=1):
    return torch.randn((3, *shape), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case[0] for case in CASES])
def test_an_operator_computes_what_torch_does(index):
    _, data, function, shape = CASES[index]
    x = some_input(shape)
    expected = function(x).flatten(1)
    found = OnnxGraph.open(data)
    found.follow(shape)
    torch.testing.assert_close(found(x), expected, rtol=1e-5, atol=1e-6)
    # As layers, or as the graph that it stays: the same.
    torch.testing.assert_close(open_onnx(data, shape).network(x), expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case[0] for case in CASES])
def test_an_operator_works_in_double_precision_with_gradients(index):
    name, data, function, shape = CASES[index]
    found = OnnxGraph.open(data)
    found.follow(shape)
    found.double()
    x = some_input(shape).double().requires_grad_(True)
    own = found(x)
    assert own.dtype == torch.float64
    if name in ("Equal", "Less", "Floor", "Ceil"):
        return  # Flat almost everywhere.
    weights = torch.linspace(-1, 1, own.numel(), dtype=torch.float64).view(own.shape)
    (slope,) = torch.autograd.grad((own * weights).sum(), x)
    single = some_input(shape).requires_grad_(True)
    (expected,) = torch.autograd.grad((function(single).flatten(1) * weights.float()).sum(), single)
    torch.testing.assert_close(slope.float(), expected, rtol=1e-3, atol=1e-4)


# Shapes that are known without a run.


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case[0] for case in CASES])
def test_the_shapes_and_types_of_a_graph_are_those_of_a_run(index, monkeypatch):
    _, data, _, shape = CASES[index]
    graph = OnnxGraph.open(data)

    def planned():
        return {name: (x.shape, x.dtype) for name, x in graph.plan((3, *shape)).items()}

    known = planned()
    monkeypatch.setattr(graph_module, "outline", lambda call: None)
    assert known == planned()


def test_every_operator_that_is_read_is_tested():
    noise = {"RandomNormal", "RandomNormalLike"}  # In test_graph.py.
    assert set(ALL_OPERATORS) - {case[0] for case in CASES} == noise


@pytest.mark.parametrize(
    "data",
    [
        one_node("BatchNormalization", [(n, POSITIVE) for n in "abcd"], PICTURE, training_mode=1),
        one_node(
            "Resize", [("s", whole(3, 4, 9, 9))], PICTURE, inputs=["x", "", "", "s"], mode="cubic"
        ),
        one_node("Reshape", [("s", whole(0, 7, -1))], PICTURE),
        one_node("Gather", [("i", np.array(9))], PICTURE, axis=1),
        one_node("Conv", [("w", floats(8, 3, 3, 3))], PICTURE),
        one_node("Range", [("a", np.array(0)), ("b", np.array(9))], (2,), inputs=["a", "b", "a"]),
        one_node("Add", [], (2,), inputs=["x"]),
        one_node("Einsum", [], PICTURE, equation="...hw->...wh"),
    ],
    ids=["training", "cubic", "reshape", "index", "channels", "range", "input", "einsum"],
)
def test_what_does_not_fit_is_one_error(data):
    with pytest.raises(ExplorerError):
        open_onnx(data)


def test_shapes_that_depend_on_the_picture_are_refused():
    nodes = [
        node("Cast", ["x"], ["k"], to=7),
        node("ReduceSum", ["k"], ["s"], keepdims=0),
        node("Unsqueeze", ["s", "axis"], ["s1"]),
        node("ConstantOfShape", ["s1"], ["c"]),
        node("ReduceSum", ["c"], ["sum"], keepdims=0),
        node("Add", ["x", "sum"], ["y"]),
    ]
    with pytest.raises(ExplorerError, match="depend on what a picture shows"):
        open_onnx(through(nodes, [("axis", whole(0))], (2,)))


def test_weights_computed_from_weights_have_a_limit():
    nodes = [
        node("Expand", ["w", "s"], ["big"]),
        node("ReduceSum", ["big"], ["sum"], keepdims=0),
        node("Add", ["x", "sum"], ["y"]),
    ]
    inner = graph(
        nodes,
        [tensor("w", np.float32(1)), tensor("s", whole(1000, 1000, 60))],
        [info("x", ["n", 2])],
        [info("y", ["n", 2])],
    )
    with pytest.raises(ExplorerError, match="60,000,000 values out of its weights"):
        open_onnx(model(inner))
