"""Likelihoods and KLs recognised among terms that carry one weight and one reduction."""

from collections.abc import Iterator
from dataclasses import dataclass

from explorer.analysis.loss.algebra import (
    NO_AXES,
    Atom,
    Axes,
    Expr,
    Powers,
    Term,
    add,
    bare,
    make,
    multiply,
    number,
    of_atom,
    power,
    scale,
    subtract,
)
from explorer.analysis.loss.functions import logarithm
from explorer.analysis.loss.names import guess_role

Polynomial = dict[Powers, float]
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Found:
    """A part of the loss: its kind, its factor and what it is made of.

    `kind` is a reconstruction (squared-error, absolute-error, bernoulli, …), kl, kl-sampled or the
    role of a term that is not spelt out. `weight` are the powers of sizes and symbols in front of
    it, `summed` the axes that it was summed over, `within` those under a logarithm,
    `left` those that were never reduced. `pieces` are the expressions for a corrected
    line: output and target, or mean and variance.
    """

    kind: str
    factor: float
    weight: Powers = ()
    summed: Axes = NO_AXES
    within: Axes = NO_AXES
    left: Axes = NO_AXES
    pieces: tuple[Expr, ...] = ()
    text: str = ""
    flags: tuple[str, ...] = ()


def match(terms: Polynomial) -> Iterator[Found]:
    """Yield what is recognised in terms of one weight, then the rest one by one."""
    rest = {data: factor for data, factor in terms.items() if abs(factor) > 1e-300}
    # The first to ask for its terms gets them: a KL's log σ² must not be a decoder's.
    for finder in (_find_kl, _find_sampled_kl, _find_cross_entropy, _find_scaled_errors):
        yield from finder(rest)
    for data, factor in rest.items():
        yield _single(data, factor)


def _take(rest: Polynomial, expr: Expr, factor: float) -> bool:
    """Take factor · expr out of the rest, if all its terms (constants apart) stand there."""
    wanted = {term.powers: factor * value for term, value in expr.terms if not term.is_scalar}
    if not wanted or any(term.summed for term, _ in expr.terms):
        return False
    for data, value in wanted.items():
        if abs(rest.get(data, 0.0) - value) > TOLERANCE * abs(value):
            return False
    for data in wanted:
        del rest[data]
    return True


def _find_kl(rest: Polynomial) -> Iterator[Found]:
    """c·(μ² + S − log S), with a prior's mean and variance where they are given."""
    for data in list(rest):
        factor = rest.get(data)
        if factor is None or not _is_variance(data):
            continue
        ratio = Expr(((Term(data), 1.0),))
        level = subtract(ratio, logarithm(ratio))
        if not any(not term.is_scalar for term, _ in logarithm(ratio).terms):
            continue
        for square, mean in _squares(rest, factor, data):
            if _take(rest, add(level, square), factor):
                variance = bare(ratio)
                yield Found("kl", 2 * factor, pieces=(mean, variance))
                break


def _is_variance(data: Powers) -> bool:
    """Whether it may be a variance: exp(lv), σ², var, or a ratio of two."""
    return all(atom.kind not in ("square", "abs", "reduced", "log", "relu") for atom, _ in data)


def _squares(rest: Polynomial, factor: float, variance: Powers) -> Iterator[tuple[Expr, Expr]]:
    """Yield (μ² over the prior's variance, μ) for terms with this factor."""
    divisor = tuple(pair for pair in variance if pair[1] < 0)
    for data, value in rest.items():
        if data == variance or abs(value - factor) > TOLERANCE * abs(factor):
            continue
        core = tuple(pair for pair in data if pair not in divisor)
        if divisor and len(core) == len(data):
            continue
        if len(core) != 1:
            continue
        atom, exponent = core[0]
        expr = Expr(((Term(data), 1.0),))
        share = power(Expr(((Term(divisor), 1.0),)), 0.5)
        if atom.kind == "square" and exponent == 1:
            yield expr, multiply(atom.parts[0], share) if divisor else atom.parts[0]
        elif atom.kind == "name" and exponent == 2:
            yield expr, of_atom(atom)
        elif exponent == 2 and atom.kind not in ("exp", "square"):
            yield expr, of_atom(atom)


def _find_sampled_kl(rest: Polynomial) -> Iterator[Found]:
    """c·(log q(z) − log p(z)) at a sample z."""
    named = {
        data[0][0]: factor
        for data, factor in rest.items()
        if len(data) == 1 and data[0][0].kind == "log_density" and data[0][1] == 1
    }
    for q, factor in named.items():
        for p, other in named.items():
            if (
                factor > 0
                and abs(factor + other) < TOLERANCE * factor
                and q.parts[1:] == p.parts[1:]
            ):
                del rest[((q, 1.0),)], rest[((p, 1.0),)]
                yield Found(
                    "kl-sampled", factor, text=f"{q.parts[0]}|{p.parts[0]}", pieces=(q.parts[1],)
                )
                return
    yield from _find_sampled_by_terms(rest)


def _find_sampled_by_terms(rest: Polynomial) -> Iterator[Found]:
    """½z² − ½ log S − ½(z − μ)²/S, or without the last where it was taken as its mean."""
    for data, value in list(rest.items()):
        if len(data) != 1 or data[0][1] != 2 or data[0][0].kind != "name":
            continue
        z = of_atom(data[0][0])
        for other, opposite in list(rest.items()):
            if abs(opposite + value) > TOLERANCE * abs(value):
                continue
            squares = [pair for pair in other if pair[0].kind == "square" and pair[1] == 1]
            if len(squares) != 1 or z.terms[0][0] not in dict(squares[0][0].parts[0].terms):
                continue
            precision = Expr(((Term(tuple(p for p in other if p != squares[0])), 1.0),))
            variance = power(precision, -1.0)
            shift = Expr(((Term(other), 1.0),))
            wanted = subtract(subtract(power(z, 2.0), logarithm(variance)), shift)
            if _take(rest, wanted, value):
                mean = _other_side(squares[0][0].parts[0], z)
                yield Found("kl-sampled", 2 * value, pieces=(mean, bare(variance)))
                return
        for other, opposite in list(rest.items()):
            log = [pair[0] for pair in other if pair[0].kind == "log" and pair[1] == 1]
            if len(other) == 1 and log and abs(opposite + 2 * value) < TOLERANCE * abs(value):
                del rest[data], rest[other]
                yield Found("kl-sampled", 2 * value, pieces=(z, power(log[0].parts[0], 2.0)))
                return


def _other_side(difference: Expr, z: Expr) -> Expr:
    """Return μ of ±(z − μ)."""
    for sign in (1.0, -1.0):
        rest = subtract(z, scale(difference, sign))
        if not any(term == z.terms[0][0] for term, _ in rest.terms):
            return rest
    return difference


def _find_cross_entropy(rest: Polynomial) -> Iterator[Found]:
    """−x·log p − (1 − x)·log(1 − p) and softplus(l) − x·l, written out; Σ x·log softmax too."""
    yield from _find_softplus(rest)
    for data in list(rest):
        factor = rest.get(data)
        logs = [pair[0] for pair in data if pair[0].kind == "log" and pair[1] == 1]
        if factor is None or factor == 0 or not logs or len(data) < 2:
            continue
        target = Expr(((Term(tuple(pair for pair in data if pair[0] != logs[0])), 1.0),))
        output: Expr = logs[0].parts[0]
        off = logarithm(subtract(number(1.0), output))
        wanted = add(
            multiply(target, of_atom(logs[0])), multiply(subtract(number(1.0), target), off)
        )
        if _take(rest, wanted, factor):
            yield Found("bernoulli", -factor, pieces=(output, bare(target)))
        elif any(atom.kind == "softmax" for atom in output.atoms()):
            del rest[data]
            yield Found("categorical", -factor, pieces=(output, bare(target)))
    for data in list(rest):
        soft = [pair[0] for pair in data if pair[0].kind == "log_softmax" and pair[1] == 1]
        if soft and len(data) == 2:
            target = Expr(((Term(tuple(p for p in data if p[0] != soft[0])), 1.0),))
            yield Found(
                "categorical", -rest.pop(data), pieces=(soft[0].parts[0], target), flags=("soft",)
            )


def _find_softplus(rest: Polynomial) -> Iterator[Found]:
    for data in list(rest):
        factor = rest.get(data)
        if factor is None or len(data) != 1 or data[0][0].kind != "softplus" or data[0][1] != 1:
            continue
        output: Expr = data[0][0].parts[0]
        # max(l, 0) + softplus(−|l|) is softplus(l) too.
        inner = output.single and output.single[0].powers
        if inner and len(inner) == 1 and inner[0][0].kind == "abs":
            output = inner[0][0].parts[0]
            bent = Expr(((Term(((Atom("relu", (output,), inner[0][0].axes), 1.0),)), 1.0),))
            whole = subtract(add(bent, Expr(((Term(data), 1.0),))), of_atom(inner[0][0]))
        else:
            whole = Expr(((Term(data), 1.0),))
        for other in list(rest):
            target = _divided(other, output)
            if target is None:
                continue
            if _take(rest, subtract(whole, multiply(target, output)), factor):
                yield Found("bernoulli-logits", factor, pieces=(output, bare(target)))
                break


def _divided(data: Powers, output: Expr) -> Expr | None:
    """Return data / output where output is one of its factors."""
    single = output.single
    if single is None or len(single[0].powers) != 1:
        return None
    if single[0].powers[0] not in data or len(data) < 2:
        return None
    return Expr(((Term(tuple(pair for pair in data if pair != single[0].powers[0])), 1.0),))


def _find_scaled_errors(rest: Polynomial) -> Iterator[Found]:
    """(a − b)²/S + log S and |a − b|/s + log s, with and without the logarithm."""
    for data in list(rest):
        factor = rest.get(data)
        errors = [p for p in data if p[0].kind in ("square", "abs") and p[1] == 1]
        if factor is None or len(errors) != 1 or len(data) > 4:
            continue
        atom = errors[0][0]
        if atom.is_scalar:
            continue
        precision = tuple(pair for pair in data if pair != errors[0])
        if not all(_may_scale(*pair) for pair in precision) or _is_latent(atom):
            continue
        squared = atom.kind == "square"
        base = "squared-error" if squared else "absolute-error"
        del rest[data]
        pieces: tuple[Expr, ...] = _two_sides(atom.parts[0])
        flags: tuple[str, ...] = ()
        if precision:
            spread = power(Expr(((Term(precision), 1.0),)), -1.0)
            flags = ("scaled",)
            if any(inner.kind == "detach" for inner, _ in precision):
                flags = ("optimal",)
            elif any(
                atom in inner.parts[0].atoms()
                for inner, _ in precision
                if inner.kind in ("reduced", "base")
            ):
                continue  # An error over its own mean is a number: its logarithm counts.
            elif _take_logarithm(rest, spread):
                flags = ("learned",)
            pieces = (*pieces, spread)
        yield Found(base, factor, pieces=pieces, flags=flags)


def _may_scale(atom: Atom, exponent: float) -> bool:
    """Whether a factor may be one over a variance; a weight of each image is something else."""
    return atom.kind in ("exp", "name") or exponent < 0


def _is_latent(atom: Atom) -> bool:
    """Whether an error is between latents alone: no reconstruction."""
    names = [inner for inner in atom.parts[0].atoms() if inner.kind == "name"]
    return bool(names) and all("K" in inner.axes for inner in names)


def _take_logarithm(rest: Polynomial, spread: Expr) -> bool:
    """Take any multiple of log(spread) out: a scale that is paid for is a learned one."""
    wanted = [term.powers for term, _ in logarithm(spread).terms if not term.is_scalar]
    found = [data for data in wanted if data in rest]
    for data in found:
        del rest[data]
    return bool(found)


def _two_sides(difference: Expr) -> tuple[Expr, ...]:
    """Return output and target of a difference: what is subtracted from what."""
    plus = make({term: value for term, value in difference.terms if value > 0})
    minus = make({term: -value for term, value in difference.terms if value < 0})
    return (plus, minus)


def _single(data: Powers, factor: float) -> Found:
    """Return a term that stands alone: a known function, or something that is not spelt out."""
    atom, exponent = data[0]
    if len(data) == 1 and exponent == 1:
        if atom.kind in ("bernoulli", "bernoulli-logits", "categorical", "distance"):
            return Found(atom.kind, factor, pieces=(atom.parts[0], atom.parts[1]))
        if atom.kind == "discretised-logistic":
            return Found(atom.kind, factor, text=str(atom.parts[0]))
        if atom.kind == "kl":
            return Found("kl", factor, text="|".join(atom.parts), flags=("by_name",))
        if atom.kind == "log_density":
            return Found(
                "log-likelihood", -factor, text=str(atom.parts[0]), pieces=(atom.parts[1],)
            )
        if atom.kind == "term":
            return Found(f"term:{atom.parts[1]}", factor, text=str(atom.parts[0]))
        if atom.kind == "name":
            return Found("term:name", factor, text=str(atom.parts[0]))
        if atom.kind == "log":
            special = _of_logarithm(atom, factor)
            if special is not None:
                return special
    if atom.kind in ("reduced", "base") and exponent == 0.5 and len(data) == 1:
        return Found("root", factor, pieces=(atom.parts[0],))
    atoms = list(_names(data))
    roles = [str(a.parts[1]) if a.kind == "term" else guess_role(str(a.parts[0])) for a in atoms]
    role = next((r for r in roles if r in ("perceptual", "adversarial")), "unknown")
    return Found(f"term:{role}", factor, text=", ".join(sorted({str(a.parts[0]) for a in atoms})))


def _of_logarithm(atom: Atom, factor: float) -> Found | None:
    """½D·log of the squared error is a Gaussian with its best σ²; log of Δcdf a logistic's bin."""
    inner: Expr = atom.parts[0]
    if sum(a.kind == "sigmoid" for t, _ in inner.terms for a, _ in t.powers) == 2:
        return Found("discretised-logistic", -factor, pieces=(inner,))
    if inner.single is None:
        return None
    term = inner.single[0]
    parts = list(match({tuple(pair for pair in term.powers if not pair[0].is_scalar): 1.0}))
    if len(parts) == 1 and parts[0].kind == "squared-error" and not parts[0].flags:
        return Found(
            "squared-error",
            factor,
            pieces=parts[0].pieces,
            flags=("log_of_error",),
            within=term.summed,
        )
    return None


def _names(data: Powers) -> Iterator[Atom]:
    for atom, _ in data:
        if atom.kind in ("name", "term", "symbol", "noise"):
            yield atom
        for part in atom.parts:
            if isinstance(part, Expr):
                yield from (a for a in part.atoms() if a.kind in ("name", "term", "symbol"))
