"""A call in a pasted loss: which known function it is, and what it gives."""

from dataclasses import replace

from explorer.analysis.loss.algebra import Expr, multiply, number, power
from explorer.analysis.loss.densities import (
    KINDS,
    as_density,
    divergence,
    entropy,
    independent,
    log_density,
    make_density,
    own_divergence,
)
from explorer.analysis.loss.elementwise import (
    BINARY,
    REDUCTIONS,
    SHAPES,
    UNARY,
    UNCHANGED,
    batch_flatten,
    reduction,
)
from explorer.analysis.loss.losses import (
    DISCRETISED,
    ELEMENTWISE,
    KERAS,
    KERAS_CLASSES,
    TORCH,
    discretised,
    element_of,
    gaussian_nll,
    keras_loss,
    plain_loss,
    reduce_by,
    torch_loss,
)
from explorer.analysis.loss.values import (
    Criterion,
    Density,
    Follower,
    Function,
    Many,
    NotFollowed,
    Ref,
    Shape,
    Unknown,
    Value,
)

MODULES = frozenset(
    "torch F nn tf K keras ops jnp jax np numpy math optax functional td D dist distributions tfd "
    "tfp tfk losses metrics objectives lax random tensorflow backend einops flax linen pt pyro "
    "nnf nn_functional fun kl tnf scipy special jsp cp mx".split()
)
"""First words of a dotted name that is a module's."""
CONSTANTS = {"pi": 3.141592653589793, "e": 2.718281828459045, "euler_gamma": 0.5772156649015329}
LISTS = ("list", "tuple", "stack", "concatenate", "cat", "concat")
"""What makes one value of several: they are looked at one by one."""
NOISES = frozenset("randn randn_like random_normal normal rand rand_like normal_ randn_".split())
FLATTEN_LAYERS = frozenset(("Flatten",))
SCHEDULES = ("anneal", "warmup", "warm_up", "schedule", "cycl", "ramp", "frange")


def known(path: str) -> bool:
    """Return whether a dotted name is a function that is followed here."""
    name = path.rsplit(".", 1)[-1]
    return (
        name in UNARY or name in BINARY or name in REDUCTIONS or name in SHAPES
        or name in TORCH or name.lower() in KERAS or name in ELEMENTWISE or name in KINDS
        or name in UNCHANGED or name in DISCRETISED or name in NOISES
        or name in ("gaussian_nll_loss", "GaussianNLLLoss", "kl_divergence", "kl", "Independent",
                    "vmap", "Flatten", "range", *LISTS)
    )  # fmt: skip


def call_known(follower: Follower, path: str, args: list[Value], named: dict[str, Value]) -> Value:
    """Return what a known function gives; NotFollowed for one that is not."""
    name = path.rsplit(".", 1)[-1]
    if name in TORCH and name[0].isupper() or name == "GaussianNLLLoss":
        return Criterion(name, named)
    if name in KERAS_CLASSES or name in FLATTEN_LAYERS:
        return Criterion(name, named)
    if name in KINDS:
        return make_density(follower, name, args, named)
    if name == "Independent":
        return independent(follower, args, named)
    if name in ("kl_divergence", "kl") and len(args) == 2 and _are_densities(args):
        if name == "kl_divergence" or all(isinstance(value, Density) for value in args):
            return divergence(follower, args[0], args[1])
    if name == "vmap" and args and isinstance(args[0], Function):
        return replace(args[0], batched=True)
    if name in ELEMENTWISE:
        return plain_loss(follower, path, args, named)
    if name in TORCH:
        return torch_loss(name)(follower, args, named)
    if name == "gaussian_nll_loss":
        return gaussian_nll(follower, args, named)
    if name.lower() in KERAS and len(args) + len(named) >= 2:
        return keras_loss(follower, path, args, named)
    if name in DISCRETISED:
        return discretised(follower, path, args)
    return _call_plain(follower, name, args, named)


def _call_plain(follower: Follower, name: str, args: list[Value], named: dict[str, Value]) -> Value:
    if name in LISTS and args:
        return args[0]
    if name == "range":
        return Many(tuple(number(place) for place in _range(follower, args)))
    if name in NOISES:
        return Ref("eps")
    named = dict(named)
    for word in ("x", "input", "input_tensor", "a", "tensor"):
        if not args and word in named:
            args = [named.pop(word)]
    if not args:
        raise NotFollowed(name)
    if name in REDUCTIONS:
        return reduction(REDUCTIONS[name])(follower, args, named)
    if name in SHAPES:
        return SHAPES[name](follower, args, named)
    if name in UNARY:
        return UNARY[name](_argument(follower, args[0]))
    if name in BINARY and len(args) > 1:
        second = follower.expr(args[1])
        if "alpha" in named:  # torch.add(a, b, alpha=c) is a + c·b.
            second = multiply(follower.expr(named["alpha"]), second)
        return BINARY[name](follower.expr(args[0]), second)
    if name in UNCHANGED:
        return args[0]
    raise NotFollowed(name)


def call_method(
    follower: Follower, value: Value, name: str, args: list[Value], named: dict[str, Value]
) -> Value:
    """Return what a tensor's or a distribution's method gives."""
    if name == "log_prob" and args:
        return log_density(follower, as_density(value), args[0])
    if name in ("kl_divergence", "kl") and len(args) == 1:
        return divergence(follower, value, args[0])
    if name == "kl" and not args:
        return own_divergence(follower, value)
    if name in ("rsample", "sample") and isinstance(value, Density | Ref):
        return Ref("z")
    if isinstance(value, Density) and name == "to_event":
        return independent(follower, [value, *args], named)
    if isinstance(value, Density):
        return _of_density(value, name)
    name = name.rstrip("_")
    if name == "flatten" and args == [number(1)]:
        return batch_flatten(follower, [value], {})
    if name in UNARY or name in BINARY or name in REDUCTIONS or name in SHAPES or name in UNCHANGED:
        return _call_plain(follower, name, [value, *args], named)
    raise NotFollowed(name)


def call_criterion(
    follower: Follower, criterion: Criterion, args: list[Value], named: dict[str, Value]
) -> Value:
    """Return what a loss object gives when it is called."""
    settings = {**criterion.settings, **named}
    if criterion.name in FLATTEN_LAYERS:
        return batch_flatten(follower, args, {})
    if criterion.name == "GaussianNLLLoss":
        return gaussian_nll(follower, args, settings)
    if criterion.name in KERAS_CLASSES:
        return keras_loss(follower, criterion.name, args, settings, whole=True)
    if len(args) < 2:
        raise NotFollowed(criterion.name)
    element = element_of(
        follower, criterion.name, follower.tensor(args[0]), follower.tensor(args[1]), settings
    )
    return reduce_by(follower, element, settings)


def attribute(follower: Follower, value: Value, name: str) -> Value:
    """Return a value's attribute where it is one that matters; NotFollowed else."""
    if name == "shape":
        return Shape(follower.axes(value))
    if name == "ndim":
        return number(len(follower.axes(value)))
    if name in ("data", "T", "mT", "grad", "value"):
        return value
    if isinstance(value, Density):
        return _of_density(value, name)
    raise NotFollowed(name)


def _of_density(density: Density, name: str) -> Value:
    if density.kind in ("normal", "laplace") and density.parameters:
        location, spread = density.parameters
        if name in ("mean", "loc", "mode"):
            return location
        if name in ("stddev", "scale", "std"):
            return spread
        if name == "variance":
            return power(spread, 2.0)
    if name == "entropy":
        return entropy(density)
    raise NotFollowed(name)


def _argument(follower: Follower, value: Value) -> Expr:
    return follower.tensor(value) if isinstance(value, Ref | Unknown) else follower.expr(value)


def _are_densities(args: list[Value]) -> bool:
    return all(isinstance(value, Density | Ref | Unknown) for value in args)


def _range(follower: Follower, args: list[Value]) -> range:
    ends = [follower.integers(value)[0] for value in args]
    if not 1 <= len(ends) <= 3 or max(map(abs, ends)) > 64:
        raise NotFollowed("range")
    return range(*ends)
