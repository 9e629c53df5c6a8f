"""The three layouts of a file's codes: plain, with positions, over training steps."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.checks import LARGEST_CODE, LOGVAR_RANGE, Floats
from explorer.analysis.codes_in.arrays import (
    Progress,
    StoredArray,
    Taken,
    choose_items,
    take,
    take_plain,
)
from explorer.analysis.codes_in.axes import (
    Axes,
    ask_for_axes,
    latent_axis,
    lay_out,
    positions_of,
)
from explorer.analysis.codes_in.choosing import LISTED, Chosen
from explorer.analysis.codes_in.gaps import NAMED, Gaps, find_gaps
from explorer.analysis.codes_in.labels import take_labels
from explorer.analysis.codes_in.numbers import list_words, real_numbers
from explorer.analysis.codes_in.result import CodesIn
from explorer.analysis.codes_in.spread import Spread, as_logvar, fit_as_moments, weigh_spread
from explorer.analysis.codes_in.told import Told
from explorer.codes import kl_of_codes
from explorer.errors import ExplorerError

WEIGHED_ITEMS = 20_000
"""Items on which the spread is weighed."""
MOST_COLUMNS, MOST_WORDS = 200, 1000
FACTORS = ("factors", "latents_values", "latents_classes", "attributes", "factor_values")


class Layouts:
    """One file with its arrays chosen, to be read in one of three layouts."""

    def __init__(
        self,
        name: str,
        arrays: Mapping[str, StoredArray],
        chosen: Chosen,
        spread: str | None,
        progress: Progress | None,
    ) -> None:
        self.name, self.arrays, self.chosen, self.spread = name, arrays, chosen, spread
        self.progress = progress
        self.told: list[Told] = list(chosen.told)
        for array in (chosen.mean, chosen.spread, chosen.moments):
            if array is not None and array.bfloat16:
                self.told.append(Told("bfloat16", {"name": array.name}))

    def plain(self) -> CodesIn:
        """Codes (N, K), or moments (N, 2K)."""
        items = self._choose(int(np.prod(self.chosen.first.shape[1:])))
        mean, spread = self._take(items, -1)
        return self._finish(items, mean, spread, "NK", None)

    def grid(self, axes: Axes) -> CodesIn:
        """Codes with positions, each an item of its own or each a dimension."""
        shape = self.chosen.first.shape
        items = self._choose(int(np.prod(shape[1:])))
        mean, spread = self._take(items, axes.latent)
        positions = positions_of(mean.values.shape, axes)
        latents = mean.values.shape[axes.latent]
        values = {
            "axes": axes.letters,
            "items": shape[0],
            "latents": latents,
            "positions": positions,
            "dimensions": latents * positions,
        }
        self.told.append(Told("axes" if axes.per == "channel" else "per_position", values))
        rows = np.repeat(items, positions) if axes.per == "channel" else items
        mean = dataclasses.replace(mean, values=lay_out(mean.values, axes), bad=())
        if spread is not None:
            spread = dataclasses.replace(spread, values=lay_out(spread.values, axes), bad=())
        found = self._finish(rows, mean, spread, axes.letters, axes)
        if axes.per != "channel":
            return found
        sizes = [size for place, size in enumerate(shape) if place not in (0, axes.latent)]
        return dataclasses.replace(found, positions=tuple(sizes))

    def timeline(self) -> CodesIn:
        """Codes over steps (T, N, K): KL at each, the codes of the last."""
        mean, spread, steps = self.chosen.mean, self.chosen.spread, self.chosen.steps
        if mean is None or spread is None:
            raise ExplorerError(
                f"A training needs mean and log-variance (T, N, K); {self.name} lacks one."
            )
        numbers = np.arange(mean.shape[0]) if steps is None else _read_steps(self.name, steps)
        last = np.array([mean.shape[0] - 1])
        taken = [take(array, last) for array in (mean, spread)]
        self._doubt_axes(mean, spread)
        count = mean.shape[1]
        items = choose_items(count, mean.shape[2])
        one, other = (Taken(part.values[0][items], count, mean.shape[2]) for part in taken)
        found = self._finish(items, one, other, "SNK", None, count)
        assert found.spread is not None
        kept = list(found.dimensions)
        kl = np.stack(
            [
                _mean_kl(mu, as_logvar(s, found.spread.used))[kept]
                for mu, s in zip(_each(mean), _each(spread), strict=True)
            ]
        )
        return dataclasses.replace(found, steps=numbers.astype(np.int64), kl_per_dim=kl)

    def ask(self) -> ExplorerError:
        """Return the question which axes are which, with what some items say."""
        array = self.chosen.spread or self.chosen.first
        items = choose_items(array.shape[0], int(np.prod(array.shape[1:])))[:WEIGHED_ITEMS]
        values = take(array, items).values
        values = np.where(np.isfinite(values), values, 0.0)
        telling = values if self.chosen.spread is not None else values**2
        lone = self.chosen.spread is None and self.chosen.moments is None
        return ask_for_axes(
            self.name,
            array.shape,
            telling,
            moments=self.chosen.moments is not None,
            stacked=_find_stacked(values) if lone else None,
        )

    def _choose(self, width: int) -> NDArray[np.int64]:
        count = self.chosen.first.shape[0]
        items = choose_items(count, width)
        if len(items) < count:
            self.told.append(Told("thinned", {"kept": len(items), "count": count}))
        return items

    def _take(self, items: NDArray[np.int64], axis: int) -> tuple[Taken, Taken | None]:
        """Return mean and spread of these items; moments are split along the latents' axis."""
        chosen, progress = self.chosen, self.progress
        halves = 1 if chosen.moments is not None or chosen.spread is None else 2

        def report(done: float, part: int) -> None:
            if progress is not None:
                progress((part + done) / halves)

        first = take(chosen.first, items, lambda done: report(done, 0))
        if chosen.moments is not None:
            values = first.values
            if values.shape[axis] % 2:
                raise ExplorerError(
                    f"{chosen.first.name} has {values.shape[axis]} channels, which do not split "
                    "into mean and spread."
                )
            mean, spread = np.split(values, 2, axis=axis)
            width = first.width // 2
            return Taken(mean, first.count, width), Taken(spread, first.count, width)
        if chosen.spread is None:
            self._doubt_means(first.values, axis)
            return first, None
        return first, take(chosen.spread, items, lambda done: report(done, 1))

    def _doubt_means(self, values: NDArray[np.floating], axis: int) -> None:
        """Told where a lone array looks like means and spreads, one after the other."""
        if values.shape[axis] % 2:
            return
        name = {"name": self.chosen.first.name}
        known = np.where(np.isfinite(values), values, -1.0)
        first, second = np.split(known, 2, axis=axis)
        if second.max() < 0 < first.max():
            self.told.append(Told("maybe_moments", name))
            return
        rows = np.moveaxis(values, axis, -1).reshape(-1, values.shape[axis])
        rows = rows[np.isfinite(rows).all(1)][:WEIGHED_ITEMS]
        if len(rows) and fit_as_moments(*np.split(rows, 2, axis=1)) is not None:
            self.told.append(Told("moments_fit", name))

    def _finish(
        self,
        rows: NDArray[np.int64],
        mean: Taken,
        spread: Taken | None,
        letters: str,
        axes: Axes | None,
        count: int | None = None,
    ) -> CodesIn:
        count = self.chosen.first.shape[0] if count is None else count
        kept_rows, kept, gaps = self._leave_gaps(rows, mean, spread)
        mu = mean.values[kept_rows][:, kept].astype(np.float64)
        if np.abs(mu).max() > LARGEST_CODE:
            raise ExplorerError(f"Posterior means beyond ±{LARGEST_CODE:g} are not supported.")
        judged, logvar = None, None
        if spread is None:
            self._tell_means_alone()
        else:
            raw = spread.values[kept_rows][:, kept].astype(np.float64)
            judged, logvar = self._weigh(mu, raw)
        labels, names = self._labels(rows, count)
        return CodesIn(
            self.name,
            mu,
            logvar,
            rows[kept_rows],
            count,
            tuple(int(i) for i in np.flatnonzero(kept)),
            letters,
            labels=None if labels is None else labels[kept_rows],
            class_names=names,
            columns={key: value[kept_rows] for key, value in self._columns(rows, count).items()},
            spread=judged,
            gaps=gaps,
            found=tuple(str(a) for a in self.arrays.values()),
            told=self._in_order(judged),
        )

    def _leave_gaps(
        self, rows: NDArray[np.int64], mean: Taken, spread: Taken | None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Gaps | None]:
        parts = [mean] if spread is None else [mean, spread]
        bad = np.zeros(mean.values.shape, bool)
        for part in parts:
            bad |= ~np.isfinite(part.values)
        if not bad.any() and not any(part.bad for part in parts):
            size = mean.values.shape
            return np.ones(size[0], bool), np.ones(size[1], bool), None
        kept_rows, kept = find_gaps(bad)
        further = np.unique(rows[~kept_rows])
        values = int(bad.sum())
        if any(part.bad for part in parts):  # Of the whole file, not of what was kept of it.
            further = np.unique(np.concatenate([part.bad_items(kept) for part in parts]))
            values = sum(part.bad_values() for part in parts)
        gaps = Gaps(
            tuple(int(i) for i in np.flatnonzero(~kept)),
            len(further),
            tuple(int(i) for i in further[:NAMED]),
            values,
        )
        if gaps.dimensions or gaps.rows:
            self.told.append(Told("gaps", {"where": gaps.say(len(kept)), **gaps.to_dict()}))
        return kept_rows, kept, gaps

    def _weigh(self, mu: Floats, raw: Floats) -> tuple[Spread, Floats]:
        chosen = self.chosen
        array = chosen.spread or chosen.first
        some = np.linspace(0, len(mu) - 1, min(len(mu), WEIGHED_ITEMS)).astype(int)
        judged = weigh_spread(
            mu[some],
            raw[some],
            chosen.claimed,
            name=array.name,
            source=chosen.source,
            asked=self.spread,
            mean_name=chosen.first.name,
        )
        low, high = LOGVAR_RANGE
        logvar = as_logvar(raw, judged.used)
        if logvar.min() < low or logvar.max() > high:
            raise ExplorerError(
                f"Posterior log-variances must lie between {low:g} and {high:g}; {array.name} as "
                f"{judged.used} gives {logvar.min():.4g} to {logvar.max():.4g}."
            )
        points = int((logvar <= low).sum())
        if points and judged.used in ("std", "variance"):
            self.told.append(Told("zero_spread", {"count": points, "floor": low}))
        return judged, logvar

    def _tell_means_alone(self) -> None:
        self.told.append(Told("means_alone"))
        first = self.chosen.first
        beside = [
            str(array)
            for array in self.arrays.values()
            if array.name not in self.chosen.used
            and array.is_numeric
            and array.shape[:2] == first.shape[:2]
            and len(array.shape) > 1
        ]
        if beside:
            self.told.append(Told("other_arrays", {"names": list_words(beside[:LISTED])}))
        if first.dtype.kind in "iu":
            self.told.append(Told("whole_numbers", {"name": first.name}))
        name = self.chosen.first.name.lower()
        if any(word in name for word in ("scvi", "scanvi", "totalvi", "qzm")):
            self.told.append(Told("export_both"))

    def _labels(
        self, rows: NDArray[np.int64], count: int
    ) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
        if self.chosen.labels is None:
            return None, ()
        items, back = np.unique(rows, return_inverse=True)
        found = take_labels(self.chosen.labels, items, count)
        self.told += found.told
        return (None if found.numbers is None else found.numbers[back]), found.names

    def _columns(self, rows: NDArray[np.int64], count: int) -> dict[str, NDArray[Any]]:
        """Return further values of each item: numbers, or words of not too many kinds."""
        items, back = np.unique(rows, return_inverse=True)
        used = self.chosen.used
        found: dict[str, NDArray[Any]] = {}
        for array in list(self.arrays.values())[:MOST_COLUMNS]:
            one = array.shape == (count,) or array.shape == (count, 1)
            several = array.name.lower() in FACTORS and len(array.shape) == 2
            if array.name in used or array.objects or not array.shape or not (one or several):
                continue
            if array.shape[0] != count or array.dtype.kind not in "fiubUS":
                continue
            try:
                values = take_plain(array, items)[back].reshape(len(rows), -1)
            except ExplorerError:
                continue  # A column that cannot be read does not keep the codes from being judged.
            for place in range(min(values.shape[1], MOST_COLUMNS)):
                key = array.name if one else f"{array.name}[{place}]"
                column = values[:, place]
                if column.dtype.kind in "US" and len(np.unique(column)) > MOST_WORDS:
                    continue
                found[key] = column
        return found

    def _doubt_axes(self, mean: StoredArray, spread: StoredArray) -> None:
        """Told where three axes with steps look like latents and positions."""
        items = choose_items(spread.shape[0], int(np.prod(spread.shape[1:])))
        values = take(spread, items).values
        likely = latent_axis(np.where(np.isfinite(values), values, 0.0))
        if likely == 1:
            self.told.append(Told("axes_doubtful", {"axis": 1, "size": spread.shape[1]}))

    def _in_order(self, spread: Spread | None) -> tuple[Told, ...]:
        """Put what casts doubt on every verdict first."""
        doubt = [] if spread is None or spread.told is None else [spread.told]
        first = [told for told in self.told if told.code == "axes_doubtful"]
        rest = [told for told in self.told if told.code != "axes_doubtful"]
        return (*doubt, *first, *rest)


def _find_stacked(values: NDArray[np.floating]) -> int | None:
    """Return the axis of two along which a mean and its spread lie, None where they do not."""
    for axis in (0, 1):
        if values.shape[axis] == 2:
            parts = np.moveaxis(values, axis, 0)
            mean, spread = (part.reshape(len(part), -1) for part in parts)
            if len(mean) > 2 and fit_as_moments(mean, spread) is not None:
                return axis
    return None


def _mean_kl(mean: NDArray[np.floating], logvar: Floats) -> Floats:
    """Return the KL of each dimension over the items that have it; NaN where none has."""
    kl = kl_of_codes(mean.astype(np.float64), logvar)
    known = np.isfinite(kl)
    total = np.where(known, kl, 0.0).sum(0)
    count = known.sum(0)
    result: Floats = np.where(count, total / np.maximum(count, 1), np.nan)
    return result


def _each(array: StoredArray) -> Iterator[NDArray[np.floating]]:
    """Yield the moments of a training one by one."""
    for block in array.blocks():
        yield from real_numbers(block, array.name)


def _read_steps(name: str, steps: StoredArray) -> NDArray[Any]:
    numbers = take_plain(steps, np.arange(steps.shape[0])) if not steps.objects else np.zeros(0)
    rising = numbers.dtype.kind in "iuf" and bool(np.isfinite(numbers).all()) and len(numbers) > 0
    rising = rising and bool((numbers == np.round(numbers)).all())
    if not rising or (np.diff(numbers) <= 0).any() or numbers[0] < 0:
        raise ExplorerError(f"The steps in {name} must be whole numbers from 0 that rise.")
    return numbers
