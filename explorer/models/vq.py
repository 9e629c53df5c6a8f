"""The VQ-VAE: an image as a grid of entries of a codebook (van den Oord et al. 2017).

Shapes: images x (B, C, H, W); P = rows · columns positions; codebook of S vectors of D numbers;
indices (B, P); vectors (B, P, D). The prior is uniform over the codebook at every position. The
encoder chooses one entry with certainty, so KL to the prior is the constant P·ln S: it drops out
of what is trained, and runs report none.
"""

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent
from torch.nn import functional

from explorer.config import ModelConfig
from explorer.config.model import code_grid
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.models.networks import ACTIVATIONS, Shape
from explorer.models.priors import UniformCodes
from explorer.models.vae import VAE

DECAY = 0.99
"""Share of the past in the running counts and sums of what each entry was chosen for."""
SMALLEST_SHARE = 0.02
"""An entry chosen less often than this share of an even use starts anew elsewhere."""


class Quantiser(nn.Module):
    """The codebook; while a model learns, it follows what the encoder puts out.

    Each entry is the running mean of the vectors that chose it (van den Oord et al. 2017, App. A.1)
    rather than a parameter under the optimiser. An entry that is hardly chosen any more moves to a
    vector of the present batch, so that the codebook stays in use.
    """

    def __init__(self, entries: int, size: int) -> None:
        super().__init__()
        self.register_buffer("codebook", torch.randn(entries, size))
        self.register_buffer("counts", torch.zeros(entries))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self.codebook: Tensor
        self.counts: Tensor
        self.updates: Tensor

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the index of the nearest entry, (…,), for vectors (…, D)."""
        flat = vectors.detach().reshape(-1, vectors.shape[-1])
        # ‖v − e‖² less ‖v‖², which is the same for all entries.
        distance = self.codebook.square().sum(1) - 2 * flat @ self.codebook.T
        return distance.argmin(1).view(vectors.shape[:-1])

    def lookup(self, indices: Tensor) -> Tensor:
        """Return the entries (…, D) at whole-number indices (…,)."""
        return functional.embedding(indices, self.codebook)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return the indices (B, P) and entries (B, P, D) nearest to vectors (B, P, D).

        In training, where a gradient is asked for, the codebook then follows the vectors.
        """
        learning = self.training and vectors.requires_grad
        if learning and not self.updates:
            self._begin(vectors.detach().flatten(0, 1))
        indices = self.nearest(vectors)
        chosen = self.lookup(indices)
        if learning:
            self._follow(vectors.detach().flatten(0, 1), indices.flatten())
        return indices, chosen

    @torch.no_grad()
    def _begin(self, vectors: Tensor) -> None:
        self.codebook = self._pick(vectors, len(self.codebook)).clone()
        self.counts = torch.full_like(self.counts, len(vectors) / len(self.counts))

    @torch.no_grad()
    def _follow(self, vectors: Tensor, indices: Tensor) -> None:
        """Move the entries towards the vectors (M, D) that chose them by their indices (M,)."""
        sums = torch.zeros_like(self.codebook).index_add_(0, indices, vectors)
        fresh = torch.bincount(indices, minlength=len(self.counts)).to(self.counts)
        counts = DECAY * self.counts + (1 - DECAY) * fresh
        totals = DECAY * self.counts[:, None] * self.codebook + (1 - DECAY) * sums
        self.codebook = totals / counts.clamp_min(1e-12)[:, None]
        even = len(vectors) / len(counts)
        idle = counts < SMALLEST_SHARE * even
        if bool(idle.any()):
            self.codebook[idle] = self._pick(vectors, int(idle.sum()))
            # Long enough at its new place to show whether it is wanted there.
            counts[idle] = even
        self.counts = counts
        self.updates = self.updates + 1

    def _pick(self, vectors: Tensor, count: int) -> Tensor:
        """Return `count` of the vectors (M, D), by the number of the update alone."""
        generator = torch.Generator().manual_seed(int(self.updates))
        rows = torch.randint(len(vectors), (count,), generator=generator)
        return vectors[rows.to(vectors.device)]


class VQVAE(VAE):
    """A convolutional encoder and decoder around a codebook; `latent_dim` is P."""

    def __init__(self, config: ModelConfig, shape: Shape) -> None:
        self.grid = code_grid(shape, config.hidden)
        if self.grid[0] * self.grid[1] != config.latent_dim:
            raise ExplorerError(
                f"These images and layers give a grid of {self.grid[0]} × {self.grid[1]} codes: "
                f"latent_dim must be {self.grid[0] * self.grid[1]}, not {config.latent_dim}."
            )
        super().__init__(config, shape)
        self.quantiser = Quantiser(config.codebook, config.code_size)
        self.to(getattr(torch, config.precision))

    def build_prior(self) -> UniformCodes:
        """Return the uniform prior over the codebook's entries."""
        return UniformCodes(self.config.codebook, self.latent_dim)

    def build_networks(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Return strided convolutions down to the grid of vectors, and transposed ones back."""
        config, (channels, height, _) = self.config, self.shape
        activation = ACTIVATIONS[config.activation]
        count = (height // self.grid[0]).bit_length() - 1
        stages = config.hidden[:count]
        encoder: list[nn.Module] = []
        previous = channels
        for filters in stages:
            encoder += [nn.Conv2d(previous, filters, 4, 2, 1), activation()]
            previous = filters
        encoder += [nn.Conv2d(previous, previous, 3, 1, 1), activation()]
        encoder.append(nn.Conv2d(previous, config.code_size, 1))
        decoder: list[nn.Module] = [nn.Conv2d(config.code_size, previous, 3, 1, 1), activation()]
        output_channels = channels * self.likelihood.parameters_per_pixel
        for filters in [*reversed(stages[:-1]), output_channels]:
            decoder += [nn.ConvTranspose2d(previous, filters, 4, 2, 1), activation()]
            previous = filters
        return nn.Sequential(*encoder), nn.Sequential(*decoder[:-1])

    def encode_vectors(self, x: Tensor) -> Tensor:
        """Return what the encoder puts out before it is quantised, (B, P, D)."""
        return self.encoder(x).flatten(2).transpose(1, 2)

    def encode_parameters(self, x: Tensor) -> tuple[Tensor, None]:
        """Return the indices (B, P) of the entries that q(z|x) is certain of, and no variance."""
        return self.quantiser.nearest(self.encode_vectors(x)), None

    split_decoder = Model.split_decoder

    def encode(self, x: Tensor) -> Distribution:
        """Return q(z|x), batch shape (B,), event shape (P,): all mass on one index each."""
        indices, _ = self.encode_parameters(x)
        certain = functional.one_hot(indices, self.config.codebook).to(x)
        return Independent(Categorical(probs=certain, validate_args=False), 1, validate_args=False)

    def decode_output(self, z: Tensor) -> Tensor:
        """Return what the likelihood takes for indices (B, P) or vectors (B, P, D)."""
        if z.ndim == 2:
            z = self.quantiser.lookup(z.long())
        output: Tensor = self.decoder(z.transpose(1, 2).reshape(len(z), -1, *self.grid))
        return output


def check_codebook(model: Model) -> VQVAE:
    """Return `model` as a VQ-VAE; any other is an ExplorerError."""
    if not isinstance(model, VQVAE):
        raise ExplorerError("Only a VQ-VAE has a codebook; this model's code is continuous.")
    return model


def pass_straight_through(vectors: Tensor, chosen: Tensor) -> Tensor:
    """Return `chosen` with the gradient of `vectors`: d(out)/d(vectors) = 1."""
    return vectors + (chosen - vectors).detach()
