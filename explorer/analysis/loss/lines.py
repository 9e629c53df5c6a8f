"""A loss written anew in nats per image, in the paste's library and with its names."""

from explorer.analysis.loss.render import in_brackets
from explorer.analysis.loss.understood import Names, Understood

SUM = {
    "torch": "({}).sum()",
    "keras": "keras.ops.sum({})",
    "tensorflow": "tf.reduce_sum({})",
    "jax": "jnp.sum({})",
}
ABSOLUTE = {
    "torch": "torch.abs",
    "keras": "keras.ops.abs",
    "tensorflow": "tf.abs",
    "jax": "jnp.abs",
}
LOG = {
    "torch": "torch.log",
    "keras": "keras.ops.log",
    "tensorflow": "tf.math.log",
    "jax": "jnp.log",
}
COUNT = {
    "torch": "len({})",
    "keras": 'keras.ops.cast(keras.ops.shape({})[0], "float32")',
    "tensorflow": "tf.cast(tf.shape({})[0], tf.float32)",
    "jax": "len({})",
}
RESHAPED = {
    "torch": "{}.reshape({}.shape)",
    "keras": "keras.ops.reshape({}, keras.ops.shape({}))",
    "tensorflow": "tf.reshape({}, tf.shape({}))",
    "jax": "{}.reshape({}.shape)",
}
CROSS_ENTROPY = {
    "torch": 'torch.nn.functional.binary_cross_entropy({p}, {x}, reduction="sum")',
    "keras": "keras.ops.sum(keras.ops.binary_crossentropy({x}, {p}))",
    "tensorflow": "tf.reduce_sum(tf.keras.backend.binary_crossentropy({x}, {p}))",
    "jax": "-jnp.sum({x} * jnp.log({p}) + (1 - {x}) * jnp.log1p(-{p}))",
}
CROSS_ENTROPY_LOGITS = {
    "torch": 'torch.nn.functional.binary_cross_entropy_with_logits({p}, {x}, reduction="sum")',
    "keras": "keras.ops.sum(keras.ops.binary_crossentropy({x}, {p}, from_logits=True))",
    "tensorflow": "tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels={x}, logits={p}))",
    "jax": "jnp.sum(jax.nn.softplus({p}) - {x} * {p})",
}
CATEGORICAL = {
    "torch": 'torch.nn.functional.cross_entropy({p}, {x}, reduction="sum")',
    "keras": "keras.ops.sum(keras.ops.sparse_categorical_crossentropy({x}, {p}, from_logits=True))",
    "tensorflow": (
        "tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels={x}, logits={p}))"
    ),
    "jax": "optax.softmax_cross_entropy_with_integer_labels({p}, {x}).sum()",
}
SOFT = {
    "torch": "-({x} * torch.log_softmax({p}, -1)).sum()",
    "keras": "-keras.ops.sum({x} * keras.ops.log_softmax({p}, -1))",
    "tensorflow": "-tf.reduce_sum({x} * tf.nn.log_softmax({p}, -1))",
    "jax": "-jnp.sum({x} * jax.nn.log_softmax({p}, -1))",
}


def write_line(loss: Understood, beta: float, sigma2: float | None, scale: float | None) -> str:
    """Return `loss = (NLL + β·KL) / images` as code, empty where the likelihood cannot be written.

    `sigma2` is the variance of a Gaussian with a fixed one, `scale` a Laplace's b. The names are
    the paste's, so that the line runs where the paste ran.
    """
    nll = _likelihood(loss, sigma2, scale)
    if not nll:
        return ""
    weight = "" if beta == 1 else f"{beta:.10g} * "
    count = COUNT[loss.library].format(loss.names.batch)
    return f"loss = ({nll} + {weight}{_divergence(loss)}) / {count}"


def _likelihood(loss: Understood, sigma2: float | None, scale: float | None) -> str:
    names, library = loss.names, loss.library
    output, target = _sides(names, library)
    total = SUM[library].format
    squared = f"({output} - {target}) ** 2"
    absolute = f"{ABSOLUTE[library]}({output} - {target})"
    kind = loss.reconstruction
    if kind in ("squared-error", "gaussian") and sigma2 is not None:
        return f"{total(squared)} / (2 * {sigma2:.10g})"
    if kind in ("absolute-error", "laplace") and scale is not None:
        return f"{total(absolute)} / {scale:.10g}"
    if kind == "gaussian-learned" and names.scale:
        return f"0.5 * {total(f'{squared} / {in_brackets(names.scale)} + {names.log_scale}')}"
    if kind == "laplace-learned" and names.scale:
        return total(f"{absolute} / {in_brackets(names.scale)} + {names.log_scale}")
    if kind == "gaussian-optimal":
        return _optimal(squared, target, library)
    table = {"bernoulli": CROSS_ENTROPY, "bernoulli-logits": CROSS_ENTROPY_LOGITS}.get(kind)
    if kind == "categorical":
        table = SOFT if names.soft else CATEGORICAL
        if names.reshaped and library == "torch" and not names.soft:
            output = f"{in_brackets(names.output)}.flatten(0, -2)"
            target = f"{in_brackets(names.target)}.flatten()"
    if table is not None:
        return table[library].format(p=in_brackets(output), x=in_brackets(target))
    if kind == "discretised-logistic" and names.likelihood:
        return "-" + total(f"{LOG[library]}({names.likelihood} + 1e-12)")
    if kind == "log-likelihood" and names.likelihood:
        return "-" + total(f"{names.likelihood}.log_prob({names.target})")
    return ""


def _sides(names: Names, library: str) -> tuple[str, str]:
    output, target = in_brackets(names.output), in_brackets(names.target)
    if names.reshaped:
        target = RESHAPED[library].format(target, output)
    return output, target


def _optimal(squared: str, target: str, library: str) -> str:
    """½·D·log of the mean squared error, D over the whole batch (Rybkin et al. 2021)."""
    if library == "torch":
        return f"0.5 * {target}.numel() * (({squared}).mean()).log()"
    if library == "jax":
        return f"0.5 * {target}.size * jnp.log(jnp.mean({squared}))"
    ops, log, mean = (
        ("tf", "tf.math.log", "tf.reduce_mean")
        if library == "tensorflow"
        else ("keras.ops", "keras.ops.log", "keras.ops.mean")
    )
    count = f'{ops}.cast({ops}.size({target}), "float32")'
    return f"0.5 * {count} * {log}({mean}({squared}))"


def _divergence(loss: Understood) -> str:
    names, library = loss.names, loss.library
    total = SUM[library].format
    if names.prior == "standard":
        return f"{names.posterior}.kl().sum()"
    if names.posterior and loss.kl == "kl-sampled":
        q, p, z = names.posterior, names.prior, names.sample
        return total(f"{q}.log_prob({z}) - {p}.log_prob({z})")
    if names.posterior:
        modules = {"torch": "torch.distributions", "tensorflow": "tfp.distributions"}
        module = modules.get(library, "tfp.distributions")
        return total(f"{module}.kl_divergence({names.posterior}, {names.prior})")
    log_variance = names.log_variance
    if log_variance.startswith("-"):
        log_variance = f"({log_variance})"
    inner = f"1 + {log_variance} - {names.mean} ** 2 - {names.variance}"
    return total(f"-0.5 * ({inner})")
