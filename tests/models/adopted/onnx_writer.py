"""ONNX files written byte by byte, and the shipped digits model as others would export it."""

import struct

import numpy as np

from explorer.runs.store import open_run

TYPES = {"float32": 1, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11}


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while True:
        out.append(number & 127 | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(out)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, array, external=None):
    array = np.asarray(array)
    head = b"".join(field(1, int(size)) for size in array.shape)
    head += field(2, TYPES[array.dtype.name]) + field(8, name)
    if external:
        places = b"".join(field(13, field(1, k) + field(2, v)) for k, v in external.items())
        return head + places + field(14, 1)
    return head + field(9, array.tobytes())


def attribute(name, value):
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    if isinstance(value, np.ndarray):
        return field(1, name) + field(5, tensor("", value)) + field(20, 4)
    if isinstance(value, bytes):  # A graph.
        return field(1, name) + field(6, value) + field(20, 5)
    return field(1, name) + b"".join(field(8, v) for v in value) + field(20, 7)


def node(operator, inputs, outputs, domain="", **attributes):
    return (
        b"".join(field(1, name) for name in inputs)
        + b"".join(field(2, name) for name in outputs)
        + field(4, operator)
        + b"".join(field(5, attribute(k, v)) for k, v in attributes.items())
        + (field(7, domain) if domain else b"")
    )


def info(name, sizes, kind=1):
    shape = b"".join(field(1, field(1 if isinstance(n, int) else 2, n)) for n in sizes)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def graph(nodes, weights, inputs, outputs):
    return (
        b"".join(field(1, one) for one in nodes)
        + field(2, "g")
        + b"".join(field(5, weight) for weight in weights)
        + b"".join(field(11, one) for one in inputs)
        + b"".join(field(12, one) for one in outputs)
    )


def model(inner, opset=17, domains=()):
    known = field(8, field(2, opset))
    foreign = b"".join(field(8, field(1, domain) + field(2, 1)) for domain in domains)
    return field(1, 8) + field(2, "tests") + field(7, inner) + known + foreign


def one_node(operator, weights=(), shape=(2,), opset=17, outputs=1, inputs=None, **attributes):
    """Return a file of one operator: x (n, *shape) and named weights in, y0, y1 … out."""
    names = inputs or ["x", *(name for name, _ in weights)]
    made = [f"y{index}" for index in range(outputs)]
    inner = graph(
        [node(operator, names, made, **attributes)],
        [tensor(name, array) for name, array in weights],
        [info("x", ["n", *shape])],
        [info(name, ["n"]) for name in made],
    )
    return model(inner, opset)


def through(nodes, weights, shape, outputs=("y",), opset=17, batch="n"):
    """Return a file of several operators from x (batch, *shape)."""
    inner = graph(
        nodes,
        [tensor(name, array) for name, array in weights],
        [info("x", [batch, *shape])],
        [info(name, [batch]) for name in outputs],
    )
    return model(inner, opset)


# The shipped model of digits, as people export theirs.


def digits_model():
    return open_run("digits-2d").model


def _linear_layers(network):
    layers = [layer for layer in network if hasattr(layer, "weight")]
    return [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in layers]


def _perceptron(layers, at, prefix):
    nodes, weights = [], []
    for index, (weight, bias) in enumerate(layers):
        names = f"{prefix}w{index}", f"{prefix}b{index}", f"{prefix}h{index}"
        weights += [tensor(names[0], weight), tensor(names[1], bias)]
        nodes.append(node("Gemm", [at, names[0], names[1]], [names[2]], transB=1))
        at = names[2]
        if index < len(layers) - 1:
            nodes.append(node("Relu", [at], [f"{prefix}r{index}"]))
            at = f"{prefix}r{index}"
    return nodes, weights, at


LAYOUTS = {"NCHW": [1, 8, 8], "NHWC": [8, 8, 1], "flat": [64]}


def _whole(*values):
    return np.array(values, np.int64)


def digits_encoder(kind="logvar", layout="NCHW", batch="n", scaling=None):
    """Return an encoder whose spread, joining, layout and pixel range are as `kind` … say."""
    nodes, at = [], "x"
    weights = [tensor("shape", _whole(-1, 64)), tensor("axis", _whole(1))]
    weights += [tensor(f"s{n}", _whole(n)) for n in (0, 2, 4)]
    weights += [tensor("twenty", np.float32(20)), tensor("half", np.float32(0.5))]
    if scaling:
        scale, shift = scaling
        weights += [tensor("shift", np.float32(shift)), tensor("scale", np.float32(scale))]
        nodes += [node("Sub", [at, "shift"], ["u"]), node("Div", ["u", "scale"], ["v"])]
        at = "v"
    nodes.append(node("Reshape", [at, "shape"], ["flat"]))
    body, more, at = _perceptron(_linear_layers(digits_model().encoder), "flat", "e")
    nodes += body
    weights += more
    nodes += [
        node("Slice", [at, "s0", "s2", "axis"], ["mean"]),
        node("Slice", [at, "s2", "s4", "axis"], ["raw"]),
        node("Div", ["raw", "twenty"], ["d"]),
        node("Tanh", ["d"], ["t"]),
        node("Mul", ["t", "twenty"], ["logvar"]),
        node("Mul", ["logvar", "half"], ["logstd"]),
        node("Exp", ["logstd"], ["std"]),
    ]
    outputs = ["mean", "logvar"]
    if kind in ("std", "logstd"):
        outputs = ["mean", kind]
    elif kind == "swapped":
        outputs = ["logvar", "mean"]
    elif kind == "var":
        nodes.append(node("Exp", ["logvar"], ["var"]))
        outputs = ["mean", "var"]
    elif kind == "joined":
        nodes.append(node("Concat", ["mean", "logvar"], ["both"], axis=1))
        outputs = ["both"]
    elif kind == "interleaved":
        weights += [tensor("two", _whole(2)), tensor("four", _whole(-1, 4))]
        nodes += [
            node("Unsqueeze", ["mean", "two"], ["m3"]),
            node("Unsqueeze", ["logvar", "two"], ["l3"]),
            node("Concat", ["m3", "l3"], ["pairs"], axis=2),
            node("Reshape", ["pairs", "four"], ["both"]),
        ]
        outputs = ["both"]
    elif kind == "sample":
        nodes += [
            node("RandomNormalLike", ["mean"], ["eps"]),
            node("Mul", ["eps", "std"], ["noise"]),
            node("Add", ["mean", "noise"], ["z"]),
        ]
        outputs = ["z"]
    width = 4 if outputs == ["both"] else 2
    sizes = [info("x", [batch, *LAYOUTS[layout]])]
    return model(graph(nodes, weights, sizes, [info(name, [batch, width]) for name in outputs]))


def digits_decoder(kind="probabilities", layout="NCHW"):
    """Return a decoder that puts out probabilities, logits or pixels in [−1, 1]."""
    nodes, weights, at = _perceptron(_linear_layers(digits_model().decoder), "z", "d")
    weights.append(tensor("shape", _whole(-1, *LAYOUTS[layout])))
    nodes.append(node("Reshape", [at, "shape"], ["logits"]))
    out = "logits"
    if kind != "logits":
        nodes.append(node("Sigmoid", ["logits"], ["p"]))
        out = "p"
    if kind == "minus-one":
        weights += [tensor("two", np.float32(2)), tensor("one", np.float32(1))]
        nodes += [node("Mul", ["p", "two"], ["p2"]), node("Sub", ["p2", "one"], ["pm"])]
        out = "pm"
    sizes = ["n", *LAYOUTS[layout]]
    return model(graph(nodes, weights, [info("z", ["n", 2])], [info(out, sizes)]))


ENCODERS = {
    "logvar": digits_encoder,
    "std": lambda: digits_encoder("std"),
    "var": lambda: digits_encoder("var"),
    "log σ": lambda: digits_encoder("logstd"),
    "swapped": lambda: digits_encoder("swapped"),
    "joined": lambda: digits_encoder("joined"),
    "interleaved": lambda: digits_encoder("interleaved"),
    "sample": lambda: digits_encoder("sample"),
    "NHWC, minus one": lambda: digits_encoder(layout="NHWC", scaling=(2.0, -1.0)),
    "flat, bytes": lambda: digits_encoder(layout="flat", scaling=(255.0, 0.0)),
    "batch of one": lambda: digits_encoder(batch=1),
}
DECODERS = {
    "probabilities": digits_decoder,
    "logits": lambda: digits_decoder("logits"),
    "NHWC, minus one": lambda: digits_decoder("minus-one", "NHWC"),
    "flat": lambda: digits_decoder(layout="flat"),
}


def refused():
    """Return files that must be refused, by what is wrong with them, with a word of the answer."""
    z, y = [info("z", ["n", 2])], [info("y", ["n", 2])]
    two = np.zeros(2, np.float32)

    def simple(nodes, weights=(), inputs=z, **more):
        return model(graph(nodes, list(weights), inputs, y), **more)

    add = [node("Add", ["z", "w"], ["y"])]
    body = graph([node("Identity", ["i"], ["o"])], [], [info("i", [1])], [info("o", [1])])
    huge = tensor("shape", _whole(100_000, 100_000, 10))
    wide = tensor("wide", np.ones((2, 30_000), np.float32))
    grows = [
        node("MatMul", ["z", "wide"], ["a"]),
        node("Transpose", ["a"], ["b"], perm=[1, 0]),
        node("MatMul", ["b", "a"], ["c"]),
        node("ReduceSum", ["c"], ["s"], keepdims=0),
        node("Add", ["z", "s"], ["y"]),
    ]
    expands = [
        node("ConstantOfShape", ["shape"], ["c"]),
        node("ReduceSum", ["c"], ["s"], keepdims=0),
        node("Add", ["z", "s"], ["y"]),
    ]
    outside = {"location": "../../../../etc/passwd", "offset": "0", "length": "8"}
    beside = {"location": "weights.bin", "offset": "0", "length": "8"}
    label = [*z, info("label", ["n", 2])]
    return {
        "external data outside": (simple(add, [tensor("w", two, outside)]), "external_data=False"),
        "external data beside": (simple(add, [tensor("w", two, beside)]), "external_data=False"),
        "a foreign domain": (
            simple([node("Evil", ["z"], ["y"], domain="com.example")], domains=["com.example"]),
            "standard operators",
        ),
        "a loop": (
            simple(
                [node("Loop", ["trip", "", "z"], ["y"], body=body)],
                [tensor("trip", np.array(10**12))],
            ),
            "plain forward pass",
        ),
        "a graph in a graph": (simple([node("Relu", ["z"], ["y"], body=body)]), "graph inside"),
        "an expansion to 400 GB": (simple(expands, [huge]), "smaller network"),
        "a product that grows": (simple(grows, [wide]), "fewer channels"),
        "two inputs": (simple([node("Add", ["z", "label"], ["y"])], inputs=label), "2 inputs"),
        "no input": (simple([node("Identity", ["w"], ["y"])], [tensor("w", two)], []), "0 inputs"),
        "NaN": (
            simple(
                [node("Log", ["n1"], ["l"]), node("Add", ["l", "z"], ["y"])],
                [tensor("n1", np.float32(-1))],
            ),
            "NaN",
        ),
        "an unknown operator": (simple([node("GRU", ["z"], ["y"])]), "GRU"),
        "a random operator": (simple([node("Bernoulli", ["z"], ["y"])]), "random numbers"),
        "NaN weights": (simple(add, [tensor("w", two + np.nan)]), "NaN"),
        "whole numbers in": (
            simple([node("Identity", ["z"], ["y"])], inputs=[info("z", ["n", 2], 7)]),
            "float pixels",
        ),
        "words": (
            simple(add, [field(1, 2) + field(2, 8) + field(8, "w")]),
            "element type",
        ),
        "a part of a file": (digits_encoder()[:5000], "copy it again"),
        "a picture": (b"GIF89a" + bytes(100), "no ONNX file"),
        "nothing": (b"", "no ONNX file"),
    }
