"""From a pasted loss to what was understood of it."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

from explorer.analysis.loss.algebra import NO_AXES, Axes, Expr
from explorer.analysis.loss.finders import Found
from explorer.analysis.loss.names import guess_role, is_spread
from explorer.analysis.loss.patterns import find_parts
from explorer.analysis.loss.reader import Reader
from explorer.analysis.loss.source import Source, parse_source
from explorer.analysis.loss.statements import (
    Candidate,
    Returned,
    Statements,
    bind_arguments,
    offer_results,
    run_function,
)
from explorer.analysis.loss.summary import RECONSTRUCTION_KINDS, Paste, summarise
from explorer.analysis.loss.understood import Data, Doubt, Understood
from explorer.analysis.loss.values import (
    BATCH,
    Evidence,
    Function,
    Layout,
    NotFollowed,
    Value,
)
from explorer.errors import ExplorerError

PASSES = 5
ROOTS = ("exp", "sqrt", "pow", "randn_like", "sample")
"""In exp(0.5 * logvar) the half makes a standard deviation and is not the KL's."""


@dataclass(frozen=True)
class _Reading:
    """One pass' result: the parts of the loss that was chosen, and what was seen."""

    parts: list[Found]
    seen: Evidence
    score: int
    doubts: tuple[tuple[str, str], ...] = ()
    rank: int = 0


def read_loss(
    text: str, data: Data | None = None, values: Mapping[str, float] | None = None
) -> Understood:
    """Return what a pasted loss is made of, from its syntax alone: nothing of it is executed.

    `data` tell how many axes the tensors have and which sizes stand in the loss; `values` give
    numbers to names that the paste uses and does not set, such as {"beta": 4.0}. ExplorerError for
    text without Python and for Python without a loss.

    >>> found = read_loss('''
    ... recon = F.mse_loss(x_hat, x, reduction="sum") / len(x)
    ... kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / len(x)
    ... loss = recon + 4 * kl''')
    >>> found.reconstruction, found.kl, found.kl_weight, found.kl_batch, found.kl_latents
    ('squared-error', 'kl', 4.0, 'mean', 'sum')
    """
    data = data or Data()
    source = parse_source(text)
    given = dict(values or {})
    layout = make_layout(data, len(data.shape), len(data.latent_shape), source)
    roles: dict[str, str] = {}
    reading = _follow(source, layout, roles, given)
    for _ in range(PASSES):
        new_roles = _settle_roles(reading, roles, layout)
        ranks, doubts = settle_ranks(reading.seen, data, layout)
        new_layout = make_layout(data, *ranks, source)
        if new_roles == roles and new_layout == layout:
            break
        roles, layout = new_roles, new_layout
        reading = _follow(source, layout, roles, given)
    if not reading.parts:
        raise ExplorerError(
            "No loss was found in this: paste the lines that compute the reconstruction, the KL "
            "and their sum."
        )
    unread = [("not_python", line) for line in source.unread]
    told = [Doubt(*doubt) for doubt in (*reading.doubts, *doubts, *unread)]
    paste = Paste(source.library, is_halved(source), reading.seen.reshaped)
    return summarise(reading.parts, told, data, layout, paste)


def make_layout(data: Data, rank: int, latent_rank: int, source: Source) -> Layout:
    """Return the axes of data of this rank (batch apart) in the paste's library."""
    labels = {1: ["D"], 2: ["H", "W"], 3: ["C", "H", "W"]}[len(data.shape)]
    if source.library != "torch" and len(labels) == 3:
        labels = ["H", "W", "C"]
    latents = ["K", *(f"K{place}" for place in range(2, len(data.latent_shape) + 1))]
    return Layout(_grouped(labels, rank), _grouped(latents, latent_rank))


def _grouped(labels: list[str], rank: int) -> tuple[Axes, ...]:
    """Return the labels on `rank` axes after the batch: together where there are fewer axes."""
    batch = frozenset({BATCH})
    if rank >= len(labels):
        extra = [NO_AXES] * (rank - len(labels))
        return (batch, *extra, *(frozenset({label}) for label in labels))
    if rank == 1:
        return (batch, frozenset(labels))
    head, tail = labels[: rank - 1], labels[rank - 1 :]
    if rank == 2 and labels[0] == "C":  # Images without an axis for their only channel.
        return (batch, frozenset({"C", "H"}), frozenset({"W"}))
    return (batch, *(frozenset({label}) for label in head), frozenset(tail))


def settle_ranks(
    seen: Evidence, data: Data, layout: Layout
) -> tuple[tuple[int, int], list[tuple[str, str]]]:
    """Return how many axes data and latents have, from the axes that the paste names."""
    doubts: list[tuple[str, str]] = []
    found = {"image": len(data.shape), "latent": len(data.latent_shape)}
    for role in found:
        current = len(layout.axes_of(role))
        named = [(p, gone) for r, p, gone in seen.reduced if r == role]
        least = max((max(p, default=0) + gone for p, gone in named), default=0)
        least = max(least, seen.ranks.get(role, 0) - 1)
        flattened = any(_names_only(p, gone) for p, gone in named)
        if least > found[role]:
            found[role] = least
        elif least > 1 and least < found[role] and role == "image":
            whole = any(gone == 0 and max(p, default=0) == 2 for p, gone in named)
            if whole and data.shape[0] == 1 and least == 2:
                found[role] = 2
        elif flattened and least <= 1 and found[role] > 1 and current >= 2:
            found[role] = 1
            doubts.append(("axis_for_all", "pixels" if role == "image" else "latents"))
    return (found["image"], found["latent"]), doubts


def _names_only(positions: tuple[int, ...], gone: int) -> bool:
    """Whether a reduction names the last or the second axis alone, as for flat tensors."""
    return gone == 0 and set(positions) in ({1}, {-1})


def _settle_roles(reading: _Reading, roles: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """Return the roles of names that do not say it themselves, from what they are used with."""
    found = dict(roles)
    latent = {
        name
        for part in reading.parts
        if part.kind.startswith("kl") and part.pieces
        for piece in part.pieces
        for name in _tensor_names(piece)
    }
    image = {
        name
        for part in reading.parts
        if part.kind in RECONSTRUCTION_KINDS
        for piece in part.pieces[:2]
        for name in _tensor_names(piece)
    }
    groups = _merged([*reading.seen.groups, latent, image])
    for group in groups:
        strong = any(guess_role(name) == "image" for name in group)
        if group & latent and not (strong and group & image):
            role = "latent"
        elif strong or group & image:
            role = "image"
        elif any(guess_role(name) == "latent" for name in group):
            role = "latent"
        elif group & reading.seen.arrays:
            role = "image"
        else:
            continue
        for name in group:
            if guess_role(name) not in ("weight", "time"):
                found[name] = role
    if latent:
        # A spread that no KL has is the decoder's; of one number unless it meets pixels.
        found |= {
            name: "spread"
            for name in _spreads(reading.parts) - latent
            if found.get(name, guess_role(name)) == "latent"
        }
    for name in reading.seen.arrays:
        if name not in found and guess_role(name) in (None, "kl", "reconstruction"):
            found[name] = guess_role(name) or "image"
    return found


def _spreads(parts: list[Found]) -> set[str]:
    """Return the spreads among the names of terms that are no KL."""
    texts = {
        name for part in parts if part.kind.startswith("term:") for name in part.text.split(", ")
    }
    pieces = {
        name
        for part in parts
        if part.kind in RECONSTRUCTION_KINDS
        for piece in part.pieces
        for name in _tensor_names(piece)
    }
    return {name for name in texts | pieces if is_spread(name)}


def _tensor_names(expr: Expr) -> set[str]:
    return {str(a.parts[0]) for a in expr.atoms() if a.kind in ("name", "symbol")}


def _merged(groups: list[set[str]]) -> list[set[str]]:
    merged: list[set[str]] = []
    for group in groups:
        apart = []
        joined = set(group)
        for other in merged:
            if other & joined:
                joined |= other
            else:
                apart.append(other)
        merged = [*apart, joined] if joined else apart
    return merged


def _follow(
    source: Source, layout: Layout, roles: Mapping[str, str], given: Mapping[str, float]
) -> _Reading:
    """Follow the whole paste once and choose the value that is its loss."""
    reader = Reader(source, layout, roles, given, run_function)
    block = Statements(reader)
    names: dict[str, Value] = {}
    try:
        block.run(source.tree.body, names)
    except Returned as returned:
        offer_results(block, returned.value)
    best = _best(reader, block.finish(names))
    if best is None or best.score < 6:
        for function in _roots(source):
            reader.seen.doubts, reader.calls = {}, 0
            candidates = _of_function(reader, function)
            other = _best(reader, candidates)
            if other is not None and (best is None or other.score > best.score):
                best = other
    return best or _Reading([], reader.seen, 0)


def _roots(source: Source) -> list[Function]:
    """Return the paste's functions, those that no other calls last and so preferred."""
    called = {
        node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
    }
    order = sorted(source.functions, key=lambda name: name in called)
    return [
        Function(source.functions[name], source.owners[name], name in source.batched)
        for name in order
        if name != "__init__"
    ]


def _of_function(reader: Reader, function: Function) -> list[Candidate]:
    block = Statements(reader)
    names = bind_arguments(reader, function, [], {})
    assert not isinstance(function.node, ast.Lambda)
    try:
        block.run(function.node.body, names)
    except Returned as returned:
        offer_results(block, returned.value)
    except NotFollowed:
        pass
    return block.finish(names)


def _best(reader: Reader, candidates: list[Candidate]) -> _Reading | None:
    """Return the candidate with the most of a loss in it; of equal ones the one meant most."""
    best: _Reading | None = None
    meant: list[Found] = []
    for candidate in candidates:
        try:
            parts = orient(find_parts(reader.expr(candidate.value)))
        except (NotFollowed, ExplorerError, OverflowError, RecursionError):
            continue
        strange = [part for part in parts if part.kind == "term:unknown"]
        if candidate.doubt and strange:
            continue
        if candidate.rank >= 3 and strange:
            meant = strange
        score = 2 * _score(parts) + candidate.rank if parts else 0
        if parts and (best is None or score >= best.score):
            doubts = {
                **reader.seen.doubts,
                **({(candidate.doubt, ""): None} if candidate.doubt else {}),
            }
            best = _Reading(parts, reader.seen, score, tuple(doubts), candidate.rank)
    if best is not None and best.rank < 3 and meant:
        # What is called the loss holds more than could be read: that is not to be passed over.
        best = replace(best, parts=[*best.parts, *meant])
    return best


def _score(parts: list[Found]) -> int:
    reconstruction = any(part.kind in RECONSTRUCTION_KINDS for part in parts)
    kl = any(part.kind in ("kl", "kl-sampled") for part in parts)
    by_name = {part.kind for part in parts}
    return (
        6 * reconstruction
        + 6 * kl
        + 3 * (not reconstruction and bool(by_name & {"term:reconstruction", "term:name"}))
        + 3 * (not kl and "term:kl" in by_name)
        + min(len(by_name & {"term:perceptual", "term:adversarial", "term:regulariser"}), 1)
    )


def orient(parts: list[Found]) -> list[Found]:
    """Return the parts of what is minimised: an ELBO to be maximised is turned round."""

    def worth(sign: float) -> float:
        return sum(
            2.0 if part.kind in RECONSTRUCTION_KINDS or part.kind == "term:reconstruction" else 1.0
            for part in parts
            if part.factor * sign > 0
            and (
                part.kind in RECONSTRUCTION_KINDS
                or part.kind in ("kl", "kl-sampled")
                or part.kind in ("term:kl", "term:reconstruction")
            )
        )

    if worth(-1.0) > worth(1.0):
        return [
            replace(part, factor=-part.factor, flags=(*part.flags, "maximised")) for part in parts
        ]
    return parts


def is_halved(source: Source) -> bool:
    """Return whether a ½ is written that may be the KL's, or a function that has it inside."""
    inside = {
        id(node)
        for call in ast.walk(source.tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).rsplit(".", 1)[-1] in ROOTS
        for part in call.args
        for node in ast.walk(part)
    }
    for node in ast.walk(source.tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.Constant) and node.value == 0.5:
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            below = node.right
            if isinstance(below, ast.Constant) and below.value == 2:
                return True
        if isinstance(node, ast.Attribute) and node.attr in ("kl_divergence", "log_prob", "kl"):
            return True
        if isinstance(node, ast.Name) and node.id == "kl_divergence":
            return True
    return False
