"""The arrays of a run as every page takes them: checked where they are written and where read."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.codes import Array
from explorer.errors import ExplorerError
from explorer.runs.info import RunInfo

LARGEST_NUMBER = 2**31 - 1
"""Of labels and ids: the browser has them as 32-bit numbers."""
LARGEST_ENTRY = 2**16 - 1
"""Of a codebook whose size is not told: its use is counted entry by entry."""
DROPPED = -1
"""In place of an index: a position that was masked or dropped has none."""
PICTURES = ("inputs", "reconstructions", "samples")


def as_floats(value: Any) -> Array:
    """Return an array or a torch tensor, with gradients or not, in double precision."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().double().numpy()
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ExplorerError("These values are not an array of numbers.") from error


def as_number(value: Any, name: str) -> float:
    """Return a figure of one value: a number, or an array or tensor that holds one."""
    numbers = as_floats(value)
    if numbers.size != 1:
        raise ExplorerError(f"{name} is one number; it has the shape {numbers.shape}.")
    return float(numbers.reshape(()))


def mean_over_images(value: Any, name: str) -> float:
    """Return the mean of a figure that is a number or one per image (B,).

    ExplorerError for more than one per image: their mean would be one over pixels too.
    """
    numbers = as_floats(value)
    if numbers.size and numbers.size > max(len(np.atleast_1d(numbers)), 1):
        raise ExplorerError(
            f"{name} is a number or one per image (B,); it has the shape {numbers.shape}: sum it "
            "over all axes but the first."
        )
    return float(numbers.mean()) if numbers.size else float("nan")


def as_array(value: Any) -> Array:
    """Return an array or a torch tensor as an array of its own kind."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # NumPy has no bfloat16.
        value = value.float() if value.is_floating_point() else value
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ExplorerError("These values are not an array.") from error


def halve(values: Array) -> Array:
    """Return half precision, or single where half would overflow."""
    fits = bool((np.abs(values) <= np.finfo(np.float16).max).all())
    return values.astype(np.float16 if fits else np.float32)


def flatten_indices(values: Any) -> Array:
    """Return whole numbers (N, …), an index into a codebook each, as (N, positions)."""
    array = np.atleast_1d(as_array(values))
    if array.dtype.kind == "f" and not bool((array == np.round(array)).all()):
        raise ExplorerError(
            f"Codes of a codebook are whole numbers, an index each; these are {array.dtype} "
            f"{array.shape}. Pass the indices, not the vectors that stand there."
        )
    return array.reshape(len(array), -1) if array.size else array


def tidy_codes(arrays: Mapping[str, Any], info: RunInfo) -> dict[str, Array]:
    """Return the arrays of codes.npz: mean and logvar, or indices; labels; ids.

    mean and logvar (N, K) become real numbers of at most single precision, labels and ids (N,)
    whole numbers. ExplorerError for what is none of that, for no codes, and for labels beyond the
    class names.
    """
    tidy = _tidy_code_arrays(arrays, info)
    count = len(next(iter(tidy.values())))
    if arrays.get("labels") is not None:
        tidy["labels"] = _tidy_labels(arrays["labels"], count, info)
    if "ids" in arrays:
        tidy["ids"] = _as_whole("ids", arrays["ids"], (count,), low=-LARGEST_NUMBER)
    return tidy


def tidy_frame(arrays: Mapping[str, Any], info: RunInfo) -> dict[str, Array]:
    """Return the arrays of a snapshot: codes and labels as above, and pictures as bytes.

    Pictures (M, C, H, W) are uint8; numbers in [0, 1] are brought to that, and grey pictures may
    come as (M, H, W).
    """
    tidy = tidy_codes({name: arrays[name] for name in arrays if name != "ids"}, info)
    for name in PICTURES:
        if arrays.get(name) is not None:
            tidy[name] = _tidy_pictures(name, np.asarray(arrays[name]), info)
    pair = [tidy[name].shape for name in ("inputs", "reconstructions") if name in tidy]
    if len(set(pair)) > 1:
        raise ExplorerError(f"inputs are {pair[0]} and reconstructions {pair[1]}: not one shape.")
    return tidy


def _tidy_code_arrays(arrays: Mapping[str, Any], info: RunInfo) -> dict[str, Array]:
    if info.latent_kind == "categorical":
        most = LARGEST_ENTRY if info.config is None else info.config.model.codebook - 1
        low = DROPPED if info.config is None else 0
        shape = (None, info.latent_dim)
        indices = _as_whole("indices", arrays.get("indices"), shape, low, most)
        if bool((indices == DROPPED).all()):
            raise ExplorerError(f"Every index is {DROPPED}, dropped: there are no codes.")
        kind = np.result_type(*map(np.min_scalar_type, (indices.min(), indices.max())))
        return {"indices": indices.astype(kind)}
    tidy = {"mean": _as_real("mean", arrays.get("mean"), (None, info.latent_dim))}
    if arrays.get("logvar") is not None:
        tidy["logvar"] = _as_real("logvar", arrays["logvar"], tidy["mean"].shape)
    return tidy


def _as_real(name: str, values: Any, shape: tuple[int | None, ...]) -> Array:
    array = _check_shape(name, values, shape)
    if array.dtype.kind not in "fiu":
        raise ExplorerError(f"{name} must be real numbers; it is {array.dtype}.")
    if array.dtype in (np.float16, np.float32):
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _as_whole(
    name: str, values: Any, shape: tuple[int | None, ...], low: int = 0, high: int = LARGEST_NUMBER
) -> Array:
    array = _check_shape(name, values, shape)
    whole = array.dtype.kind in "biu"
    if array.dtype.kind == "f":
        whole = bool(np.isfinite(array).all() and (array == np.round(array)).all())
    if not whole or bool((array < low).any()) or bool((array > high).any()):
        raise ExplorerError(f"{name} must be whole numbers from {low} to {high}.")
    return array.astype(np.int64) if array.dtype.kind in "bf" else array


def _check_shape(name: str, values: Any, shape: tuple[int | None, ...]) -> Array:
    if values is None:
        raise ExplorerError(f"There is no array {name}.")
    array: Array = np.asarray(values)
    sizes = zip(array.shape, shape, strict=False)
    if array.ndim != len(shape) or any(size != wanted for size, wanted in sizes if wanted):
        shown = ", ".join("N" if size is None else str(size) for size in shape)
        shown += "," if len(shape) == 1 else ""
        raise ExplorerError(f"{name} must have the shape ({shown}); it has {array.shape}.")
    if not array.size:
        raise ExplorerError(f"{name} is empty: there are no codes.")
    return array


def _tidy_labels(values: Any, count: int, info: RunInfo) -> Array:
    names = () if info.dataset is None else info.dataset.class_names
    return _as_whole("labels", values, (count,), high=len(names) - 1 if names else LARGEST_NUMBER)


def _tidy_pictures(name: str, array: Array, info: RunInfo) -> Array:
    if array.ndim == 3:
        array = array[:, None]
    if array.ndim != 4 or not array.size:
        raise ExplorerError(f"{name} must be pictures (M, C, H, W); it has shape {array.shape}.")
    if info.dataset is not None and array.shape[1:] != info.dataset.shape:
        raise ExplorerError(
            f"{name} must be pictures of shape {info.dataset.shape}; they are {array.shape[1:]}."
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "bf" or not bool(((array >= 0) & (array <= 1)).all()):
        raise ExplorerError(f"{name} must be uint8, or numbers from 0 to 1; it is {array.dtype}.")
    return np.asarray((255 * array.astype(np.float32)).round(), np.uint8)
