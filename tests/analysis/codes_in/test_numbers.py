"""Arrays of any library, by the protocols that they share."""

import numpy as np
import pytest
import torch

from explorer.analysis.codes_in.numbers import as_numbers
from explorer.errors import ExplorerError

GRID = np.arange(6.0).reshape(3, 2)


class Protocol:
    """An array of a library that is not installed here."""

    def __array__(self, dtype=None, copy=None):
        return GRID


class Dlpack:
    """An array that shares its memory by DLPack alone."""

    def __dlpack__(self, **options):
        return GRID.__dlpack__(**options)

    def __dlpack_device__(self):
        return GRID.__dlpack_device__()


@pytest.mark.parametrize(
    "values",
    [GRID, GRID.tolist(), GRID.astype("f2"), GRID.astype(int), list(GRID), Protocol(), Dlpack(),
     GRID.astype(object), torch.tensor(GRID), torch.tensor(GRID).half(),
     torch.tensor(GRID).bfloat16(), torch.tensor(GRID, requires_grad=True),
     torch.tensor(GRID).to_sparse(), torch.tensor(GRID).int(), list(torch.tensor(GRID)),
     torch.tensor(GRID.T).T, np.ma.masked_array(GRID, mask=False)],
    ids=lambda values: type(values).__name__,
)  # fmt: skip
def test_they_are_the_same_numbers(values):
    found = as_numbers(values)
    assert isinstance(found, np.ndarray) and found.dtype.kind == "f" and found.dtype.itemsize >= 4
    assert found.tolist() == GRID.tolist()


def test_tables_sparse_matrices_and_masks():
    pandas, sparse = pytest.importorskip("pandas"), pytest.importorskip("scipy.sparse")
    assert as_numbers(pandas.DataFrame(GRID)).tolist() == GRID.tolist()
    assert as_numbers(sparse.csr_matrix(GRID)).tolist() == GRID.tolist()
    assert np.isnan(as_numbers(np.ma.masked_array(GRID, mask=GRID == 3))[1, 1])


@pytest.mark.parametrize(
    "values", ["words", [["a", "b"]], GRID + 1j, GRID > 1, object(), None, [[1], [1, 2]], {"a": 1}]
)
def test_what_holds_no_real_numbers_is_one_clear_error(values):
    with pytest.raises(ExplorerError, match="mean"):
        as_numbers(values, "mean")
