"""Known loss functions of torch, Keras, TensorFlow and optax, each with its own reductions."""

from collections.abc import Callable, Mapping

from explorer.analysis.loss.algebra import (
    NO_AXES,
    Atom,
    Expr,
    absolute,
    add,
    bare,
    divide,
    of_atom,
    power,
    reduce,
    rest_axes,
    scale,
    subtract,
)
from explorer.analysis.loss.densities import pair_atom
from explorer.analysis.loss.functions import logarithm
from explorer.analysis.loss.values import Const, Follower, NotFollowed, Value

Elementwise = Callable[[Follower, Expr, Expr], Expr]


def squared(follower: Follower, output: Expr, target: Expr) -> Expr:
    """Return (output − target)²."""
    return power(subtract(output, target), 2.0)


def half_squared(follower: Follower, output: Expr, target: Expr) -> Expr:
    """Return ½(output − target)²."""
    return scale(squared(follower, output, target), 0.5)


def absolute_error(follower: Follower, output: Expr, target: Expr) -> Expr:
    """Return |output − target|."""
    return absolute(subtract(output, target))


def bernoulli(follower: Follower, output: Expr, target: Expr) -> Expr:
    """Return the cross-entropy of probabilities."""
    return pair_atom("bernoulli", output, target)


def bernoulli_logits(follower: Follower, output: Expr, target: Expr) -> Expr:
    """Return the cross-entropy of logits."""
    return pair_atom("bernoulli-logits", output, target)


def categorical(follower: Follower, output: Expr, target: Expr) -> Expr:
    """Return the cross-entropy over classes, one per token or pixel."""
    return pair_atom("categorical", output, target)


def no_likelihood(follower: Follower, output: Expr, target: Expr) -> Expr:
    """Return a distance that is no likelihood known here."""
    return pair_atom("distance", output, target)


def other_likelihood(follower: Follower, output: Expr, target: Expr) -> Expr:
    """Return minus the log of a likelihood that has no scale of its own, such as a Poisson."""
    parts = ("likelihood", bare(target))
    return scale(of_atom(Atom("log_density", parts, rest_axes(target)), target.shape), -1.0)


TORCH: dict[str, Elementwise] = {
    "mse_loss": squared, "MSELoss": squared, "l1_loss": absolute_error, "L1Loss": absolute_error,
    "smooth_l1_loss": no_likelihood, "SmoothL1Loss": no_likelihood, "huber_loss": no_likelihood,
    "HuberLoss": no_likelihood, "binary_cross_entropy": bernoulli, "BCELoss": bernoulli,
    "binary_cross_entropy_with_logits": bernoulli_logits, "BCEWithLogitsLoss": bernoulli_logits,
    "cross_entropy": categorical, "CrossEntropyLoss": categorical, "nll_loss": categorical,
    "NLLLoss": categorical, "poisson_nll_loss": other_likelihood,
    "PoissonNLLLoss": other_likelihood,
}  # fmt: skip
"""They take (output, target) and a reduction, mean unless it is said."""

KERAS: dict[str, Elementwise] = {
    "mse": squared, "mean_squared_error": squared, "meansquarederror": squared,
    "mae": absolute_error, "mean_absolute_error": absolute_error,
    "meanabsoluteerror": absolute_error, "binary_crossentropy": bernoulli,
    "binarycrossentropy": bernoulli, "huber": no_likelihood, "logcosh": no_likelihood,
    "log_cosh": no_likelihood, "poisson": other_likelihood,
    "mean_squared_logarithmic_error": no_likelihood, "msle": no_likelihood,
    "cosine_similarity": no_likelihood, "kl_divergence": no_likelihood,
    "kullback_leibler_divergence": no_likelihood, "kld": no_likelihood,
    "sparse_categorical_crossentropy": categorical, "sparsecategoricalcrossentropy": categorical,
    "categorical_crossentropy": categorical, "categoricalcrossentropy": categorical,
}  # fmt: skip
"""They take (target, output), average over the last axis, and (as classes) over the rest.
Compared in lower case."""
KERAS_CLASSES = frozenset(
    "MeanSquaredError MeanAbsoluteError BinaryCrossentropy SparseCategoricalCrossentropy "
    "CategoricalCrossentropy Huber LogCosh Poisson".split()
)

ELEMENTWISE: dict[str, tuple[Elementwise, str, str]] = {
    "sigmoid_cross_entropy_with_logits": (bernoulli_logits, "logits", "labels"),
    "sigmoid_binary_cross_entropy": (bernoulli_logits, "logits", "labels"),
    "sparse_softmax_cross_entropy_with_logits": (categorical, "logits", "labels"),
    "softmax_cross_entropy_with_logits": (categorical, "logits", "labels"),
    "softmax_cross_entropy_with_logits_v2": (categorical, "logits", "labels"),
    "softmax_cross_entropy_with_integer_labels": (categorical, "logits", "labels"),
    "softmax_cross_entropy": (categorical, "logits", "labels"),
    "l2_loss": (half_squared, "predictions", "targets"),
    "squared_error": (squared, "predictions", "targets"),
}
"""They reduce nothing: name → (formula, what the output is called, what the data are called)."""

DISCRETISED = frozenset(
    "discretized_logistic discretized_mix_logistic_loss discretized_logistic_loss "
    "discretized_logistic_likelihood discretized_mix_logistic_loss_1d "
    "discretised_logistic log_logistic_256 discretized_mix_logistic".split()
)
"""Common names of a discretised logistic; their sign and reduction are taken from the name."""


def torch_loss(name: str) -> Callable[[Follower, list[Value], dict[str, Value]], Value]:
    """Return the handler of a torch loss function."""

    def follow(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
        output = args[0] if args else named.get("input")
        target = args[1] if len(args) > 1 else named.get("target")
        if output is None or target is None:
            raise NotFollowed(name)
        element = element_of(
            follower, name, follower.tensor(output), follower.tensor(target), named
        )
        if "ignore_index" in named:
            follower.doubt("ignored_tokens", name)
        if "weight" in named or "pos_weight" in named:
            follower.doubt("element_weights", name)
        return reduce_by(follower, element, named)

    return follow


def element_of(
    follower: Follower, name: str, output: Expr, target: Expr, named: Mapping[str, Value]
) -> Expr:
    """Return a torch loss per element; for classes one per target."""
    formula = TORCH[name]
    if formula is categorical and not target.shape:
        target = Expr(target.terms, follower.layout.data)
    return formula(follower, output, target)


def reduce_by(follower: Follower, element: Expr, named: Mapping[str, Value]) -> Expr:
    """Reduce as torch's keyword arguments say, the old ones too."""
    how = "mean"
    given = named.get("reduction")
    if isinstance(given, Const) and isinstance(given.value, str):
        how = given.value
    elif given is not None:
        follower.doubt("reduction_unknown", "reduction")
    average, apart = named.get("size_average"), named.get("reduce")
    if isinstance(average, Const) and average.value is False:
        how = "sum"
    if isinstance(apart, Const) and apart.value is False:
        how = "none"
    return element if how == "none" else reduce(element, None, "sum" if how == "sum" else "mean")


def gaussian_nll(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow gaussian_nll_loss(mean, target, variance)."""
    names = ("input", "target", "var")
    found = [args[i] if len(args) > i else named.get(name) for i, name in enumerate(names)]
    if any(value is None for value in found):
        raise NotFollowed("gaussian_nll_loss")
    mean, target, variance = (follower.tensor(value) for value in found if value is not None)
    element = add(divide(power(subtract(mean, target), 2.0), variance), logarithm(variance))
    return reduce_by(follower, scale(element, 0.5), named)


def keras_loss(
    follower: Follower, path: str, args: list[Value], named: dict[str, Value], whole: bool = False
) -> Value:
    """Follow a Keras loss function; `whole` as its class does, over all axes."""
    formula = KERAS[path.rsplit(".", 1)[-1].lower()]
    target = args[0] if args else named.get("y_true", named.get("target"))
    output = args[1] if len(args) > 1 else named.get("y_pred", named.get("output"))
    if target is None or output is None:
        raise NotFollowed(path)
    data, model = follower.tensor(target), follower.tensor(output)
    logits = named.get("from_logits")
    if formula is bernoulli and isinstance(logits, Const) and logits.value is True:
        formula = bernoulli_logits
    element = formula(follower, model, data)
    parts = set(path.split("."))
    if parts & {"K", "backend", "ops"}:
        return element
    if formula is not categorical and element.shape:
        element = reduce(element, [-1], "mean")
    if whole:
        how = named.get("reduction")
        word = how.value if isinstance(how, Const) else "mean"
        if word not in (None, "none"):
            element = reduce(element, None, "sum" if word == "sum" else "mean")
    return element


def plain_loss(follower: Follower, path: str, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow a loss function of TensorFlow or optax, which reduces nothing."""
    name = path.rsplit(".", 1)[-1]
    formula, output_name, target_name = ELEMENTWISE[name]
    if name == "l2_loss" and len(args) == 1:
        only = follower.tensor(args[0])
        element = scale(power(only, 2.0), 0.5)
        # tf.nn.l2_loss sums over everything, optax.l2_loss over nothing.
        return reduce(element, None, "sum") if path.startswith("tf") else element
    tf_order = name.startswith(("sigmoid_cross", "sparse_", "softmax_cross_entropy_with_logits"))
    first, second = (target_name, output_name) if tf_order else (output_name, target_name)
    one = args[0] if args else named.get(first)
    other = args[1] if len(args) > 1 else named.get(second)
    if one is None or other is None:
        raise NotFollowed(name)
    output, target = (other, one) if tf_order else (one, other)
    return formula(follower, follower.tensor(output), follower.tensor(target))


def discretised(follower: Follower, path: str, args: list[Value]) -> Value:
    """Follow a function that is called a discretised logistic: minus its log, summed, if a loss."""
    layout = follower.layout.data
    atom = Atom("discretised-logistic", (path,), NO_AXES.union(*layout))
    element = of_atom(atom, layout)
    follower.doubt("discretised_reduction", path)
    if "loss" in path.lower():
        return reduce(element, None, "sum")
    return scale(element, -1.0)
