"""Known functions that are no losses: element by element, over axes, and of shapes."""

import math
from collections.abc import Callable

from explorer.analysis.loss.algebra import (
    NO_AXES,
    ONE,
    ZERO,
    Atom,
    Axes,
    Expr,
    absolute,
    add,
    bare,
    divide,
    function_of,
    multiply,
    number,
    of_atom,
    power,
    reduce,
    rest_axes,
    scale,
    shaped,
    size_of,
    subtract,
)
from explorer.analysis.loss.functions import (
    NUMERIC_GUARD,
    exponential,
    logarithm,
    sigmoid,
    softplus,
)
from explorer.analysis.loss.values import (
    BATCH,
    Const,
    Follower,
    Many,
    NotFollowed,
    Shape,
    Value,
)

Handler = Callable[[Follower, list[Value], dict[str, Value]], Value]


UNARY: dict[str, Callable[[Expr], Expr]] = {
    "exp": exponential,
    "log": logarithm,
    "log1p": lambda e: logarithm(add(ONE, e)),
    "expm1": lambda e: subtract(exponential(e), ONE),
    "log2": lambda e: scale(logarithm(e), 1 / math.log(2)),
    "log10": lambda e: scale(logarithm(e), 1 / math.log(10)),
    "sqrt": lambda e: power(e, 0.5),
    "rsqrt": lambda e: power(e, -0.5),
    "square": lambda e: power(e, 2.0),
    "pow2": lambda e: power(e, 2.0),
    "reciprocal": lambda e: power(e, -1.0),
    "abs": absolute,
    "absolute": absolute,
    "fabs": absolute,
    "neg": lambda e: scale(e, -1.0),
    "negative": lambda e: scale(e, -1.0),
    "sigmoid": sigmoid,
    "expit": sigmoid,
    "softplus": softplus,
    "logsigmoid": lambda e: scale(softplus(scale(e, -1.0)), -1.0),
    "log_sigmoid": lambda e: scale(softplus(scale(e, -1.0)), -1.0),
    "tanh": lambda e: function_of("tanh", e, e.shape),
    "relu": lambda e: clamp_below(e, ZERO),
    "log_softmax": lambda e: function_of("log_softmax", e, e.shape),
    "softmax": lambda e: function_of("softmax", e, e.shape),
    "detach": lambda e: function_of("detach", e, e.shape) if e.terms and not e.is_scalar else e,
    "stop_gradient": lambda e: function_of("detach", e, e.shape),
    "cos": lambda e: function_of("cos", e, e.shape),
    "sin": lambda e: function_of("sin", e, e.shape),
}

BINARY: dict[str, Callable[[Expr, Expr], Expr]] = {
    "add": add,
    "subtract": subtract,
    "sub": subtract,
    "multiply": multiply,
    "mul": multiply,
    "divide": divide,
    "div": divide,
    "true_divide": divide,
    "truediv": divide,
    "squared_difference": lambda a, b: power(subtract(a, b), 2.0),
    "xlogy": lambda a, b: multiply(a, logarithm(b)),
    "xlog1py": lambda a, b: multiply(a, logarithm(add(ONE, b))),
}

UNCHANGED = frozenset(
    "float double half bfloat16 to cuda cpu type cast contiguous requires_grad_ clone numpy item "
    "squeeze unsqueeze expand_as convert_to_tensor asarray array tensor as_tensor identity "
    "nan_to_num type_as expand_dims expand repeat astype Variable ensure_tensor tolist "
    "block_until_ready float32 float64 int real view_as get_value from_numpy copy".split()
)
"""They leave the loss as it is."""

REDUCTIONS = {
    "sum": "sum",
    "reduce_sum": "sum",
    "nansum": "sum",
    "mean": "mean",
    "reduce_mean": "mean",
    "nanmean": "mean",
    "average": "mean",
}


def clamp_below(expr: Expr, least: Expr) -> Expr:
    """Return max(expr, least): for a KL free bits, for parameters a guard that changes nothing."""
    if expr.is_scalar:
        return of_atom(Atom("max", (bare(expr), bare(least))))
    if least.number == 0 and all(not term.summed for term, _ in expr.terms):
        return function_of("relu", expr, expr.shape)
    least_value = least.number
    if least_value is not None and 0 < least_value < NUMERIC_GUARD:
        return expr
    floor = ZERO if least_value is None else number(least_value)
    return of_atom(Atom("floor", (bare(expr), floor), rest_axes(expr)), expr.shape)


def bound(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow clamp, clip and their kin."""
    names = ("min", "max", "clip_value_min", "clip_value_max", "a_min", "a_max", "x_min", "x_max")
    low = args[1] if len(args) > 1 else _first(named, names[0::2])
    high = args[2] if len(args) > 2 else _first(named, names[1::2])
    expr = follower.expr(args[0])
    if expr.is_scalar and not expr.number:
        for limit, kind in ((low, "max"), (high, "min")):
            if limit is not None and not _is_none(limit):
                expr = of_atom(Atom(kind, (bare(expr), bare(follower.expr(limit)))))
        return expr
    if low is None or _is_none(low):
        return expr
    if not _is_measured(expr):
        bent = high is None and follower.expr(low).number == 0
        return function_of("relu", expr, expr.shape) if bent else expr
    return clamp_below(expr, follower.expr(low))


def larger(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow max(a, b) and maximum(a, b)."""
    return _extreme(follower, args, "max")


def smaller(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow min(a, b) and minimum(a, b)."""
    return _extreme(follower, args, "min")


def _extreme(follower: Follower, args: list[Value], kind: str) -> Value:
    if len(args) == 1 and isinstance(args[0], Many):
        args = list(args[0].items)
    if len(args) != 2:
        raise NotFollowed(kind)
    left, right = (follower.expr(value) for value in args)
    if left.is_scalar and right.is_scalar:
        return of_atom(Atom(kind, (bare(left), bare(right))))
    if left.is_scalar:
        left, right = right, left
    if kind == "max" and _is_measured(left):
        return clamp_below(left, right)
    if kind == "max" and right.number == 0:
        return function_of("relu", left, left.shape)
    return left


def _is_measured(expr: Expr) -> bool:
    """Whether it is a KL or another sum of functions, not a bare tensor that a clamp guards."""
    return expr.single is None or any(term.summed for term, _ in expr.terms)


def reduction(how: str) -> Handler:
    """Return the handler of a sum or a mean over axes."""

    def follow(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
        if isinstance(args[0], Many):
            return _over_items(follower, args[0], how)
        expr = follower.tensor(args[0])
        axes = args[1] if len(args) > 1 else _first(named, ("dim", "axis", "axes"))
        keep = _first(named, ("keepdim", "keepdims", "keep_dims"))
        kept = isinstance(keep, Const) and bool(keep.value)
        if axes is None or _is_none(axes):
            return reduce(expr, None, how, kept)
        positions = follower.integers(axes)
        note_reduction(follower, expr, positions)
        count = len(expr.shape)
        inside = [place for place in positions if -count <= place < count]
        if not inside and count:
            inside = [count - 1] if any(place >= count for place in positions) else []
        return reduce(expr, inside, how, kept)

    return follow


def _over_items(follower: Follower, many: Many, how: str) -> Expr:
    total = ZERO
    for item in many.items:
        total = add(total, follower.expr(item))
    return scale(total, 1 / len(many.items)) if how == "mean" and many.items else total


def note_reduction(follower: Follower, expr: Expr, positions: tuple[int, ...]) -> None:
    """Keep as evidence for a tensor's rank which of its axes are named."""
    axes: Axes = NO_AXES.union(*(atom.axes for term, _ in expr.terms for atom, _ in term.powers))
    for role in ("latent", "image"):
        if axes & follower.layout.inner(role):
            whole = len(follower.layout.axes_of(role))
            follower.seen.reduced.append((role, positions, whole - len(expr.shape)))
            return


def by_pattern(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow einops.reduce(x, "b c h w -> b", "sum"): what the right side lacks is reduced."""
    words = [value.value for value in args[1:3] if isinstance(value, Const)]
    if len(words) != 2 or "->" not in words[0] or words[1] not in ("sum", "mean"):
        raise NotFollowed("reduce")
    expr = follower.tensor(args[0])
    left, right = (side.split() for side in words[0].split("->"))
    if "..." in left and "..." not in right and left[0] in right:
        return reduce(expr, range(1, len(expr.shape)), words[1])
    gone = [place for place, label in enumerate(left) if label not in right]
    if "..." in left or any("(" in label for label in left):
        raise NotFollowed("reduce")
    note_reduction(follower, expr, tuple(gone))
    return reduce(expr, [place for place in gone if place < len(expr.shape)], words[1])


def norm(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow the Euclidean norm, over axes or all."""
    expr = follower.tensor(args[0])
    order = _first(named, ("p", "ord"))
    if order is not None and follower.expr(order).number == 1:
        inner = absolute(expr)
        root = 1.0
    else:
        inner, root = power(expr, 2.0), 0.5
    axes = _first(named, ("dim", "axis"))
    value = reduction("sum")(follower, [inner], {"dim": axes} if axes is not None else {})
    return power(follower.expr(value), root)


def raise_to(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow pow(a, b)."""
    exponent = args[1] if len(args) > 1 else _first(named, ("exponent", "y"))
    if exponent is None:
        raise NotFollowed("pow")
    base, value = follower.expr(args[0]), follower.expr(exponent)
    if value.number is None:
        raise NotFollowed("pow")
    return power(base, value.number)


def flatten(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow view, reshape and flatten: which axes go together."""
    expr = follower.tensor(args[0])
    follower.seen.reshaped = True
    everything = NO_AXES.union(*expr.shape)
    start = _first(named, ("start_dim",)) or (args[1] if len(args) == 2 else None)
    return _regroup(follower, expr, everything, args[1:], start)


def flatten_from(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow torch.flatten(x, 1), which keeps the axes before the given one."""
    expr = follower.tensor(args[0])
    start = args[1] if len(args) > 1 else _first(named, ("start_dim",))
    first = 0 if start is None else follower.integers(start)[0]
    follower.seen.reshaped = True
    if not expr.shape:
        return expr
    kept, rest = expr.shape[:first], expr.shape[first:]
    return shaped(expr, (*kept, NO_AXES.union(*rest)) if rest else kept)


def _regroup(
    follower: Follower, expr: Expr, everything: Axes, sizes: list[Value], start: Value | None
) -> Expr:
    if len(sizes) == 1 and isinstance(sizes[0], Many):
        sizes = list(sizes[0].items)
    if not sizes or not expr.shape:
        return expr if not expr.shape else shaped(expr, (everything,))
    if len(sizes) == 1:
        return shaped(expr, (everything,))
    if len(sizes) == 2:
        last = follower.expr(sizes[1])
        classes = last.number is None and not _sizes_in(last) & everything
        if classes and len(expr.shape) > 2:  # (−1, vocabulary): one row per token.
            return shaped(expr, (everything, NO_AXES))
        return shaped(expr, (everything & {BATCH}, everything - {BATCH}))
    return expr


def _sizes_in(expr: Expr) -> Axes:
    return frozenset(
        atom.parts[0] for term, _ in expr.terms for atom, _ in term.powers if atom.kind == "size"
    )


def count_elements(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow numel() and prod(shape)."""
    first = args[0]
    if isinstance(first, Many):
        result = ONE
        for item in first.items:
            result = multiply(result, follower.expr(item))
        return result
    axes = first.axes if isinstance(first, Shape) else follower.axes(first)
    return size_of(NO_AXES.union(*axes))


def shape_of(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow size(), size(1) and tf.shape(x)."""
    shape = Shape(follower.axes(args[0]))
    place = args[1] if len(args) > 1 else _first(named, ("dim",))
    if place is None:
        return shape
    return size_at(follower, shape, follower.integers(place)[0])


def size_at(follower: Follower, shape: Shape, place: int) -> Expr:
    """Return the size of one axis."""
    try:
        return size_of(shape.axes[place])
    except IndexError:
        raise NotFollowed("shape") from None


def length(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow len(x)."""
    first = args[0]
    if isinstance(first, Many):
        return number(len(first.items))
    if isinstance(first, Shape):
        return number(len(first.axes))
    axes = follower.axes(first)
    return size_of(axes[0]) if axes else ONE


def rank(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow x.dim() and x.ndim."""
    return number(len(follower.axes(args[0])))


def zeros(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow zeros and zeros_like."""
    return ZERO


def ones(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow ones and ones_like."""
    return ONE


def full_like(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow a tensor filled with one value: full and full_like."""
    return follower.expr(args[1])


def _first(named: dict[str, Value], names: tuple[str, ...]) -> Value | None:
    return next((named[name] for name in names if name in named), None)


def _is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None


def batch_flatten(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow batch_flatten, which keeps the batch."""
    return flatten_from(follower, [args[0], number(1)], {})


SHAPES: dict[str, Handler] = {
    "clamp": bound, "clip": bound, "clip_by_value": bound, "clamp_": bound, "hardtanh": bound,
    "clamp_min": bound, "maximum": larger, "max": larger, "minimum": smaller, "min": smaller,
    "norm": norm, "reduce": by_pattern,
    "pow": raise_to, "power": raise_to, "view": flatten, "reshape": flatten,
    "flatten": flatten_from, "batch_flatten": batch_flatten, "ravel": flatten,
    "numel": count_elements, "prod": count_elements, "nelement": count_elements,
    "reduce_prod": count_elements,
    "size": shape_of, "shape": shape_of, "int_shape": shape_of, "len": length, "dim": rank,
    "ndimension": rank, "zeros": zeros, "zeros_like": zeros, "ones": ones, "ones_like": ones,
    "full_like": full_like, "full": full_like,
}  # fmt: skip
