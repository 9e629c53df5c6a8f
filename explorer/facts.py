"""What can be said of networks, latents, likelihoods and priors before torch is loaded.

Each registry is held equal to the one in `models` that builds what it tells of. Pages, trainings
and the command line ask these facts, and compare no name.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkFacts:
    """What can be said of a network; `models.networks` builds it."""

    is_linear: bool = False
    """Its decoder has components: what one unit of each latent adds to the picture."""
    may_stack: bool = True
    """Several of them are trained as one, as a family."""
    takes_skips: bool = True
    """z may be fed to every layer of its decoder."""
    halves_well: bool = False
    """Wide layers that learn in bfloat16 were measured to cost nothing."""


NETWORKS = {
    "mlp": NetworkFacts(halves_well=True),
    "conv": NetworkFacts(may_stack=False, takes_skips=False),
    "linear": NetworkFacts(is_linear=True),
}


@dataclass(frozen=True)
class LatentFacts:
    """What can be said of a kind of code; `models.MODELS` builds its model."""

    called: str
    """What the literature calls its model, as the catalogue's `compare.kind.*` spell it out."""
    objective: str = "elbo"
    """Key of `elbo.terms.OBJECTIVES`."""
    has_density: bool = False
    """q(z|x) is a normal: only then are there KL, ELBO, and a choice of prior."""
    is_continuous: bool = True
    """Codes are coordinates, so that they have a map."""
    takes_noise: bool = False
    """Fixed noise may be added to a code."""
    networks: tuple[str, ...] = tuple(NETWORKS)
    """What it is built of."""


LATENTS = {
    "gaussian": LatentFacts("vae", has_density=True),
    "point": LatentFacts("ae", takes_noise=True),
    "categorical": LatentFacts("vq", "vq", is_continuous=False, networks=("conv",)),
}


@dataclass(frozen=True)
class LikelihoodFacts:
    """What can be said of a likelihood before torch is loaded; `models.likelihoods` builds it."""

    may_binarise: bool = False
    """Whether grey images may be drawn binary before they are scored."""
    scale: str = "none"
    """What `sigma2`, a pixel's variance, is: none, fixed, or learned from there."""
    learned: str = ""
    """The likelihood that learns the scale which this one holds fixed, if there is one."""
    optimal: str = ""
    """The one that takes its best value from each batch, if there is one."""
    linear_theory: bool = False
    """Rate and distortion of linear models are known in closed form (`analysis…linear`)."""
    wakes_by_rule: bool = False
    """The wake-up rule of a data set is known from the config alone."""
    halves_well: bool = False
    """Wide layers that learn in bfloat16 were measured to cost nothing."""


_LEARNED, _OPTIMAL = "gaussian-learned", "gaussian-optimal"
LIKELIHOODS = {
    "bernoulli": LikelihoodFacts(may_binarise=True, wakes_by_rule=True, halves_well=True),
    "continuous-bernoulli": LikelihoodFacts(),
    "gaussian": LikelihoodFacts(
        scale="fixed",
        learned=_LEARNED,
        optimal=_OPTIMAL,
        linear_theory=True,
        wakes_by_rule=True,
    ),
    _LEARNED: LikelihoodFacts(scale="learned", learned=_LEARNED, optimal=_OPTIMAL),
    _OPTIMAL: LikelihoodFacts(scale="learned", learned=_LEARNED, optimal=_OPTIMAL),
    "gaussian-diagonal": LikelihoodFacts(),
    "gaussian-pixel": LikelihoodFacts(),
    "laplace": LikelihoodFacts(scale="fixed", wakes_by_rule=True),
    "discretized-logistic": LikelihoodFacts(scale="learned"),
}


@dataclass(frozen=True)
class PriorFacts:
    """What can be said of a prior over continuous codes before torch is loaded."""

    has_shares: bool = True
    """KL to it is known in closed form, and per dimension."""
    has_components: bool = False
    """It is made of `prior_components` parts."""


PRIORS = {
    "standard": PriorFacts(),
    "mixture": PriorFacts(has_shares=False, has_components=True),
}
