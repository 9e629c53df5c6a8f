"""The parts of a loss as the fields of `Understood`."""

from dataclasses import dataclass, replace

from explorer.analysis.loss.algebra import Atom, Axes, Expr, function_of, of_atom
from explorer.analysis.loss.finders import Found
from explorer.analysis.loss.functions import logarithm
from explorer.analysis.loss.names import guess_role, is_data
from explorer.analysis.loss.render import in_brackets, render
from explorer.analysis.loss.understood import WITHOUT_SCALE, Data, Doubt, Names, Understood
from explorer.analysis.loss.values import BATCH, Layout, NotFollowed
from explorer.analysis.loss.weights import Sizes, Weight, weigh

RECONSTRUCTION_KINDS = (
    "squared-error", "absolute-error", "bernoulli", "bernoulli-logits", "categorical",
    "log-likelihood", "discretised-logistic", "distance", "root",
)  # fmt: skip
OTHERS = ("perceptual", "adversarial", "regulariser")


@dataclass(frozen=True)
class _Term:
    """A part with its weight read: factor, reductions, sizes that are left."""

    found: Found
    weight: Weight
    batch: str
    inner: str
    sizes: Sizes


@dataclass(frozen=True)
class Paste:
    """The paste as a whole: its library, whether a ½ is written and tensors are reshaped."""

    library: str
    halved: bool
    reshaped: bool


def summarise(
    parts: list[Found], doubts: list[Doubt], data: Data, layout: Layout, paste: Paste
) -> Understood:
    """Return the fields that the parts of a loss stand for, with what was not understood."""
    pictures = [f for f in parts if f.kind in RECONSTRUCTION_KINDS]
    divergences = [f for f in parts if f.kind in ("kl", "kl-sampled")]
    picture = _principal(pictures, doubts, "second_reconstruction")
    divergence = _principal(divergences, doubts, "second_kl")
    doubts += _leftovers(parts, picture, divergence)
    found = Understood(library=paste.library, kl="none", kl_weight=0.0)
    if picture is None:
        doubts.append(Doubt("reconstruction_unknown", _named(parts, "reconstruction")))
        found = replace(found, reconstruction="unknown", reconstruction_weight=None)
    else:
        found = _with_reconstruction(found, picture, layout, data, doubts)
    kl_by_name = [f for f in parts if f.kind == "term:kl"]
    if divergence is not None:
        found = _with_kl(found, divergence, layout, data, doubts, paste.halved)
    elif kl_by_name:
        doubts.append(Doubt("kl_unknown", kl_by_name[0].text))
        term = _read(kl_by_name[0], layout.inner("latent"))
        found = replace(
            found,
            kl="unknown",
            kl_weight=_number(term, doubts),
            kl_batch=term.batch,
            kl_sizes=term.sizes,
            annealing=term.weight.annealing,
        )
    elif any(doubt.code == "unknown_term" for doubt in doubts):
        doubts.append(Doubt("kl_unknown"))
        found = replace(found, kl="unknown", kl_weight=1.0)
    names = _names(picture, divergence, paste.library, paste.reshaped)
    if names.invented and (picture or divergence):
        doubts.append(Doubt("names_invented", ", ".join(names.invented)))
    if any("maximised" in f.flags for f in parts):
        doubts.append(Doubt("maximised"))
    if found.annealing == "none" and any(doubt.code == "annealed" for doubt in doubts):
        found = replace(found, annealing="warm-up")
    doubts = [doubt for doubt in doubts if doubt.code != "annealed"]
    return replace(found, names=names, doubts=tuple(dict.fromkeys(doubts)))


def _principal(found: list[Found], doubts: list[Doubt], code: str) -> Found | None:
    """Return the first part of its sort; others of the same weight are told, others doubted."""
    if not found:
        return None
    first, *others = sorted(found, key=_order)
    for other in others:
        alike = (other.kind, other.factor, other.weight, other.summed) == (
            first.kind,
            first.factor,
            first.weight,
            first.summed,
        )
        if alike and code == "second_kl":
            doubts.append(Doubt("several_kl"))
        else:
            doubts.append(Doubt(code, other.text or other.kind))
    return first


def _order(part: Found) -> tuple[bool, int]:
    """Put what compares with the data first, then the more usual kind."""
    kinds = (*RECONSTRUCTION_KINDS, "kl", "kl-sampled")
    return not any(_is_data(piece) for piece in part.pieces), kinds.index(part.kind)


def _leftovers(parts: list[Found], picture: Found | None, kl: Found | None) -> list[Doubt]:
    doubts = []
    for found in parts:
        if not found.kind.startswith("term:"):
            continue
        role = found.kind[5:]
        if role == "name":
            role = "reconstruction" if guess_role(found.text) == "image" else "unknown"
        if role in OTHERS:
            doubts.append(Doubt(role, found.text))
        elif role == "kl" and kl is not None:
            doubts.append(Doubt("second_kl", found.text))
        elif role == "reconstruction" and picture is not None:
            doubts.append(Doubt("second_reconstruction", found.text))
        elif role not in ("kl", "reconstruction"):
            doubts.append(Doubt("unknown_term", found.text))
    return doubts


def _named(parts: list[Found], role: str) -> str:
    kinds = {f"term:{role}", "term:name" if role == "reconstruction" else ""}
    names = [found.text for found in parts if found.kind in kinds]
    return names[0] if names else ""


def _read(found: Found, inner: Axes) -> _Term:
    """Read a part's weight, and which axes it was averaged over."""
    weight = weigh(found.weight, found.factor)
    sizes = dict(weight.sizes)
    opened = found.left
    for axis in (inner | {BATCH}) - found.summed:
        if axis in opened:
            sizes[axis] = sizes.get(axis, 0.0) - 1
    batch = "sum"
    if sizes.get(BATCH) == -1:
        batch = "mean"
        del sizes[BATCH]
    averaged = {axis for axis in inner if sizes.get(axis) == -1}
    how = "sum"
    if inner and averaged == set(inner):
        how = "mean"
    elif averaged == {"C"} and len(inner) > 1:
        how = "channel-mean"
    if how != "sum":
        for axis in averaged:
            del sizes[axis]
    if weight.scale is not None and weight.value is not None and found.kind.startswith("kl"):
        value = weight.value * weight.scale**weight.scale_power
        weight = replace(weight, value=value, scale=None)
    return _Term(found, weight, batch, how, tuple(sorted((a, p) for a, p in sizes.items() if p)))


def _number(term: _Term, doubts: list[Doubt]) -> float | None:
    for name in term.weight.unknown:
        doubts.append(Doubt("weight_unknown", name))
    return term.weight.value


def _with_reconstruction(
    found: Understood, part: Found, layout: Layout, data: Data, doubts: list[Doubt]
) -> Understood:
    kind, halves = _kind_of(part)
    if part.within:
        # ½·log of a mean over these axes is that many times ½·log σ².
        shares = tuple((Atom("size", (axis,)), -1.0) for axis in sorted(part.within))
        part = replace(part, weight=(*part.weight, *shares), summed=part.summed | part.within)
    if kind in ("distance", "root"):
        doubts.append(Doubt("no_likelihood" if kind == "distance" else "root_of_squares"))
        kind = "unknown"
    term = _read(part, layout.inner("image"))
    weight = _number(term, doubts)
    scale = term.weight.scale
    if scale is not None:
        natural = {"squared-error": 2, "absolute-error": 1}.get(kind, 0)
        halves *= scale ** (term.weight.scale_power + natural)
    if scale is not None and kind in WITHOUT_SCALE:
        halves *= 2.0 if kind == "squared-error" else 1.0
        kind = "gaussian" if kind == "squared-error" else "laplace"
    elif kind in ("gaussian", "laplace"):
        doubts.append(Doubt("scale_unknown", _text_of(part.pieces[-1])))
    if weight is not None:
        weight *= halves
    pixels = term.inner
    if weight is not None and pixels == "mean" and abs(weight - data.size) < 1e-9 * data.size:
        weight, pixels = 1.0, "sum"
    if kind == "unknown" or (weight is not None and weight <= 0):
        weight = None
    return replace(
        found,
        reconstruction=kind,
        reconstruction_weight=weight,
        scale=scale if kind in ("gaussian", "laplace") else None,
        reconstruction_batch=term.batch,
        reconstruction_pixels=pixels,
        reconstruction_sizes=term.sizes,
        annealing=_annealed(found, term),
    )


def _kind_of(part: Found) -> tuple[str, float]:
    """Return the reconstruction's kind, and how many of its nats one unit of its factor is."""
    flags = set(part.flags)
    if part.kind == "squared-error":
        if flags & {"optimal", "log_of_error"}:
            return "gaussian-optimal", 2.0
        if flags & {"scaled", "learned"}:
            return "gaussian-learned" if "learned" in flags else "gaussian", 2.0
    if part.kind == "absolute-error" and flags & {"scaled", "learned"}:
        return "laplace-learned" if "learned" in flags else "laplace", 1.0
    return part.kind, 1.0


def _with_kl(
    found: Understood, part: Found, layout: Layout, data: Data, doubts: list[Doubt], halved: bool
) -> Understood:
    term = _read(part, layout.inner("latent"))
    weight = _number(term, doubts)
    kind = part.kind
    if kind == "kl" and weight is not None and not halved:
        kind, weight = "kl-without-half", weight / 2
    if "by_name" in part.flags and term.inner == "mean":
        doubts.append(Doubt("kl_per_dimension", part.text.replace("|", ", ")))
    latents = term.inner
    if weight is not None and latents == "mean" and weight == data.latent_size > 1:
        weight, latents = 1.0, "sum"
    if weight is not None and weight < 0:
        doubts.append(Doubt("kl_negative"))
    of_data = layout.inner("image")
    if len({dict(term.sizes).get(axis, 0.0) for axis in of_data}) > 1:
        doubts.append(Doubt("shapes_unclear"))
    floor = next((f for f in ("free_bits", "capacity") if f in part.flags), "none")
    return replace(
        found,
        kl=kind,
        kl_weight=weight,
        kl_batch=term.batch,
        kl_latents="sum" if latents == "channel-mean" else latents,
        kl_sizes=term.sizes,
        floor=floor,
        annealing=_annealed(found, term),
    )


def _annealed(found: Understood, term: _Term) -> str:
    order = ("none", "warm-up", "cyclical")
    return max(found.annealing, term.weight.annealing, key=order.index)


def _text_of(expr: Expr) -> str:
    return ", ".join(sorted({str(a.parts[0]) for a in expr.atoms() if a.kind == "name"}))


def _is_data(expr: Expr) -> bool:
    return any(atom.kind == "name" and is_data(str(atom.parts[0])) for atom in expr.atoms())


def _names(picture: Found | None, kl: Found | None, library: str, reshaped: bool) -> Names:
    """Return the paste's own code for each tensor; usual names where it has none."""
    names = Names(reshaped=reshaped)
    invented: list[str] = []
    try:
        names = _of_picture(names, picture, library)
    except NotFollowed:
        invented += ["x_hat", "x"]
    try:
        names = _of_divergence(names, kl, library)
    except NotFollowed:
        invented += ["mu", "logvar"]
        variance = render(function_of("exp", of_atom(Atom("name", ("logvar",))), ()), library)
        names = replace(names, mean="mu", variance=variance, log_variance="logvar")
    return replace(names, invented=tuple(invented))


def _of_picture(names: Names, picture: Found | None, library: str) -> Names:
    if picture is None or not picture.pieces:
        raise NotFollowed("reconstruction")
    if picture.kind == "log-likelihood":
        target = render(picture.pieces[0], library)
        return replace(
            names, target=target, batch=_first_name(picture.pieces[0]), likelihood=picture.text
        )
    if picture.kind == "discretised-logistic":
        density = render(picture.pieces[0], library)
        return replace(names, likelihood=density, batch=_first_name(picture.pieces[0]))
    if len(picture.pieces) < 2:
        raise NotFollowed(picture.kind)
    sides = list(picture.pieces[:2])
    if _is_data(sides[0]) and not _is_data(sides[1]):
        sides.reverse()
    output, target = (render(piece, library) for piece in sides)
    names = replace(
        names,
        output=output,
        target=target,
        batch=_first_name(sides[1]),
        soft="soft" in picture.flags,
    )
    if len(picture.pieces) < 3:
        return names
    spread = picture.pieces[2]
    return replace(
        names, scale=render(spread, library), log_scale=render(logarithm(spread), library)
    )


def _of_divergence(names: Names, kl: Found | None, library: str) -> Names:
    if kl is not None and len(kl.pieces) == 2:
        mean, variance = kl.pieces
        return replace(
            names,
            mean=in_brackets(render(mean, library)),
            variance=render(variance, library),
            log_variance=render(logarithm(variance), library),
        )
    if kl is not None and "|" in kl.text:
        posterior, prior = kl.text.split("|")
        sample = render(kl.pieces[0], library) if kl.pieces else "z"
        return replace(names, posterior=posterior, prior=prior, sample=sample)
    raise NotFollowed("kl")


def _first_name(expr: Expr) -> str:
    """Return a tensor's name whose rows are the batch's."""
    names = [str(atom.parts[0]) for atom in expr.atoms() if atom.kind == "name"]
    if not names:
        raise NotFollowed("batch")
    return next((name for name in names if is_data(name)), names[0])
