"""A foreign VAE as a model like ours, so that every page, analysis and export serves it."""

from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.network import Network
from explorer.models.adopted.question import LOGIT_LIKELIHOODS, Fit, Question
from explorer.models.adopted.reading import Image, read_decoder, read_encoder
from explorer.models.base import Model
from explorer.models.likelihoods import Likelihood
from explorer.models.priors import StandardNormal


class AdoptedModel(Model):
    """Canonical foreign networks: q(z|x) is a diagonal normal, the prior N(0, I).

    `encoder` takes pixels (B, C, H, W) in [0, 1] and gives mean and log-variance side by side,
    (B, 2K); `decoder` takes codes (B, K) and gives what the likelihood takes, (B, C, H, W).
    Log-variances are taken as they are: our smooth bound was not there when this was trained.
    """

    def __init__(
        self, encoder: Network, decoder: Network, shape: Image, likelihood: Likelihood
    ) -> None:
        super().__init__()
        if tuple(encoder.shape) != tuple(shape) or tuple(decoder.shape_out) != tuple(shape):
            raise ExplorerError(
                f"An encoder of {encoder.shape} and a decoder of {decoder.shape_out} do not serve "
                f"images of {shape}."
            )
        self.shape = shape
        self.latent_kind = "gaussian"
        self.latent_dim = decoder.shape[0]
        if encoder.shape_out != (2 * self.latent_dim,):
            raise ExplorerError(
                f"An encoder of {encoder.shape_out} values does not give mean and log-variance of "
                f"{self.latent_dim} latents."
            )
        self.encoder: Network = encoder
        self.decoder: Network = decoder
        self.likelihood = likelihood
        self.prior: StandardNormal = StandardNormal(self.latent_dim)
        self.eval().requires_grad_(False)

    def encode_parameters(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (mean (B, K), logvar (B, K)) of q(z|x)."""
        mean, logvar = self.encoder(x).chunk(2, dim=1)
        return mean, logvar

    @property
    def reference(self) -> Tensor:
        """A tensor in the precision and on the device that the model computes in."""
        return self.prior.place

    def split_decoder(self) -> tuple[nn.Module, nn.Linear | None]:
        """Return the decoder up to its last hidden layer, and the linear layer that widens it."""
        *body, last, shaping = [nn.Identity(), nn.Identity(), *self.decoder]
        if isinstance(last, nn.Linear) and isinstance(shaping, nn.Unflatten):
            if last.in_features < last.out_features:
                return nn.Sequential(*body), last
        return self.decoder, None


def adopt_fit(fit: Fit, question: Question) -> AdoptedModel:
    """Return the model of a reading, for images of `fit.shape`.

    A Gaussian's variance that was not told is the mean squared error of reconstructions.
    """
    logits = question.likelihood in LOGIT_LIKELIHOODS
    return AdoptedModel(
        read_encoder(fit.encoder, fit.reading, fit.shape),
        read_decoder(fit.decoder, fit.reading, fit.shape, logits),
        fit.shape,
        question.build(fit.sigma2, fit.shape),
    )
