"""Codes as tables that other programs read."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np


def codes_table(run: Any, ids: Sequence[int] | None = None) -> dict[str, Any]:
    """Return columns id, class, mean_1 … mean_K and, where there are any, logvar_1 … logvar_K.

    `ids` picks rows by image id, in the run's order; unknown ids are left out.
    """
    codes = run.codes()
    rows = np.arange(len(codes.ids))
    if ids is not None:
        rows = rows[np.isin(codes.ids, np.asarray(list(ids), dtype=np.int64))]
    columns: dict[str, Any] = {"id": np.asarray(codes.ids)[rows]}
    if codes.labels is not None:
        names = run.info.dataset.class_names if run.info.dataset else ()
        labels = np.asarray(codes.labels)[rows]
        columns["class"] = [names[v] if v < len(names) else str(v) for v in labels.tolist()]
    for name, values in (("mean", codes.mean), ("logvar", codes.logvar)):
        if values is not None:
            for k in range(values.shape[1]):
                columns[f"{name}_{k + 1}"] = np.asarray(values)[rows, k]
    return columns


def codes_parquet(run: Any, ids: Sequence[int] | None = None) -> bytes:
    """Return the table of `codes_table` as a Parquet file."""
    import pyarrow
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(codes_table(run, ids)), buffer)
    return buffer.getvalue()
