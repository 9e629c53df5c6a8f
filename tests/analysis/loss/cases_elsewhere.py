"""Losses of Keras, TensorFlow and JAX as they stand in public code, in our own words."""

from explorer.analysis.loss.understood import Data
from tests.analysis.loss.cases import FACES, MNIST, Case

OTHERS = [
    Case(
        "keras.io",
        """
def train_step(self, data):
    with tf.GradientTape() as tape:
        z_mean, z_log_var, z = self.encoder(data)
        reconstruction = self.decoder(z)
        reconstruction_loss = ops.mean(
            ops.sum(keras.losses.binary_crossentropy(data, reconstruction), axis=(1, 2)))
        kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
        total_loss = reconstruction_loss + kl_loss
    grads = tape.gradient(total_loss, self.trainable_weights)
    return {"loss": self.total_loss_tracker.result()}
""",
        MNIST, 1.0, "mean over the one channel, sums over the rest", kind="bernoulli",
    ),
    Case(
        "keras.io on RGB",
        """
reconstruction_loss = ops.mean(
    ops.sum(keras.losses.binary_crossentropy(data, reconstruction), axis=(1, 2)))
kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
total_loss = reconstruction_loss + ops.mean(ops.sum(kl_loss, axis=1))
""",
        FACES, 3.0, "the mean over three channels makes β three", kind="bernoulli",
    ),
    Case(
        "keras examples, MLP",
        """
def vae_loss(x, x_decoded_mean):
    xent_loss = original_dim * metrics.binary_crossentropy(x, x_decoded_mean)
    kl_loss = - 0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return K.mean(xent_loss + kl_loss)
""",
        Data((784,), 2, 100), 1.0, "784 · mean over 784", kind="bernoulli",
    ),
    Case(
        "keras #3373",
        """
def vae_loss(x, x_decoded_mean):
    xent_loss = objectives.binary_crossentropy(x, x_decoded_mean)
    kl_loss = - 0.5 * K.mean(1 + z_log_sigma - K.square(z_mean) - K.exp(z_log_sigma), axis=-1)
    return xent_loss + kl_loss
vae.compile(optimizer='rmsprop', loss=vae_loss)
""",
        Data((784,), 2, 100), 392.0, "mean over 784 beside a mean over 2", kind="bernoulli",
    ),
    Case(
        "keras convolutional, flattened",
        """
reconstruction_loss = mse(K.flatten(inputs), K.flatten(outputs))
reconstruction_loss *= 28 * 28
kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
kl_loss = K.sum(kl_loss, axis=-1)
kl_loss *= -0.5
vae_loss = K.mean(reconstruction_loss + kl_loss)
""",
        MNIST, 0.5, "784 · mean over B·784, KL mean over B: σ² = 1/2",
    ),
    Case(
        "keras book",
        """
class CustomVariationalLayer(keras.layers.Layer):
    def vae_loss(self, x, z_decoded):
        x = K.flatten(x)
        z_decoded = K.flatten(z_decoded)
        xent_loss = keras.metrics.binary_crossentropy(x, z_decoded)
        kl_loss = -5e-4 * K.mean(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
        return K.mean(xent_loss + kl_loss)
""",
        Data((1, 28, 28), 2, 16), 2 * 5e-4 / 2 * 784, "mean over 784; 10⁻³ · KL, a mean over 2",
        kind="bernoulli",
    ),
    Case(
        "keras add_loss",
        """
kl_loss = -0.5 * tf.reduce_mean(z_log_var - tf.square(z_mean) - tf.exp(z_log_var) + 1)
vae.add_loss(kl_loss)
vae.compile(optimizer, loss=tf.keras.losses.MeanSquaredError())
""",
        Data((784,), 32, 64), 784 / 32 / 2, "a mean over 784 beside one over 32",
    ),
    Case(
        "TensorFlow's tutorial",
        """
def log_normal_pdf(sample, mean, logvar, raxis=1):
  log2pi = tf.math.log(2. * np.pi)
  return tf.reduce_sum(
      -.5 * ((sample - mean) ** 2. * tf.exp(-logvar) + logvar + log2pi), axis=raxis)

def compute_loss(model, x):
  mean, logvar = model.encode(x)
  z = model.reparameterize(mean, logvar)
  x_logit = model.decode(z)
  cross_ent = tf.nn.sigmoid_cross_entropy_with_logits(logits=x_logit, labels=x)
  logpx_z = -tf.reduce_sum(cross_ent, axis=[1, 2, 3])
  logpz = log_normal_pdf(z, 0., 0.)
  logqz_x = log_normal_pdf(z, mean, logvar)
  return -tf.reduce_mean(logpx_z + logpz - logqz_x)
""",
        MNIST, 1.0, "a sampled KL, everything in nats", kind="bernoulli-logits", kl="kl-sampled",
    ),
    Case(
        "World Models",
        """
self.r_loss = tf.reduce_sum(tf.square(self.x - self.y), reduction_indices=[1, 2, 3])
self.r_loss = tf.reduce_mean(self.r_loss)
self.kl_loss = - 0.5 * tf.reduce_sum(
  (1 + self.logvar - tf.square(self.mu) - tf.exp(self.logvar)), reduction_indices=1)
self.kl_loss = tf.maximum(self.kl_loss, self.kl_tolerance * self.z_size)
self.kl_loss = tf.reduce_mean(self.kl_loss)
self.loss = self.r_loss + self.kl_loss
""",
        Data((3, 64, 64), 32, 100), 0.5, "Σe² + KL above its floor: σ² = ½",
    ),
    Case(
        "flax",
        """
@jax.vmap
def kl_divergence(mean, logvar):
  return -0.5 * jnp.sum(1 + logvar - jnp.square(mean) - jnp.exp(logvar))

@jax.vmap
def binary_cross_entropy_with_logits(logits, labels):
  logits = nn.log_sigmoid(logits)
  return -jnp.sum(labels * logits + (1. - labels) * jnp.log(-jnp.expm1(logits)))

def loss_fn(params):
  recon_x, mean, logvar = model.apply({'params': params}, batch, z_rng)
  bce_loss = binary_cross_entropy_with_logits(recon_x, batch).mean()
  kld_loss = kl_divergence(mean, logvar).mean()
  return bce_loss + kld_loss
""",
        MNIST, 1.0, "sums per image, means over the batch", kind="bernoulli-logits",
    ),
    Case(
        "optax",
        """
rec = optax.l2_loss(x_hat, x).sum(axis=(1, 2, 3)).mean()
kl = jnp.mean(-0.5 * jnp.sum(1 + logvar - mu ** 2 - jnp.exp(logvar), axis=-1))
loss = rec + 0.5 * kl
""",
        FACES, 0.5, "l2_loss has its ½: σ² = .5",
    ),
    Case(
        "tfp",
        """
q = tfd.MultivariateNormalDiag(loc=mu, scale_diag=std)
p = tfd.MultivariateNormalDiag(loc=tf.zeros_like(mu), scale_diag=tf.ones_like(std))
kl = tf.reduce_mean(tfd.kl_divergence(q, p))
px = tfd.Independent(tfd.Bernoulli(logits=logits), reinterpreted_batch_ndims=3)
loss = beta * kl - tf.reduce_mean(px.log_prob(x))
""",
        MNIST, 2.0, "events sum over their axes", kind="bernoulli-logits", values={"beta": 2.0},
    ),
]  # fmt: skip
