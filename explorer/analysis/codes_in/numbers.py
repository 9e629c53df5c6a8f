"""Tensors of any library as NumPy arrays, by the protocols that they share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import ExplorerError

Array = NDArray[Any]


def as_numbers(values: Any, name: str = "values") -> Array:
    """Return real numbers as a float32 or float64 array, of any library's tensors.

    Torch tensors (bfloat16, on a GPU, sparse or with gradients), JAX, TensorFlow and CuPy arrays,
    pandas columns and tables, SciPy's sparse matrices, masked arrays (masked is NaN) and nested
    lists. ExplorerError, with one sentence, for what holds no real numbers.

    >>> as_numbers([[1, 2], [3, 4]]).dtype
    dtype('float64')
    """
    try:
        array = _as_array(values)
    except ExplorerError:
        raise
    except Exception as error:
        raise ExplorerError(
            f"{name} cannot be read as an array of numbers ({type(values).__name__})."
        ) from error
    return real_numbers(array, name)


def real_numbers(array: Array, name: str = "values") -> Array:
    """Return an array's entries as float32 or float64; bfloat16 by whatever name it has."""
    kind = array.dtype.kind
    if array.ndim == 0:
        raise ExplorerError(f"{name} is a single value; codes are an array.")
    if array.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        return array.astype(np.float32)
    if kind == "V" and array.dtype.itemsize == 2 and array.dtype.names is None:
        return from_bfloat16(array)
    if kind == "f":
        return array.astype(np.float32) if array.dtype.itemsize < 4 else array
    if kind in "iu":
        return array.astype(np.float64)
    if kind == "O":
        return _from_objects(array, name)
    what = {
        "c": "complex numbers",
        "b": "true and false",
        "U": "words",
        "S": "words",
        "M": "dates",
        "m": "times",
    }.get(kind, "no real numbers")
    raise ExplorerError(f"{name} holds {what}; codes are real numbers.")


def from_bfloat16(array: Array) -> Array:
    """Return two-byte voids, as NumPy stores bfloat16, as float32."""
    bits = np.ascontiguousarray(array).view(np.uint16).astype(np.uint32) << 16
    return bits.view(np.float32).reshape(array.shape)


def _as_array(values: Any) -> Array:
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(np.float64), np.nan)
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        return _from_torch(values)
    if hasattr(values, "toarray"):  # SciPy's sparse matrices.
        return np.asarray(values.toarray())
    if hasattr(values, "to_numpy"):  # pandas, polars, pyarrow.
        return np.asarray(values.to_numpy())
    if hasattr(values, "get") and hasattr(values, "__cuda_array_interface__"):
        return np.asarray(values.get())
    if isinstance(values, list | tuple) and values and not np.isscalar(values[0]):
        return np.stack([_as_array(item) for item in values])
    if hasattr(values, "__array__") or not hasattr(values, "__dlpack__"):
        return np.asarray(values)
    return np.from_dlpack(values)


def _from_torch(values: Any) -> Array:
    values = values.detach()
    if str(getattr(values, "layout", "torch.strided")) != "torch.strided":
        values = values.to_dense()
    if getattr(values, "is_quantized", False):
        values = values.dequantize()
    values = values.cpu()
    if str(values.dtype) not in ("torch.float64", "torch.float32", "torch.float16"):
        values = values.double() if not values.is_floating_point() else values.float()
    return np.asarray(values.resolve_conj().resolve_neg().numpy())


def _from_objects(array: Array, name: str) -> Array:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ExplorerError(f"{name} holds Python objects; codes are real numbers.") from error


def say_shape(shape: tuple[int, ...]) -> str:
    """Return a shape as people write it.

    >>> say_shape((450000, 50)), say_shape((3,))
    ('(450,000, 50)', '(3,)')
    """
    inner = ", ".join(f"{size:,}" for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def list_words(words: list[str], last: str = "and") -> str:
    """Return words as a list in a sentence.

    >>> list_words(["mean", "mu", "loc"], "or")
    'mean, mu or loc'
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
