"""Files as other hands write them: tables with their own headers, moments in other orders."""

import numpy as np
import pandas
import pytest
import torch

from explorer.analysis.codes_in.axes import AxesNeeded
from explorer.analysis.codes_in.reading import read_any_codes
from explorer.errors import ExplorerError
from tests.analysis.codes_in.makers import make_codes, save


@pytest.fixture(scope="module")
def codes():
    return make_codes(400, 6, 3)


def told(found):
    return [one.code for one in found.told]


def test_the_header_that_pandas_counts_is_no_item(tmp_path, codes):
    pandas.DataFrame(codes[0]).to_csv(tmp_path / "z.csv", index=False)
    assert read_any_codes(tmp_path / "z.csv").mean == pytest.approx(codes[0], abs=1e-6)


def test_row_names_are_no_column(tmp_path, codes):
    frame = pandas.DataFrame(
        np.hstack(codes), columns=[f"{m}{i}" for m in ("mu", "logvar") for i in range(6)]
    )
    frame.to_csv(tmp_path / "a.csv")
    frame.assign(**{"Unnamed: 0": range(400)}).to_csv(tmp_path / "b.csv", index=False)
    frame.set_index(pandas.Index([f"cell-{i}" for i in range(400)])).to_parquet(
        tmp_path / "c.parquet"
    )
    for name in ("a.csv", "b.csv", "c.parquet"):
        found = read_any_codes(tmp_path / name)
        assert found.columns == {} and found.mean == pytest.approx(codes[0], abs=1e-6)


@pytest.mark.parametrize("header", ["", ",".join(f"mu{i}" for i in range(6))])
def test_numpys_text_is_read(tmp_path, codes, header):
    np.savetxt(tmp_path / "z.txt", codes[0], delimiter="," if header else " ", header=header)
    assert read_any_codes(tmp_path / "z.txt").mean == pytest.approx(codes[0], abs=1e-6)


def test_dimensions_may_be_counted_before_the_moment(tmp_path, codes):
    columns = [f"z{i}_mean" for i in range(6)] + [f"z{i}_logvar" for i in range(6)]
    frame = pandas.DataFrame(np.hstack(codes), columns=columns).assign(top_50_genes=1.5)
    frame.to_csv(tmp_path / "z.csv", index=False)
    found = read_any_codes(tmp_path / "z.csv")
    assert found.mean == pytest.approx(codes[0], abs=1e-6)
    assert found.logvar == pytest.approx(codes[1], abs=1e-6) and set(found.columns) == {
        "top_50_genes"
    }


@pytest.mark.parametrize("name, spread", [("logvar", np.asarray), ("std", lambda v: np.exp(v / 2)),
                                          ("variance", np.exp)])  # fmt: skip
def test_exchanged_moments_are_told_first(tmp_path, codes, name, spread):
    mean, logvar = codes
    found = read_any_codes(save(tmp_path / "x.npz", mean=spread(logvar), **{name: mean}))
    assert told(found)[0] == "exchanged"
    found = read_any_codes(save(tmp_path / "y.npz", mean=mean, **{name: spread(logvar)}))
    assert told(found) == []


def test_codes_of_no_optimum_are_not_called_exchanged(tmp_path):
    rng = np.random.default_rng(0)
    for scale, level in ((5.0, -6.0), (0.01, -2.0), (0.01, 0.5)):
        mean, logvar = scale * rng.normal(size=(400, 6)), level + 0.05 * rng.normal(size=(400, 6))
        assert "exchanged" not in told(
            read_any_codes(save(tmp_path / "x.npz", mean=mean, logvar=logvar))
        )


def test_both_moments_in_a_lone_array_are_told_where_some_dimensions_sleep(tmp_path, codes):
    np.save(tmp_path / "z.npy", np.hstack(codes))
    assert "moments_fit" in told(read_any_codes(tmp_path / "z.npy"))
    np.save(tmp_path / "z.npy", np.random.default_rng(0).normal(size=(400, 12)))
    assert "moments_fit" not in told(read_any_codes(tmp_path / "z.npy"))


@pytest.mark.parametrize("axis", [0, 1])
def test_stacked_moments_are_recognised_when_the_axes_are_asked(tmp_path, codes, axis):
    path = save(tmp_path / "z.npz", latents=np.stack(codes, axis))
    with pytest.raises(AxesNeeded, match=f"along axis {axis} fit as mean and spread"):
        read_any_codes(path)


def test_the_question_of_moments_counts_half_the_channels(tmp_path):
    path = save(tmp_path / "z.npz", moments=np.zeros((20, 8, 5, 5)))
    with pytest.raises(AxesNeeded, match="NCHW for 20 items of 4 latents at 25 positions"):
        read_any_codes(path)


def test_what_is_not_used_beside_means_is_named(tmp_path, codes):
    path = save(tmp_path / "z.npz", mu=codes[0], precision=np.exp(-codes[1]), age=np.arange(400))
    found = read_any_codes(path)
    assert told(found) == ["means_alone", "other_arrays"]
    assert "precision (400, 6)" in str(found.told[1]) and "age" not in str(found.told[1])


def test_whole_numbers_may_be_indices_into_a_codebook(tmp_path):
    path = save(tmp_path / "z.npz", codes=np.arange(4900).reshape(100, 49) % 512)
    assert "whole_numbers" in told(read_any_codes(path))


def test_heads_by_their_layers_names_and_one_hot_labels(tmp_path, codes):
    path = save(
        tmp_path / "z.npz", fc_mu=codes[0], fc_var=codes[1], y_onehot=np.eye(4)[np.arange(400) % 4]
    )
    found = read_any_codes(path)
    assert (found.mean == codes[0]).all() and len(found.class_names) == 4
    assert found.logvar == pytest.approx(codes[1]) and told(found) == [
        "spread_impossible",
        "labels_one_hot",
    ]


def test_what_torch_saves_is_named(tmp_path):
    torch.save({"mu": torch.zeros(3, 2)}, tmp_path / "z.pt")
    with pytest.raises(ExplorerError, match=r"torch\.save writes"):
        read_any_codes(tmp_path / "z.pt")
