"""What is trained: the networks, the code, the likelihood and the prior."""

from dataclasses import dataclass

from explorer.config.checks import check_between, check_choice, check_truth, check_whole
from explorer.errors import ExplorerError
from explorer.facts import LATENTS, LIKELIHOODS, NETWORKS, PRIORS

NETWORK_NAMES = tuple(NETWORKS)
LIKELIHOOD_NAMES = tuple(LIKELIHOODS)
ACTIVATIONS = ("relu", "tanh", "silu")


@dataclass(frozen=True)
class ModelConfig:
    """The two networks, the latent code and the likelihood."""

    network: str = "mlp"
    """A key of `models.NETWORKS`: mlp, conv or linear."""
    hidden: tuple[int, ...] = (512, 256, 128)
    """Units of each hidden layer (mlp) or channels of each stage (conv); the decoder mirrors it."""
    activation: str = "relu"
    latent_dim: int = 2
    latent: str = "gaussian"
    """gaussian: q(z|x) is a diagonal normal. point: a plain autoencoder, without KL. categorical:
    a VQ-VAE, whose code is a grid of `latent_dim` positions, each one of `codebook` vectors."""
    noise: float = 0.0
    """Standard deviation added to a point code (an autoencoder with fixed noise)."""
    likelihood: str = "bernoulli"
    sigma2: float = 0.05
    """A pixel's variance where the likelihood has one; where it is learned, its starting value."""
    binarise: bool = True
    """Bernoulli: score a fresh binary draw of each grey image. False scores the grey values
    themselves, which is a cross-entropy and no likelihood."""
    posterior_cap: float = 1.0
    """c: q's variances stay below it, so that KL_i ≥ ½(c − 1 − ln c); 1 is off (see networks)."""
    mean_norm: float = 0.0
    """γ: the spread that batch norm gives each dimension of μ; 0 is off (see networks)."""
    skip: bool = False
    """Feed z to every layer of the decoder (mlp)."""
    prior: str = "standard"
    """p(z) of a Gaussian code. standard: N(0, I). mixture: `prior_components` diagonal normals,
    learned with the rest."""
    prior_components: int = 10
    codebook: int = 64
    """How many vectors a categorical code chooses from at each position."""
    code_size: int = 16
    """Numbers in each of these vectors."""
    commitment: float = 0.25
    """What the encoder pays per squared distance to the vector it chose."""
    precision: str = "float32"

    def __post_init__(self) -> None:
        check_choice("network", self.network, NETWORK_NAMES)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("latent", self.latent, tuple(LATENTS))
        check_choice("likelihood", self.likelihood, LIKELIHOOD_NAMES)
        check_choice("precision", self.precision, ("float32", "float64"))
        check_whole("latent_dim", self.latent_dim, 1, 512)
        check_between("noise", self.noise, 0.0, 100.0)
        check_between("sigma2", self.sigma2, 1e-8, 1e6)
        check_between("posterior_cap", self.posterior_cap, 1e-6, 1.0)
        check_between("mean_norm", self.mean_norm, 0.0, 100.0)
        check_truth("skip", self.skip)
        check_choice("prior", self.prior, tuple(PRIORS))
        check_whole("prior_components", self.prior_components, 1, 200)
        check_whole("codebook", self.codebook, 2, 1024)
        check_whole("code_size", self.code_size, 1, 256)
        check_between("commitment", self.commitment, 0.0, 100.0)
        code = LATENTS[self.latent]
        if not code.has_density and (self.posterior_cap < 1 or self.mean_norm):
            raise ExplorerError("Only a Gaussian q(z|x) can be capped or normalised.")
        if not code.has_density and self.prior != "standard":
            raise ExplorerError("A learned mixture prior goes with a Gaussian q(z|x).")
        if self.network not in code.networks:
            raise ExplorerError("A VQ-VAE is convolutional: choose the network conv.")
        if self.skip and not NETWORKS[self.network].takes_skips:
            raise ExplorerError("Skips from z are built for mlp networks.")
        check_truth("binarise", self.binarise)
        if not isinstance(self.hidden, list | tuple):
            raise ExplorerError(f"hidden must be a list of layer sizes; it is {self.hidden!r}.")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if len(self.hidden) > 8:
            raise ExplorerError(f"At most 8 hidden layers are supported, not {len(self.hidden)}.")
        for units in self.hidden:
            check_whole("hidden", units, 1, 8192)


def code_grid(shape: tuple[int, int, int], hidden: tuple[int, ...]) -> tuple[int, int]:
    """Return (rows, columns) of the grid that stages of `hidden` halve images of `shape` to.

    >>> code_grid((1, 28, 28), (32, 64)), code_grid((1, 8, 8), (32, 64))
    ((7, 7), (4, 4))
    """
    _, rows, columns = shape
    for _ in hidden:
        if rows % 2 or columns % 2 or min(rows, columns) <= 7:
            break
        rows, columns = rows // 2, columns // 2
    if (rows, columns) == shape[1:]:
        raise ExplorerError(
            f"A VQ-VAE needs images with even sides of at least 8 pixels; these are {shape[1]} × "
            f"{shape[2]}."
        )
    return rows, columns
