"""Which arrays of a file are the mean, the spread, the steps and the labels."""

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.analysis.codes_in.arrays import StoredArray
from explorer.analysis.codes_in.naming import SPREADS, role_of, say_names
from explorer.analysis.codes_in.numbers import list_words
from explorer.analysis.codes_in.told import Told
from explorer.errors import ExplorerError

LISTED = 12
FIRST_CHOICE = ("mean", "mu", "z_mean", "X_latent_qzm", "_scvi_latent_qzm", "X_scVI", "cell_type")
TABLES = ("csv", "parquet")


@dataclass(frozen=True)
class Chosen:
    """The arrays that are used: `spread` is claimed to be `claimed`, by its name or its place.

    `moments` holds both in two halves instead. `told` says what was taken for granted.
    """

    mean: StoredArray | None
    spread: StoredArray | None = None
    claimed: str = "logvar"
    source: str = "name"
    moments: StoredArray | None = None
    steps: StoredArray | None = None
    labels: StoredArray | None = None
    told: tuple[Told, ...] = ()

    @property
    def first(self) -> StoredArray:
        """The array whose axes count."""
        array = self.mean if self.mean is not None else self.moments
        assert array is not None
        return array

    @property
    def used(self) -> set[str]:
        """The names of all that is used."""
        arrays = (self.mean, self.spread, self.moments, self.steps, self.labels)
        return {array.name for array in arrays if array is not None}


def choose_arrays(
    arrays: Mapping[str, StoredArray],
    name: str,
    kind: str,
    names: Mapping[str, str] | None = None,
) -> Chosen:
    """Return the arrays of a file by their roles; ExplorerError, with what was found, if none.

    `names` says which array is the mean, the spread (or logvar, std …), the steps, the labels or
    the moments, where their names do not.
    """
    by_role: dict[str, list[StoredArray]] = {}
    for array in arrays.values():
        role = role_of(array.name)
        if role is not None:
            by_role.setdefault(role, []).append(array)
    for members in by_role.values():
        members.sort(
            key=lambda a: (
                FIRST_CHOICE.index(a.name) if a.name in FIRST_CHOICE else len(FIRST_CHOICE)
            )
        )
    for role, wanted in (names or {}).items():
        if wanted not in arrays:
            raise ExplorerError(f"{name} has no array {wanted!r}; {_found(arrays)}.")
        by_role[role] = [arrays[wanted]]
    labels, steps = _first(by_role, "labels"), _first(by_role, "steps")
    mean = _first(by_role, "mean")
    claims = [role for role in ("spread", *SPREADS) if role in by_role]
    claimed = claims[0] if claims else ""
    spread = _first(by_role, claimed) if claimed else None
    claimed = "logvar" if claimed in ("", "spread") else claimed
    if mean is not None:
        return _checked(Chosen(mean, spread, claimed, "name", None, steps, labels), name)
    moments = _first(by_role, "moments")
    if moments is not None and spread is None:
        told = (Told("halves", {"name": moments.name, "shape": moments.shape}),)
        return _checked(
            Chosen(None, None, "logvar", "position", moments, steps, labels, told), name
        )
    if spread is None:
        chosen = _by_place(arrays, by_role, kind, steps, labels)
        if chosen is not None:
            return _checked(chosen, name)
    usual_mean, usual_spread = say_names()
    missing = f"a mean ({usual_mean})" + ("" if spread is not None else f" and {usual_spread}")
    raise ExplorerError(f"{name} has no array called as {missing} usually is; {_found(arrays)}.")


def _by_place(
    arrays: Mapping[str, StoredArray],
    by_role: Mapping[str, list[StoredArray]],
    kind: str,
    steps: StoredArray | None,
    labels: StoredArray | None,
) -> Chosen | None:
    """Return np.savez(path, mean, logvar) by its order, else a lone array as means."""
    first, second = arrays.get("arr_0"), arrays.get("arr_1")
    if first is not None and second is not None and first.shape == second.shape:
        told = (Told("by_position", {"mean": "arr_0", "spread": "arr_1"}),)
        return Chosen(first, second, "logvar", "position", None, steps, labels, told)
    wide = [array for array in arrays.values() if len(array.shape) > 1 and array.is_numeric]
    lone = wide[0] if len(wide) == 1 and (kind in ("npy", *TABLES) or wide[0] is first) else None
    sample = _first(by_role, "sample")
    array = sample if sample is not None and len(sample.shape) > 1 else lone
    if array is None:
        return None
    told = (Told("sample_or_mean", {"name": array.name}),)
    return Chosen(array, None, "logvar", "name", None, steps, labels, told)


def _checked(chosen: Chosen, name: str) -> Chosen:
    """Refuse arrays that are no numbers, or of two shapes."""
    for array in (chosen.mean, chosen.spread, chosen.moments):
        if array is None:
            continue
        if array.objects:
            raise ExplorerError(
                f"{array.name} in {name} holds Python objects, which are not unpacked; save it as "
                "numbers with .astype(float)."
            )
        if not array.is_numeric:
            raise ExplorerError(f"{array.name} in {name} holds codes that are no real numbers.")
        if 0 in array.shape:
            raise ExplorerError(f"{name} holds no codes: its arrays are empty.")
    mean, spread = chosen.mean, chosen.spread
    if mean is not None and spread is not None and mean.shape != spread.shape:
        raise ExplorerError(
            f"Mean and spread have one shape; in {name} {mean.name} is {mean.shape}, "
            f"{spread.name} {spread.shape}."
        )
    return chosen


def _first(by_role: Mapping[str, list[StoredArray]], role: str) -> StoredArray | None:
    members = by_role.get(role)
    return members[0] if members else None


def _found(arrays: Mapping[str, StoredArray]) -> str:
    listed = [str(array) for array in list(arrays.values())[:LISTED]]
    more = len(arrays) - len(listed)
    return f"it holds {list_words([*listed, *([f'{more} more'] if more else [])])}"
