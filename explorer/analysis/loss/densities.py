"""Distributions in a pasted loss: their log densities and KL divergences as expressions."""

from explorer.analysis.loss.algebra import (
    NO_AXES,
    ONE,
    ZERO,
    Atom,
    Expr,
    absolute,
    add,
    bare,
    divide,
    multiply,
    of_atom,
    power,
    reduce,
    rest_axes,
    scale,
    subtract,
)
from explorer.analysis.loss.functions import logarithm
from explorer.analysis.loss.values import (
    Density,
    Follower,
    NotFollowed,
    Ref,
    Unknown,
    Value,
)

NORMAL = ("loc", "mean", "mu"), ("scale", "stddev", "sigma", "std", "scale_diag")
KINDS = {
    "Normal": "normal", "MultivariateNormalDiag": "normal", "MultivariateNormal": "normal",
    "LowRankMultivariateNormal": "unknown", "Laplace": "laplace", "Bernoulli": "bernoulli",
    "ContinuousBernoulli": "continuous-bernoulli", "Categorical": "categorical",
    "OneHotCategorical": "categorical", "Poisson": "other", "NegativeBinomial": "other",
    "ZeroInflatedNegativeBinomial": "other", "StudentT": "other", "Beta": "other",
    "Gamma": "other", "Logistic": "other", "MixtureSameFamily": "other", "LogNormal": "other",
    "Cauchy": "other", "Multinomial": "other", "Binomial": "other",
    "DiagonalGaussianDistribution": "unknown",
}  # fmt: skip


def make_density(
    follower: Follower, name: str, args: list[Value], named: dict[str, Value]
) -> Density:
    """Return the distribution that a constructor makes."""
    kind = KINDS[name]
    if kind in ("normal", "laplace"):
        location = _pick(args, named, 0, NORMAL[0])
        spread = _pick(args, named, 1, NORMAL[1])
        event = 1 if name.startswith("Multivariate") else 0
        if "covariance_matrix" in named:
            spread_expr = power(follower.tensor(named["covariance_matrix"], "latent"), 0.5)
        elif "scale_tril" in named:
            spread_expr = follower.tensor(named["scale_tril"], "latent")
        elif spread is None:
            raise NotFollowed(name)
        elif name == "MultivariateNormal":
            spread_expr = power(follower.tensor(spread, "latent"), 0.5)
        else:
            spread_expr = follower.tensor(spread, "latent")
        where = ZERO if location is None else follower.tensor(location, "latent")
        return Density(kind, (where, spread_expr), event)
    if kind in ("bernoulli", "continuous-bernoulli", "categorical"):
        logits = named.get("logits")
        if logits is not None:
            return Density(f"{kind}-logits", (follower.tensor(logits),))
        given = args[0] if args else named.get("probs")
        if given is None:
            raise NotFollowed(name)
        # tfd takes logits first, torch probabilities: which of the two makes no difference to β.
        return Density(kind, (follower.tensor(given),))
    return Density(kind, (), 0, name)


def independent(follower: Follower, args: list[Value], named: dict[str, Value]) -> Value:
    """Follow Independent(base, n) and its keywords."""
    base = args[0] if args else named.get("base_distribution", named.get("distribution"))
    count = args[1] if len(args) > 1 else named.get("reinterpreted_batch_ndims")
    if base is None:
        raise NotFollowed("Independent")
    found = as_density(base)
    event = len(follower.layout.data) - 1
    if count is not None:
        event = int(follower.expr(count).number or 1)
    return Density(found.kind, found.parameters, event, found.path)


def as_density(value: Value) -> Density:
    """Return a distribution; one that the paste does not define is known by its name alone."""
    if isinstance(value, Density):
        return value
    if isinstance(value, Ref | Unknown):
        return Density("unknown", (), 0, value.path)
    raise NotFollowed("distribution")


def log_density(follower: Follower, density: Density, value: Value) -> Expr:
    """Return log p(value), summed over the axes of one draw."""
    if density.kind == "normal":
        location, spread = _with_scale(density)
        at = follower.tensor(value, _role_beside(location, spread))
        squared = multiply(power(subtract(at, location), 2.0), power(spread, -2.0))
        result = subtract(scale(squared, -0.5), logarithm(spread))
    elif density.kind == "laplace":
        location, spread = _with_scale(density)
        at = follower.tensor(value)
        result = subtract(
            scale(divide(absolute(subtract(at, location)), spread), -1.0), logarithm(spread)
        )
    elif density.kind.startswith("bernoulli"):
        at = follower.tensor(value)
        (given,) = density.parameters
        kind = "bernoulli-logits" if density.kind.endswith("logits") else "bernoulli"
        result = scale(pair_atom(kind, given, at), -1.0)
    elif density.kind.startswith("categorical"):
        at = follower.tensor(value)
        result = scale(pair_atom("categorical", density.parameters[0], at), -1.0)
    else:
        at = follower.tensor(value)
        parts: tuple[str | Expr, ...] = (density.path or density.kind, bare(at))
        result = of_atom(Atom("log_density", parts, rest_axes(at)), at.shape)
    return _over_event(result, density.event)


def scale_of(value: float, power: float = 1.0) -> Expr:
    """Return a fixed likelihood's σ (power 2: its σ²), which is kept apart from weights."""
    return of_atom(Atom("scale", (value ** (1 / power),)), (), power)


def _with_scale(density: Density) -> tuple[Expr, Expr]:
    location, spread = density.parameters
    if spread.number in (None, 0.0, 1.0) or location.number is not None:
        return location, spread
    assert spread.number is not None
    return location, scale_of(spread.number)


def pair_atom(kind: str, output: Expr, target: Expr) -> Expr:
    """Return a negative log-likelihood per element, an atom of the model's output and the data."""
    shape = target.shape or output.shape
    axes = NO_AXES.union(*shape)
    return of_atom(Atom(kind, (bare(output), bare(target)), axes), shape)


def divergence(follower: Follower, q: Value, p: Value) -> Expr:
    """Return KL(q‖p), per dimension unless the distributions say otherwise."""
    first, second = as_density(q), as_density(p)
    if first.kind == second.kind == "normal":
        (mean, spread), (prior_mean, prior_spread) = first.parameters, second.parameters
        ratio = divide(spread, prior_spread)
        shift = power(divide(subtract(mean, prior_mean), prior_spread), 2.0)
        inner = subtract(add(power(ratio, 2.0), shift), scale(logarithm(ratio), 2.0))
        return _over_event(scale(subtract(inner, ONE), 0.5), max(first.event, second.event))
    if first.kind == "normal" and second.kind == "unknown":
        shape = first.parameters[0].shape
    else:
        shape = follower.layout.latent
    axes = NO_AXES.union(*shape)
    names = (first.path or "q", second.path or "p")
    return _over_event(of_atom(Atom("kl", names, axes), shape), max(first.event, second.event))


def own_divergence(follower: Follower, value: Value) -> Expr:
    """Return posterior.kl(): to N(0, I), one value per image, as diffusers' posteriors give it."""
    found = as_density(value)
    if found.kind == "normal":
        return divergence(follower, found, Density("normal", (ZERO, ONE)))
    follower.doubt("kl_per_image", f"{found.path}.kl()")
    latent = follower.layout.latent
    atom = Atom("kl", (found.path, "standard"), NO_AXES.union(*latent))
    return reduce(of_atom(atom, latent), range(1, len(latent)), "sum")


def entropy(density: Density) -> Expr:
    """Return a normal's entropy without its constant."""
    if density.kind != "normal":
        raise NotFollowed("entropy")
    return _over_event(logarithm(density.parameters[1]), density.event)


def _over_event(expr: Expr, event: int) -> Expr:
    if not event or not expr.shape:
        return expr
    count = len(expr.shape)
    return reduce(expr, range(max(count - event, 0), count), "sum")


def _role_beside(*beside: Expr) -> str:
    """Return latent where the parameters are latents or plain numbers, as a prior's are."""
    names = [atom for expr in beside for atom in expr.atoms() if atom.kind == "name"]
    if not names:
        return "latent"
    return "latent" if any("K" in atom.axes for atom in names) else "image"


def _pick(
    args: list[Value], named: dict[str, Value], place: int, names: tuple[str, ...]
) -> Value | None:
    if len(args) > place:
        return args[place]
    return next((named[name] for name in names if name in named), None)
