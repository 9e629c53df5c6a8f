"""A foreign graph drawn with our layers: values that know how they came about, then layer lists.

Readers of ONNX and of torch graphs walk their operators once and call what stands here. A value is
a constant tensor, a `Value` (something computed from the input), or `Noisy`: a + b·ε for the normal
noise ε inside an encoder, which is read as an input of its own (ε = 0 gives a, the mean).
Shapes leave out the batch, whose size while drawing is `BATCH`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.models.adopted.layers.builders import broadcast
from explorer.models.adopted.layers.limits import MAX_DEPTH, MAX_LAYERS
from explorer.models.adopted.layers.schema import Layer, Layers
from explorer.models.adopted.layers.simplify import make_affine

BATCH = 3
"""Images in the batch that is followed: a size that no layer's width is likely to have."""


class NotLayers(Exception):
    """What a graph does has no counterpart among our layers; the text says what."""


@dataclass(frozen=True, eq=False)
class Value:
    """An array of each image: `layer` applied to `sources`, several of them where branches meet.

    The input has neither.
    """

    shape: tuple[int, ...]
    layer: Layer | None = None
    sources: tuple["Value", ...] = ()


@dataclass(frozen=True, eq=False)
class Noisy:
    """mean + scale·ε, where each is a value or a constant."""

    mean: "Value | Tensor"
    scale: "Value | Tensor"


Item = Value | Noisy | Tensor


def apply(value: Value, layer: Layer, shape: Sequence[int]) -> Value:
    """Return what `layer` makes of a value: an array of `shape`."""
    return Value(tuple(shape), layer, (value,))


def plain(item: Item, what: str) -> Value:
    """Return an item that must be computed from the input without noise."""
    if isinstance(item, Value):
        return item
    kind = "a constant" if isinstance(item, Tensor) else "noise"
    raise NotLayers(f"{what} of {kind}")


def constant_of_image(constant: Tensor, axes: int) -> Tensor:
    """Return a constant that meets values (B, …) of `axes` + 1 axes, without its batch axis."""
    if constant.ndim == axes + 1:
        if constant.shape[0] not in (1, BATCH) or bool((constant != constant[:1]).any()):
            raise NotLayers("a constant that differs between the images of a batch")
        constant = constant[0]
    if constant.ndim > axes:
        raise NotLayers("a constant with more axes than the images")
    return constant.float()


def add(first: Item, second: Item, sign: float = 1.0) -> Item:
    """Return first + sign·second."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return first + sign * second
    if isinstance(first, Noisy) or isinstance(second, Noisy):
        a, b = split_noise(first), split_noise(second)
        return Noisy(_clean(add(a.mean, b.mean, sign)), _clean(add(a.scale, b.scale, sign)))
    if isinstance(second, Tensor):
        return _affine(plain(first, "a sum"), None, sign * second)
    second = second if sign == 1 else _affine(second, torch.tensor(sign), None)
    if isinstance(first, Tensor):
        return _affine(second, None, first)
    return _meet("sum", [first, second])


def multiply(first: Item, second: Item) -> Item:
    """Return first · second."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return first * second
    if isinstance(first, Noisy) or isinstance(second, Noisy):
        a, b = split_noise(first), split_noise(second)
        if not (_is_zero(a.scale) or _is_zero(b.scale)):
            raise NotLayers("a product of noise and noise")
        cross = add(multiply(a.mean, b.scale), multiply(a.scale, b.mean))
        return Noisy(_clean(multiply(a.mean, b.mean)), _clean(cross))
    if isinstance(first, Tensor):
        first, second = second, first
    value = plain(first, "a product")
    if isinstance(second, Tensor):
        if _is_zero(second):
            return torch.zeros(())
        return _affine(value, second, None)
    return _meet("product", [value, plain(second, "a product")])


def matrix_product(first: Item, second: Item) -> Value:
    """Return first @ second of two arrays of the image, (…, n, m) and (…, m, p)."""
    values = [plain(item, "a matrix product") for item in (first, second)]
    one, two = (value.shape for value in values)
    if min(len(one), len(two)) < 2 or one[:-2] != two[:-2] or one[-1] != two[-2]:
        raise NotLayers("a matrix product of arrays that do not meet")
    return Value((*one[:-1], two[-1]), Layer("matmul"), tuple(values))


def softmax(item: Item, axis: int) -> Value:
    """Return a softmax along an axis of the images."""
    value = plain(item, "a softmax")
    return apply(value, Layer("softmax", {"axis": axis}), value.shape)


def divide(first: Item, second: Item) -> Item:
    """Return first / second."""
    if isinstance(second, Tensor):
        return first / second if isinstance(first, Tensor) else multiply(first, 1 / second)
    return multiply(first, power(second, -1.0, "a division"))


def power(item: Item, exponent: float, what: str) -> Item:
    """Return item^exponent: products for 2 to 4, else exp(exponent·ln x), of x² where x has signs.

    Whole exponents are defined below 0 too; of others torch gives NaN there, as this does.
    """
    if isinstance(item, Tensor):
        return torch.pow(item, exponent)
    if exponent in (2, 3, 4):
        result: Item = item
        for _ in range(int(exponent) - 1):
            result = multiply(result, item)
        return result
    if exponent % 2 == 1:  # x^−1 is x · (x²)^−1.
        return multiply(item, power(item, exponent - 1, what))
    if exponent % 2 == 0:
        item, exponent = multiply(item, item), exponent / 2
    log = multiply(elementwise(item, Layer("log"), what), torch.tensor(exponent))
    return elementwise(log, Layer("exp"), what)


def elementwise(item: Item, layer: Layer, what: str) -> Value:
    """Return an activation of a value."""
    value = plain(item, what)
    return apply(value, layer, value.shape)


def reshape(item: Item, shape: Sequence[int]) -> Item:
    """Return an item with the values of each image in another shape."""
    if isinstance(item, Noisy):
        return Noisy(_clean(reshape(item.mean, shape)), _clean(reshape(item.scale, shape)))
    if isinstance(item, Tensor):
        if item.numel() == 1:
            return item.reshape(())
        return constant_of_image(item, len(item.shape) - 1).reshape(1, *shape)
    if math.prod(shape) != math.prod(item.shape):
        raise NotLayers("a reshape across the images of a batch")
    return apply(item, Layer("reshape", {"shape": list(shape)}), shape)


def concat(items: Sequence[Item], axis: int) -> Value:
    """Return items joined along an axis of the images; constants stand beside any of them."""
    values = [item for item in items if not isinstance(item, Tensor)]
    first = plain(values[0] if values else items[0], "a join")
    parts = [
        constant(first, item, item.shape[1:]) if isinstance(item, Tensor) else plain(item, "a join")
        for item in items
    ]
    if len(parts) == 1:
        return parts[0]
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return Value(tuple(shape), Layer("concat", {"axis": axis}), tuple(parts))


def cut(item: Item, axis: int, start: int, stop: int, step: int = 1) -> Value:
    """Return the part from `start` to before `stop` along an axis of the images."""
    value = plain(item, "a slice")
    if axis < 0 or step < 1:
        raise NotLayers("a slice across the batch or from behind")
    size = value.shape[axis]
    start = min(size, max(0, start + size if start < 0 else start))
    stop = min(size, max(0, stop + size if stop < 0 else stop))
    count = len(range(start, stop, step))
    if not count:
        raise NotLayers("an empty slice")
    shape = [count if i == axis else n for i, n in enumerate(value.shape)]
    settings = {"axis": axis, "start": start, "stop": stop, "step": step}
    return apply(value, Layer("slice", settings), shape)


def constant(start: Value, values: Tensor, shape: Sequence[int]) -> Value:
    """Return the same values for every image as an array of `shape`: what dead heads put out."""
    if values.ndim == len(shape) + 1:
        values = constant_of_image(values, len(shape))
    same = values.float().expand(tuple(shape)).flatten()
    first = cut(reshape(start, (math.prod(start.shape),)), 0, 0, 1)
    tensors = {"weight": torch.zeros(len(same), 1), "bias": same.clone()}
    row = apply(first, Layer("linear", {}, tensors), (len(same),))
    return plain(reshape(row, shape), "a constant")


def split_noise(item: Item) -> Noisy:
    """Return an item as mean + scale·ε; without noise the scale is 0."""
    return item if isinstance(item, Noisy) else Noisy(item, torch.zeros(()))


def _clean(item: Item) -> Value | Tensor:
    if isinstance(item, Noisy):
        raise NotLayers("noise of noise")
    return item


def _is_zero(item: Item) -> bool:
    return isinstance(item, Tensor) and bool((item == 0).all())


def _affine(value: Value, weight: Tensor | None, bias: Tensor | None) -> Value:
    constants = []
    for constant in (weight, bias):
        if constant is not None:
            constant = constant_of_image(constant, len(value.shape))
            if broadcast(constant.shape, value.shape) != value.shape:
                raise NotLayers("a constant larger than the array that it meets")
        constants.append(constant)
    if bias is not None and _is_zero(bias):
        return value
    return apply(value, make_affine(*constants), value.shape)


def _meet(kind: str, values: Sequence[Value]) -> Value:
    axes = max(len(value.shape) for value in values)
    if any(len(value.shape) != axes for value in values):
        raise NotLayers(f"a {kind} of arrays with different numbers of axes")
    shape = broadcast(*(value.shape for value in values))
    return Value(shape, Layer(kind), tuple(values))


def to_layers(value: Value, start: Value) -> Layers:
    """Return the layers that lead from `start` to `value`; where branches meet, they are nested.

    Raises NotLayers where the value does not come from `start` alone or the list grows too long.
    """
    return _Nesting(start).path(value, start)


class _Nesting:
    """Turns a graph of values into nested lists: each meeting point looks for where it parted."""

    def __init__(self, start: Value) -> None:
        self.start = start
        self.dominators: dict[Value, list[Value]] = {}
        self.count = 0

    def path(self, value: Value, start: Value, depth: int = 0) -> Layers:
        if depth > MAX_DEPTH:
            raise NotLayers(f"branches more than {MAX_DEPTH} deep")
        found: list[Layer] = []
        while value is not start:
            self.count += 1
            if value.layer is None or self.count > 4 * MAX_LAYERS:
                raise NotLayers("an array that does not come from the input alone")
            layer = value.layer
            if len(value.sources) == 1:
                found.append(layer)
                value = value.sources[0]
                continue
            parting = self._parting(value)
            branches = tuple(self.path(source, parting, depth + 1) for source in value.sources)
            found.append(Layer(layer.kind, layer.settings, {}, branches))
            value = parting
        return tuple(reversed(found))

    def _parting(self, value: Value) -> Value:
        """Return the nearest value that all ways to this meeting point pass."""
        chain = self._chain(value)
        if len(chain) < 2:
            raise NotLayers("an array that does not come from the input alone")
        return chain[1]

    def _chain(self, value: Value) -> list[Value]:
        """Return the values that every way from the start passes, from `value` backwards."""
        stack = [value]
        while stack:  # Sources first, without recursion: graphs may be deep.
            top = stack[-1]
            waiting = [s for s in top.sources if s not in self.dominators]
            if top in self.dominators:
                stack.pop()
            elif waiting:
                stack += waiting
            else:
                self.dominators[stack.pop()] = self._meet(top)
        return self.dominators[value]

    def _meet(self, value: Value) -> list[Value]:
        if not value.sources:
            return [value]
        first, *others = (self.dominators[source] for source in value.sources)
        shared = set(first).intersection(*map(set, others))
        return [value, *(item for item in first if item in shared)]
