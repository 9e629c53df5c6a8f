"""Parquet and .h5ad are read in a process of its own, whose death is a sentence."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from explorer.analysis.codes_in import apart, reading
from explorer.errors import ExplorerError
from explorer.jobs.process import run_worker


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


def test_columns_are_read_together_by_one_process(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"mu_0": [0.5, 1.5], "mu_1": [3.0, 4.0], "age": [7.0, 8.0], "kind": ["b", "a"]}
    parquet.write_table(pyarrow.table(columns), table)
    jobs = []

    def run(module: str, job: dict[str, Any]) -> Any:
        jobs.append(job["keys"])
        return run_worker(module, job)

    monkeypatch.setattr(apart, "run_worker", run)
    found = reading.read_any_codes(table)
    assert found.columns["age"].tolist() == [7, 8]
    assert found.columns["kind"].tolist() == ["b", "a"]
    assert jobs == [None, ["mu"], ["age", "kind"]]


def test_the_process_loads_what_it_needs_and_no_more() -> None:
    heavy = "'torch', 'pandas', 'sklearn', 'streamlit', 'scipy', 'PIL', 'pyarrow', 'h5py'"
    code = f"import sys, {apart.MODULE}; print(sorted({{{heavy}}} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr


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
