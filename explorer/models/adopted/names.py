"""Weights that are called otherwise in their file than in layers.json: matched by their order.

A layers.json that `adopt` wrote names the weights of its own checkpoint; a state_dict calls them
as its modules are called. Both list them in the order of the network, encoder first.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.limits import MAX_DEPTH, shown
from explorer.models.adopted.layers.schema import SCHEMAS

ROWS = {"linear": 2, "conv": 4, "transposedConv": 4}
"""Axes of the weight of these layers; of any bias there is one."""
STATE_ORDER = ("weight", "bias", "mean", "variance")
"""In which torch saves a layer: parameters first, then the statistics of a batch norm."""
STATISTICS = ".running_mean"


def match_names(described: Any, tensors: Mapping[str, Tensor], file: str) -> dict[str, Tensor]:
    """Return tensors by the names that layers.json asks for; `described` is a part or several.

    As they are where any of them is there by its name, or by its name behind one front that all
    have ("module."). Else by order, where there are as many arrays of as many axes. Raises
    ExplorerError, which says what to do instead.
    """
    wanted: dict[str, int | None] = {}
    for name, axes in _list_wanted(described, 0):
        wanted.setdefault(name, axes)
    if not wanted or any(name in tensors for name in wanted):
        return dict(tensors)
    if front := _find_front(list(wanted), tensors):
        return {name: tensors[front + name] for name in wanted}
    given = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    alike = len(given) == len(wanted) and all(
        axes in (None, tensor.ndim)
        for axes, tensor in zip(wanted.values(), given.values(), strict=True)
    )
    if not alike:
        asked, held = (", ".join(map(shown, list(names)[:3])) for names in (wanted, given))
        folded = len(given) > len(wanted) and any(name.endswith(STATISTICS) for name in given)
        raise ExplorerError(
            f"{file} names its weights otherwise ({held}, …) than layers.json ({asked}, …), and "
            f"they cannot be matched by order ({len(given)} arrays for {len(wanted)}"
            f"{', where batch norms are folded away' if folded else ''}): "
            f"{'adopt it from Python, or ' if folded else ''}give a layers.json with the names of "
            "the state_dict as --layers."
        )
    return dict(zip(wanted, given.values(), strict=True))


def has_names(described: Any, tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether any weight that layers.json asks for is there by its name."""
    return any(name in tensors for name, _ in _list_wanted(described, 0))


def explain_match(described: Any, tensors: Mapping[str, Tensor], file: str) -> str:
    """Return what must be said of weights that were matched by order; "" where names agree."""
    names = [name for name, _ in _list_wanted(described, 0)]
    if not names or any(name in tensors for name in names) or _find_front(names, tensors):
        return ""
    return (
        f"{file} names its weights otherwise than layers.json: they were matched by their order, "
        "which is that of the modules as they were made; look whether the figures are yours."
    )


def _find_front(names: Sequence[str], tensors: Mapping[str, Tensor]) -> str:
    """Return what stands in front of every name in a file; "" where nothing does."""
    fronts = (name.removesuffix(names[0]) for name in tensors if name.endswith(f".{names[0]}"))
    return next((f for f in fronts if all(f + name in tensors for name in names)), "")


def _list_wanted(described: Any, depth: int) -> Iterator[tuple[str, int | None]]:
    """Yield the names of weights in the order of the network, with their axes where known."""
    if depth > 2 * MAX_DEPTH:
        return
    for part in described if isinstance(described, list) else []:
        if isinstance(part, list):
            yield from _list_wanted(part, depth + 1)
        elif isinstance(part, dict):
            kind = part.get("kind")
            schema = SCHEMAS.get(kind) if isinstance(kind, str) else None
            fields = [field.rstrip("?") for field in schema.tensors] if schema else []
            for field in sorted(fields, key=STATE_ORDER.index):
                if isinstance(name := part.get(field), str):
                    yield name, ROWS.get(str(kind)) if field == "weight" else None
            yield from _list_wanted(part.get("branches"), depth + 1)
