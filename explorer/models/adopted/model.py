"""A foreign VAE behind the face of ours, so that every analysis serves it."""

import torch
from torch import Tensor, nn

from explorer.config import ModelConfig
from explorer.errors import ExplorerError
from explorer.models.adopted.layers.network import Network
from explorer.models.adopted.question import LOGIT_LIKELIHOODS, Fit, Question
from explorer.models.adopted.reading import Image, read_decoder, read_encoder
from explorer.models.likelihoods import build_likelihood
from explorer.models.vae import VAE


class AdoptedModel(VAE):
    """A VAE of canonical foreign networks: q(z|x) a diagonal normal, the prior N(0, I).

    `encoder` takes pixels (B, C, H, W) in [0, 1] and gives mean and log-variance side by side,
    (B, 2K); `decoder` takes codes (B, K) and gives what the likelihood takes, (B, C, H, W).
    Log-variances are taken as they are: our smooth bound was not there when this was trained.
    """

    def __init__(
        self,
        encoder: Network,
        decoder: Network,
        shape: Image,
        likelihood: str,
        *,
        sigma2: float = 1.0,
        binarise: bool = False,
    ) -> None:
        # The networks stand already; what `VAE` would build from a config is not wanted.
        nn.Module.__init__(self)
        self.shape = shape
        self.latent_dim = decoder.shape[0]
        if tuple(encoder.shape) != tuple(shape) or tuple(decoder.shape_out) != tuple(shape):
            raise ExplorerError(
                f"An encoder of {encoder.shape} and a decoder of {decoder.shape_out} do not serve "
                f"images of {shape}."
            )
        if encoder.shape_out != (2 * self.latent_dim,):
            raise ExplorerError(
                f"An encoder of {encoder.shape_out} values does not give mean and log-variance of "
                f"{self.latent_dim} latents."
            )
        self.latent_kind = "gaussian"
        self.config = ModelConfig(
            hidden=(), latent_dim=self.latent_dim, likelihood=likelihood, sigma2=sigma2,
            binarise=binarise,
        )  # fmt: skip
        self.likelihood = build_likelihood(self.config, shape)
        self.encoder, self.decoder = encoder, decoder
        self.mixture = None
        self.eval().requires_grad_(False)

    def encode_parameters(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (mean (B, K), logvar (B, K)) of q(z|x)."""
        mean, logvar = self.encoder(x).chunk(2, dim=1)
        return mean, logvar

    def target(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return what is encoded and scored for uint8 or float images, in the networks' precision.

        As `VAE.target`: a binary draw of each grey value where the model was trained on such.
        """
        return super().target(images, generator).to(next(self.decoder.parameters()).dtype)


def adopt_fit(fit: Fit, question: Question) -> AdoptedModel:
    """Return the model of a reading, for images of `fit.shape`.

    A Gaussian's variance that was not told is the mean squared error of reconstructions.
    """
    shape = fit.shape
    likelihood, binarise = question.likelihood, question.binarise
    logits = likelihood in LOGIT_LIKELIHOODS
    return AdoptedModel(
        read_encoder(fit.encoder, fit.reading, shape),
        read_decoder(fit.decoder, fit.reading, shape, logits),
        shape,
        likelihood,
        sigma2=1.0 if fit.sigma2 is None else fit.sigma2,
        binarise=binarise,
    )
