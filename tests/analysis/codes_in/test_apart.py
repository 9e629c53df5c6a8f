"""Parquet is read in a process of its own, whose death is a sentence."""

import os
import signal
import tempfile
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from explorer.analysis.codes_in import apart, reading
from explorer.errors import ExplorerError


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    columns = {"mu_0": [0.5, 1.5, -2.0], "mu_1": [3.0, 4.0, 5.0], "label": ["a", "b", "c"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "codes.parquet")
    return tmp_path / "codes.parquet"


@pytest.mark.parametrize("as_bytes", [False, True])
def test_the_columns_are_the_tables_and_nothing_stays_behind(table: Path, as_bytes: bool) -> None:
    place = table.read_bytes() if as_bytes else table
    _, arrays = reading.open_arrays(place, "codes.parquet")
    (mean,) = arrays["mu"].blocks()
    (label,) = arrays["label"].blocks()
    assert np.array_equal(mean, [[0.5, 3.0], [1.5, 4.0], [-2.0, 5.0]])
    assert label.tolist() == ["a", "b", "c"]
    assert not list((table.parent / "temporary").iterdir())


def test_a_process_that_dies_is_a_damaged_file(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "MODULE", __name__)
    with pytest.raises(ExplorerError, match=r"codes\.parquet is damaged"):
        reading.open_arrays(table, "codes.parquet")
    assert not list((table.parent / "temporary").iterdir())


def test_too_much_memory_is_a_sentence(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "MEMORY_BYTES", 1)
    with pytest.raises(ExplorerError, match=r"Reading codes\.parquet takes more than"):
        reading.open_arrays(table, "codes.parquet")


if __name__ == "__main__":
    os.kill(os.getpid(), signal.SIGABRT)
