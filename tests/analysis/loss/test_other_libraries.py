"""Pastes and corrected lines in Keras and JAX, run there: b/a by their own gradients."""

import numpy as np
import pytest

from explorer.analysis.loss.effective import effective_loss
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.understood import Data

pytestmark = pytest.mark.integration

IMAGES, FLAT = Data((3, 4, 2), 6, 5), Data((24,), 6, 5)
KERAS_KL = "-0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))"
KERAS = [
    (IMAGES, "ops.mean(ops.sum(keras.losses.binary_crossentropy(x, p), axis=(1, 2)))", "p"),
    (IMAGES, "ops.mean(ops.sum(keras.losses.mean_squared_error(x, x_hat), axis=[1, 2]))", "x_hat"),
    (FLAT, "24 * ops.mean(keras.losses.binary_crossentropy(x, p))", "p"),
    (FLAT, "ops.mean(keras.losses.mean_squared_error(x, x_hat))", "x_hat"),
    (FLAT, "ops.mean(keras.losses.mean_absolute_error(x, x_hat))", "x_hat"),
    (IMAGES, "keras.losses.MeanSquaredError()(x, x_hat)", "x_hat"),
    (IMAGES, "keras.losses.MeanSquaredError(reduction='sum')(x, x_hat)", "x_hat"),
    (IMAGES, "keras.losses.BinaryCrossentropy(from_logits=True)(x, logits)", "logits"),
    (FLAT, "ops.sum(ops.binary_crossentropy(x, logits, from_logits=True), axis=1)", "logits"),
    (IMAGES, "ops.mean(ops.sum(ops.square(x - x_hat), axis=(1, 2, 3)))", "x_hat"),
]
JAX_KL = "-0.5 * jnp.sum(1 + z_log_var - jnp.square(z_mean) - jnp.exp(z_log_var), axis=-1)"
JAX = [
    (IMAGES, "jnp.mean(jnp.square(x - x_hat))", "x_hat"),
    (IMAGES, "jnp.mean(jnp.sum((x - x_hat) ** 2, axis=(1, 2, 3)))", "x_hat"),
    (IMAGES, "jnp.sum(jnp.abs(x - x_hat), axis=(1, 2)).mean()", "x_hat"),
    (FLAT, "jnp.mean(jnp.sum(jax.nn.softplus(logits) - x * logits, axis=-1))", "logits"),
    (FLAT, "-jnp.mean(jnp.sum(x * jnp.log(p) + (1 - x) * jnp.log1p(-p), axis=1))", "p"),
    (IMAGES, "jax.vmap(lambda a, b: jnp.sum((a - b) ** 2))(x, x_hat).mean()", "x_hat"),
    (IMAGES, "0.5 * jnp.mean(x_log_var + (x - x_hat) ** 2 / jnp.exp(x_log_var))", "x_hat"),
]


def draw(data):
    """Return arrays under usual names, channels last."""
    rng = np.random.default_rng(0)
    shape = (5, *data.shape[1:], data.shape[0]) if len(data.shape) == 3 else (5, *data.shape)
    return {
        "x": rng.uniform(size=shape),
        "x_hat": rng.normal(size=shape),
        "p": rng.uniform(0.1, 0.9, size=shape),
        "logits": rng.normal(size=shape),
        "z_mean": rng.normal(size=(5, 6)),
        "z_log_var": 0.3 * rng.normal(size=(5, 6)),
        "x_log_var": 0.2 * rng.normal(size=shape),
    }


def slopes(arrays, output):
    """Return ∂NLL/∂output and ∂KL/∂mean in closed form, at unit scale."""
    x, at = arrays["x"], arrays[output]
    nll = {
        "x_hat": at - x,
        "logits": 1 / (1 + np.exp(-at)) - x,
        "p": (at - x) / (at * (1 - at)),
    }[output]
    return nll, arrays["z_mean"]


def check(paste, data, output, gradients):
    """b/a as read, as run, and in both lines that are offered."""
    found = read_loss(paste, data)
    meaning = effective_loss(found, data)
    arrays = draw(data)
    nll, kl = slopes(arrays, output)
    if "abs" in found.reconstruction:
        nll = np.sign(nll)
    if "learned" in found.reconstruction:
        nll = nll / np.exp(arrays["x_log_var"])

    def measure(code):
        got = gradients(code, arrays, output)
        weights = []
        for one, reference in zip(got, (nll, kl), strict=True):
            weight = float((one * reference).sum() / (reference**2).sum())
            np.testing.assert_allclose(one, weight * reference, rtol=1e-3, atol=1e-6)
            weights.append(weight)
        return weights[1] / weights[0]

    ratio = next(v for v in (meaning.beta, meaning.sigma2, meaning.scale) if v is not None)
    assert measure(paste) == pytest.approx(ratio, rel=1e-4)
    assert measure(meaning.same) == pytest.approx(ratio, rel=1e-4)
    wanted = {"squared-error": meaning.advice.sigma2, "absolute-error": meaning.advice.scale}
    assert measure(meaning.corrected) == pytest.approx(
        wanted.get(found.reconstruction, 1.0), rel=1e-4
    )


@pytest.mark.parametrize("data, line, output", KERAS)
def test_keras_on_torch(data, line, output, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras
    import torch

    def gradients(code, arrays, output):
        names = {k: torch.tensor(v, dtype=torch.float64) for k, v in arrays.items()}
        leaves = [names[output].requires_grad_(), names["z_mean"].requires_grad_()]
        scope = {"keras": keras, "ops": keras.ops, **names}
        exec(code, scope)
        total = keras.ops.mean(scope["loss"])
        return [g.numpy() for g in torch.autograd.grad(total, leaves)]

    paste = f"kl = ops.mean(ops.sum({KERAS_KL}, axis=1))\nloss = {line} + 0.3 * kl"
    check(paste, data, output, gradients)


@pytest.mark.parametrize("data, line, output", JAX)
def test_jax_on_the_processor(data, line, output):
    import jax
    import jax.numpy as jnp

    def gradients(code, arrays, output):
        def loss(at, mean):
            scope = {"jax": jax, "jnp": jnp, **arrays, output: at, "z_mean": mean}
            exec(code, scope)
            return scope["loss"]

        found = jax.grad(loss, (0, 1))(jnp.asarray(arrays[output]), jnp.asarray(arrays["z_mean"]))
        return [np.asarray(g) for g in found]

    paste = f"kl = jnp.mean({JAX_KL})\nloss = {line} + 0.3 * kl"
    check(paste, data, output, gradients)
