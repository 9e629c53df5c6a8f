"""A layer list with the same result in fewer layers: constants folded, detours cut short.

Batch norm arrives here as a per-channel affine layer and vanishes into the convolution before it.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.models.adopted.layers.modules import Shape
from explorer.models.adopted.layers.network import build_network
from explorer.models.adopted.layers.schema import Layer, Layers

FOLDABLE = {"linear", "conv", "transposedConv"}
STRAIGHT = {"linear", "affine", "reshape", "flatten", "permute", "slice", "sum", "concat"}
"""Kinds that are affine and cheap: a tail of these is one linear layer."""
MAX_TAIL_INPUTS, MAX_TAIL_OUTPUTS = 8192, 1024
MOVES = {"reshape", "flatten", "permute"}
POINTWISE = {
    "relu",
    "silu",
    "tanh",
    "sigmoid",
    "exp",
    "log",
    "logit",
    "erf",
    "leakyRelu",
    "elu",
    "gelu",
    "softplus",
    "clamp",
}
INVERSE = {("exp", "log"), ("log", "exp"), ("sigmoid", "logit"), ("logit", "sigmoid")}


def simplify(layers: Sequence[Layer], shape: Shape) -> Layers:
    """Return layers with the same result for inputs of `shape` (without the batch)."""
    done: list[Layer] = []
    shapes = [tuple(shape)]
    for layer in layers:
        if layer.branches:
            branches = tuple(simplify(branch, shapes[-1]) for branch in layer.branches)
            layer = Layer(layer.kind, layer.settings, layer.tensors, branches)
        for part in _known_join(layer):
            _push(done, shapes, part)
    return tuple(done)


def _known_join(layer: Layer) -> list[Layer]:
    """Return x·sigmoid(x) as SiLU, x·a(1 + erf(x/√2)) as 2a·GELU, and one branch as its layers."""
    if len(layer.branches) == 1:
        return list(layer.branches[0])
    if layer.kind == "product" and len(layer.branches) == 2 and () in layer.branches:
        gate = layer.branches[1] if layer.branches[0] == () else layer.branches[0]
        kinds = [part.kind for part in gate]
        if kinds == ["sigmoid"]:
            return [Layer("silu")]
        if kinds == ["affine", "erf", "affine"] and _is_scale(gate[0], 0.5**0.5):
            outer = gate[2].tensors
            factor, shift = outer.get("weight", torch.tensor(1.0)), outer.get("bias")
            if shift is not None and factor.numel() == shift.numel() == 1 and factor == shift:
                return [Layer("gelu"), make_affine(2 * factor, None)]
    return [layer]


def _is_scale(layer: Layer, factor: float) -> bool:
    weight = layer.tensors.get("weight")
    return (
        weight is not None
        and len(layer.tensors) == 1
        and bool(torch.allclose(weight, torch.full_like(weight, factor), rtol=1e-6))
    )


def _push(done: list[Layer], shapes: list[Shape], layer: Layer) -> None:
    """Append a layer, or what it and the last one make together; `shapes` follows."""
    if layer.kind == "batchNorm":
        layer = norm_as_affine(layer, len(shapes[-1]))
    if layer.kind == "permute":
        order = [axis for axis in layer.settings["order"] if shapes[-1][axis] > 1]
        if order == sorted(order):  # Axes of size 1 move without moving any value.
            moved = [shapes[-1][axis] for axis in layer.settings["order"]]
            layer = Layer("reshape", {"shape": moved})
    if _is_nothing(layer, shapes[-1]):
        return
    kinds, is_row = [part.kind for part in done[-2:]], len(shapes[-1]) == 1
    if layer.kind == "linear" and is_row and kinds == ["affine", "reshape"]:
        # Constants move behind the flattening, where the linear layer takes them in.
        flat, affine, shape = done.pop(), done.pop(), shapes[-3]
        del shapes[-2:]
        constants = (affine.tensors.get(name) for name in ("weight", "bias"))
        spread = [c if c is None else c.expand(shape).flatten() for c in constants]
        for part in (flat, _fold_before(make_affine(*spread), layer, (math.prod(shape),))):
            _push(done, shapes, part)
        return
    if layer.kind == "permute" and kinds == ["linear", "reshape"] and len(shapes[-2]) == 1:
        # Another order of a linear layer's outputs is another order of its rows.
        flat, linear, shape = done.pop(), done.pop(), shapes[-1]
        del shapes[-2:]
        for part in _reorder(linear, flat, layer, shape):
            _push(done, shapes, part)
        return
    if done:
        joined = _join(done[-1], layer, shapes[-2])
        if joined is not None:
            done.pop()
            shapes.pop()
            for part in joined:
                _push(done, shapes, part)
            return
    done.append(layer)
    shapes.append(build_network([layer], shapes[-1]).shape_out)


def _is_nothing(layer: Layer, shape: Shape) -> bool:
    s = layer.settings
    if layer.kind == "affine":
        weight, bias = layer.tensors.get("weight"), layer.tensors.get("bias")
        ones = weight is None or bool((weight == 1).all())
        return ones and (bias is None or bool((bias == 0).all()))
    if layer.kind == "flatten":
        return len(shape) == 1
    if layer.kind == "reshape":
        return tuple(s["shape"]) == shape
    if layer.kind == "slice":
        whole = s.get("start", 0) == 0 and s.get("step", 1) == 1
        return whole and s["stop"] >= shape[s["axis"]]
    if layer.kind == "upsample":
        return tuple(s["size"]) == shape[1:] and s.get("mode", "nearest") == "nearest"
    return False


def _reorder(linear: Layer, flat: Layer, permute: Layer, shape: Shape) -> list[Layer]:
    """Return a linear layer, reshaped to `shape` and permuted, as a linear layer and a reshape."""
    rows = torch.arange(math.prod(shape)).view(shape).permute(permute.settings["order"])
    tensors = {name: value[rows.flatten()] for name, value in linear.tensors.items()}
    return [
        Layer("linear", {}, tensors),
        Layer("reshape", {"shape": list(rows.shape)}),
    ]


def _join(first: Layer, second: Layer, shape: Shape) -> list[Layer] | None:
    """Return what two layers are together, for inputs of `shape`; None if they stay two."""
    kinds = (first.kind, second.kind)
    if kinds in INVERSE:
        return []
    if kinds == ("affine", "affine"):
        return [_affine_after(first, second)]
    if second.kind == "affine" and first.kind in FOLDABLE:
        folded = _fold(first, second)
        return None if folded is None else [folded]
    if kinds == ("affine", "linear"):
        # Of several rows, such as the pixels that attention compares, each must be alike.
        alike = all(constant.ndim < 2 for constant in first.tensors.values())
        return [_fold_before(first, second, shape[-1:])] if alike or len(shape) == 1 else None
    if kinds == ("tanh", "affine") and _is_half(second):
        # (tanh a + 1)/2 is sigmoid(2a): pixels in [-1, 1] have logits too.
        return [make_affine(torch.tensor(2.0), None), Layer("sigmoid")]
    if first.kind in MOVES and _is_pointwise(second):
        return [second, first]  # So that activations meet what they belong to.
    if {*kinds} <= {"reshape", "flatten"}:
        target = second.settings.get("shape", [math.prod(shape)])
        return [Layer("reshape", {"shape": list(target)})]
    if kinds == ("permute", "permute"):
        order = [first.settings["order"][axis] for axis in second.settings["order"]]
        return [Layer("permute", {"order": order})]
    if first.kind == "concat" and first.settings["axis"] == 0:
        threaded = _thread(first, second, shape)
        if threaded is not None:
            return threaded
    return None


def _thread(first: Layer, second: Layer, shape: Shape) -> list[Layer] | None:
    """Return slices of joined branches as the branches that they are cut from."""
    wanted = second.branches if second.branches else ((second,),)
    sizes = [build_network(branch, shape).shape_out[0] for branch in first.branches]
    found: list[Layers] = []
    used: list[int] = []
    for layers in wanted:
        cut = layers[0].settings if layers and layers[0].kind == "slice" else None
        if cut is None or cut["axis"] != 0:
            return None
        start, stop = cut.get("start", 0), min(cut["stop"], sum(sizes))
        at = 0
        for index, size in enumerate(sizes):
            if at <= start and stop <= at + size:
                inner = {**cut, "start": start - at, "stop": stop - at}
                path = (*first.branches[index], Layer("slice", inner), *layers[1:])
                found.append(simplify(path, shape))
                used.append(index)
            at += size
    if len(found) != len(wanted) or len(set(used)) != len(used):
        return None
    if not second.branches:
        return list(found[0])
    return [Layer(second.kind, second.settings, {}, tuple(found))]


def _affine_after(first: Layer, second: Layer) -> Layer:
    """Return (x·a + b)·c + d as x·(ac) + (bc + d)."""
    a, b = first.tensors.get("weight"), first.tensors.get("bias")
    c, d = second.tensors.get("weight"), second.tensors.get("bias")
    weight = a if c is None else c if a is None else a * c
    bias = b if c is None or b is None else b * c
    if d is not None:
        bias = d if bias is None else bias + d
    return make_affine(weight, bias)


def make_affine(weight: Tensor | None, bias: Tensor | None) -> Layer:
    """Return x·weight + bias as a layer."""
    given = {"weight": weight, "bias": bias}
    return Layer("affine", {}, {name: value for name, value in given.items() if value is not None})


def _is_pointwise(layer: Layer) -> bool:
    if layer.kind == "affine":
        return all(constant.numel() == 1 for constant in layer.tensors.values())
    return layer.kind in POINTWISE


def _is_half(layer: Layer) -> bool:
    half = [layer.tensors.get(name) for name in ("weight", "bias")]
    return all(value is not None and bool((value == 0.5).all()) for value in half)


def norm_as_affine(layer: Layer, axes: int) -> Layer:
    """Return batch norm with stored statistics as one scale and shift per channel."""
    tensors = {name: value.double() for name, value in layer.tensors.items()}
    scale = torch.rsqrt(tensors["variance"] + layer.settings.get("eps", 1e-5))
    scale = scale * tensors.get("weight", 1.0)
    shift = tensors.get("bias", 0.0) - tensors["mean"] * scale
    view = (-1, *[1] * (axes - 1))
    return make_affine(scale.float().view(view), shift.float().view(view))


def _fold_before(affine: Layer, linear: Layer, shape: Shape) -> Layer:
    """Return W(x·a + b) + c as one linear layer."""
    weight, bias = linear.tensors["weight"].double(), linear.tensors.get("bias")
    shift, scale = affine.tensors.get("bias"), affine.tensors.get("weight")
    total = torch.zeros(len(weight)).double() if bias is None else bias.double()
    if shift is not None:
        total = total + weight @ shift.double().expand(shape)
    if scale is not None:
        weight = weight * scale.double()
    return Layer("linear", {}, {"weight": weight.float(), "bias": total.float()})


def _fold(first: Layer, affine: Layer) -> Layer | None:
    """Return a linear layer or convolution that scales and shifts its own outputs."""
    weight, groups = first.tensors["weight"].double(), first.settings.get("groups", 1)
    transposed = first.kind == "transposedConv"
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    scale = _per_output(affine.tensors.get("weight"), 1.0, outputs, first.kind)
    shift = _per_output(affine.tensors.get("bias"), 0.0, outputs, first.kind)
    if scale is None or shift is None:
        return None
    if transposed:
        grouped = weight.view(groups, -1, *weight.shape[1:])
        weight = (grouped * scale.view(groups, 1, -1, 1, 1)).flatten(0, 1)
    else:
        weight = weight * scale.view(-1, *[1] * (weight.ndim - 1))
    bias = first.tensors.get("bias")
    total = shift if bias is None else bias.double() * scale + shift
    return Layer(first.kind, first.settings, {"weight": weight.float(), "bias": total.float()})


def _per_output(constant: Tensor | None, missing: float, outputs: int, kind: str) -> Tensor | None:
    """Return an affine layer's constant as one value per output, (outputs,).

    None where it differs between the pixels of a channel.
    """
    if constant is None:
        return torch.full((outputs,), missing, dtype=torch.float64)
    if constant.numel() == 1:
        return constant.double().flatten().expand(outputs)
    per_row = constant.ndim == 1 if kind == "linear" else constant.ndim == 3
    if per_row and constant.numel() == constant.shape[0] == outputs:
        return constant.double().flatten()
    return None


def straighten_tail(layers: Sequence[Layer], shape: Shape) -> Layers:
    """Return the layers with an affine tail of several as one linear layer, read off unit vectors.

    Two heads, halves, interleaved codes and slices of them become the one layer that they are.
    Only where the tail takes and gives few values; else the layers stay as they are.
    """
    start = len(layers)
    while start and all(_is_straight(layer) for layer in layers[start - 1 :]):
        start -= 1
        if not _is_straight(layers[start]):
            start += 1
            break
    head, tail = tuple(layers[:start]), tuple(layers[start:])
    bends = [layer for layer in tail if layer.kind not in ("reshape", "flatten")]
    if len(bends) < 2 and not any(layer.branches for layer in bends):
        return tuple(layers)
    inner = build_network(head, shape).shape_out if head else tuple(shape)
    network = build_network(tail, inner).double()
    inputs, outputs = math.prod(inner), math.prod(network.shape_out)
    if inputs > MAX_TAIL_INPUTS or outputs > MAX_TAIL_OUTPUTS:
        return tuple(layers)
    with torch.no_grad():
        offset = network(torch.zeros(1, *inner, dtype=torch.float64)).flatten()
        columns = [
            network(part.view(-1, *inner)).flatten(1) - offset
            for part in torch.split(torch.eye(inputs, dtype=torch.float64), 512)
        ]
    weight = torch.cat(columns).T.contiguous().float()
    linear = Layer("linear", {}, {"weight": weight, "bias": offset.float()})
    flat = [Layer("reshape", {"shape": [inputs]}), linear]
    flat.append(Layer("reshape", {"shape": list(network.shape_out)}))
    return simplify([*head, *flat], shape)


def _is_straight(layer: Layer) -> bool:
    inner = (part for branch in layer.branches for part in branch)
    return layer.kind in STRAIGHT and all(_is_straight(part) for part in inner)
