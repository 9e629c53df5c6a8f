"""Linear models fitted at once by scikit-learn: probabilistic PCA, factor analysis and ICA.

All three are x = x̄ + W z + noise, a linear network of ours; what differs is the noise and the code:
    ppca  z ~ N(0, I), one variance σ² for all pixels (Tipping and Bishop 1999); scikit-learn's PCA
    fa    z ~ N(0, I), a variance for each pixel; scikit-learn's FactorAnalysis
    ica   independent components that are not Gaussian, read off as points; scikit-learn's FastICA
Where the code has a density, W is turned so that WᵀΨ⁻¹W is diagonal: the encoder is then the exact
posterior, a diagonal normal, and the gap of the ELBO is 0. Shapes: N images, D pixels, K latents.
"""

import copy
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.codes import Array
from explorer.config import (
    FITS,
    BudgetConfig,
    Config,
    ModelConfig,
    OptimiserConfig,
)
from explorer.datasets.rows import Rows, as_rows
from explorer.elbo.terms import choose_objective
from explorer.errors import ExplorerError
from explorer.models.networks import LOGVAR_BOUND
from explorer.models.vae import VAE
from explorer.runs.checkpoint import pack_training, unpack_training
from explorer.training.engine import Engine, Totals, average
from explorer.training.start import start_generator, start_model

Floats = NDArray[np.float64]

FIT_IMAGES = 20_000
"""At most so many images, evenly spread over the split, are fitted to."""
LOGGED_IMAGES = 2_000
"""So many of them are scored for the log."""
VARIANCE_FLOOR = 1e-3
"""Least variance of a pixel in factor analysis, σ = .03. Pixels that are black in every training
image would have none, and one grey value there would then cost thousands of nats."""
LEAST_SIGMA2 = 1e-5
ICA_ROUNDS = 1000


@dataclass(frozen=True)
class LinearFit:
    """x = mean + loadings·z + noise, and how images are read.

    `mean` (D,), `loadings` W (D, K), `reader` (K, D): the code of x is reader·(x − mean); `noise`
    (D,) variances; `posterior_variance` (K,) of q(z|x), None where the code is a point.
    """

    mean: Floats
    loadings: Floats
    reader: Floats
    noise: Floats
    posterior_variance: Floats | None


def fit_ppca(x: Floats, latent_dim: int, seed: int = 0) -> LinearFit:
    """Return probabilistic PCA of images x (N, D): W = U(Λ − σ²I)^½, σ² the mean of the rest.

    λ are the eigenvalues of the covariance divided by N, which is maximum likelihood (Tipping and
    Bishop 1999, Eqs. 7 and 8); scikit-learn divides by N − 1.
    """
    from sklearn.decomposition import PCA

    count, size = x.shape
    solver = "covariance_eigh" if count > size else "full"
    pca = PCA(latent_dim, svd_solver=solver).fit(x)
    values = pca.explained_variance_ * (count - 1) / count
    sigma2 = (float(x.var(0).sum()) - float(values.sum())) / (size - latent_dim)
    if sigma2 < LEAST_SIGMA2:
        raise ExplorerError(
            f"{latent_dim} principal components leave no variance in these images: choose fewer."
        )
    loadings = pca.components_.T * np.sqrt(np.maximum(values - sigma2, 0))
    return with_exact_posterior(x.mean(0), loadings, np.full(size, sigma2))


def fit_factor_analysis(x: Floats, latent_dim: int, seed: int = 0) -> LinearFit:
    """Return factor analysis of images x (N, D), pixel variances of at least VARIANCE_FLOOR."""
    from sklearn.decomposition import FactorAnalysis

    factors = FactorAnalysis(latent_dim, random_state=seed).fit(x)
    noise = np.maximum(factors.noise_variance_, VARIANCE_FLOOR)
    return with_exact_posterior(x.mean(0), factors.components_.T, noise)


def fit_ica(x: Floats, latent_dim: int, seed: int = 0) -> LinearFit:
    """Return FastICA of images x (N, D): components of variance 1, the strongest first.

    `noise` is the mean squared residual, for scoring what the components leave out.
    """
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    ica = FastICA(
        latent_dim, whiten="unit-variance", random_state=seed, max_iter=ICA_ROUNDS, tol=1e-3
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            codes = ica.fit_transform(x)
        except ConvergenceWarning as warning:
            raise ExplorerError(
                f"ICA did not settle on {latent_dim} components in {ICA_ROUNDS} rounds: choose "
                "fewer, or another seed."
            ) from warning
    mean, loadings = x.mean(0), ica.mixing_
    sigma2 = max(float(np.square(x - mean - codes @ loadings.T).mean()), LEAST_SIGMA2)
    order = np.argsort(-np.linalg.norm(loadings, axis=0))
    sign = _orient(loadings[:, order])
    return LinearFit(
        mean=mean,
        loadings=loadings[:, order] * sign,
        reader=ica.components_[order] * sign[:, None],
        noise=np.full(x.shape[1], sigma2),
        posterior_variance=None,
    )


def with_exact_posterior(mean: Floats, loadings: Floats, noise: Floats) -> LinearFit:
    """Return the model with W turned so that p(z|x) is a diagonal normal, and that posterior.

    p(z|x) = N(M⁻¹WᵀΨ⁻¹(x − x̄), M⁻¹), M = I + WᵀΨ⁻¹W; turning z leaves p(x) = N(x̄, WWᵀ + Ψ) as
    it is.
    """
    values, vectors = np.linalg.eigh((loadings.T / noise) @ loadings)
    turned = loadings @ vectors[:, ::-1]
    turned = turned * _orient(turned)
    precision = 1 + np.maximum(values[::-1], 0)
    reader = (turned / noise[:, None]).T / precision[:, None]
    return LinearFit(mean, turned, reader, noise, 1 / precision)


def _orient(loadings: Floats) -> Floats:
    """Return the signs (K,) that make each column's largest entry positive."""
    largest = loadings[np.abs(loadings).argmax(0), np.arange(loadings.shape[1])]
    return np.where(largest < 0, -1.0, 1.0)


METHODS: dict[str, Callable[[Floats, int, int], LinearFit]] = {
    "ppca": fit_ppca,
    "fa": fit_factor_analysis,
    "ica": fit_ica,
}


def fit_config(dataset: str, method: str, latent_dim: int = 2, seed: int = 0) -> Config:
    """Return the config of a fit: a linear network in double precision, made in one step."""
    if method not in FITS:
        raise ExplorerError(f"A linear model is one of {', '.join(FITS)}; it is {method!r}.")
    latent, likelihood = FITS[method]
    return Config(
        dataset=dataset,
        model=ModelConfig(
            network="linear",
            hidden=(),
            latent=latent,
            latent_dim=latent_dim,
            likelihood=likelihood,
            precision="float64",
        ),
        optimiser=OptimiserConfig(batch_size=FIT_IMAGES),
        budget=BudgetConfig(steps=1),
        seed=seed,
        device="cpu",
        method=method,
    )


class FitEngine(Engine):
    """The engine of a fit: its only step puts the fitted weights in place."""

    threads_agree = False

    def __init__(self, config: Config, images: Array | Rows, device: torch.device) -> None:
        check_fit(config, images)
        self.config, self.configs, self.device = config, [config], device
        self.model, self.arithmetic = start_model(config, images, device)
        self.images = as_rows(images)
        self.batch_size = min(config.optimiser.batch_size, len(images))
        self.steps_per_epoch = max(1, len(images) // self.batch_size)
        self.generator = start_generator(config, device)
        self.totals = [Totals()]
        self._terms = choose_objective(config.objective, config.model.latent)

    def step(self, step: int, steps: int, betas: Sequence[float]) -> None:
        """Fit, whatever the step, and add the scores of some of the images to `totals`."""
        chosen = np.linspace(0, len(self.images) - 1, self.batch_size).astype(int)
        images = self.images[chosen]
        x = images.reshape(len(images), -1) / 255
        fitted = METHODS[self.config.method](x, self.model.latent_dim, self.config.seed)
        write_weights(self.model, fitted)
        logged = torch.from_numpy(images[:LOGGED_IMAGES]).to(self.device)
        with torch.no_grad():
            target = self.model.target(logged, self.generator)
            terms = self._terms(self.model, target, betas[0], self.config.objective, self.generator)
        self.totals[0].add(average(terms))

    def member(self, index: int) -> VAE:
        """Return the model itself."""
        return self.model

    def trial(self) -> "FitEngine":
        """Return an engine that fits a copy of the model to the same images."""
        trial = copy.copy(self)
        trial.model = copy.deepcopy(self.model)
        trial.generator = torch.Generator(self.device).manual_seed(0)
        trial.totals = [Totals()]
        return trial

    def pack(self, metadata: Mapping[str, Any]) -> bytes:
        """Return weights and random state."""
        return pack_training(self.model, None, self.generator, metadata)

    def unpack(self, content: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
        """Go on from these."""
        unpack_training(content, self.model, None, self.generator)


def check_fit(config: Config, images: Array | Rows) -> None:
    """Raise an ExplorerError unless the config is a fit's, and its latents fit the images."""
    expected = fit_config(config.dataset, config.method, config.model.latent_dim)
    if config.model != expected.model or config.budget != expected.budget:
        raise ExplorerError(
            f"A fit takes the config that `fit --model {config.method}` writes: only the data "
            "set, the number of latents and the seed can be chosen."
        )
    size, count = math.prod(images.shape[1:]), min(len(images), FIT_IMAGES)
    if config.model.latent_dim >= min(size, count):
        raise ExplorerError(
            f"{config.model.latent_dim} latents cannot be fitted to {count} images of {size} "
            "pixels: choose fewer."
        )


@torch.no_grad()
def write_weights(model: VAE, fitted: LinearFit) -> None:
    """Put a fit into a linear model of ours."""
    (encoder,) = (layer for layer in model.encoder if isinstance(layer, nn.Linear))
    (decoder,) = (layer for layer in model.decoder if isinstance(layer, nn.Linear))
    size = model.latent_dim
    encoder.weight.zero_()
    encoder.weight[:size] = torch.from_numpy(fitted.reader)
    encoder.bias[:size] = torch.from_numpy(-fitted.reader @ fitted.mean)
    if fitted.posterior_variance is not None:
        logvar = np.log(fitted.posterior_variance)
        # The raw value that the model bounds to this log-variance.
        raw = LOGVAR_BOUND * np.arctanh(logvar / LOGVAR_BOUND)
        encoder.bias[size:] = torch.from_numpy(raw)
    decoder.weight.copy_(torch.from_numpy(fitted.loadings))
    decoder.bias.copy_(torch.from_numpy(fitted.mean))
    model.likelihood.set_noise(torch.from_numpy(np.log(fitted.noise)))
