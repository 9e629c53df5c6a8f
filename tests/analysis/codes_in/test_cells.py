"""AnnData's files, read with h5py: scVI's codes, labels from obs; a sentence without h5py."""

import sys

import numpy as np
import pytest

from explorer.analysis.codes_in.reading import read_any_codes
from explorer.errors import ExplorerError
from tests.analysis.codes_in.makers import make_codes
from tests.helpers import present

MEAN, LOGVAR = make_codes(300, 6, 3)
KINDS = np.arange(300) % 3


def write(path, obsm, obs=(), old=False):
    """Write what AnnData writes of obsm and obs."""
    import h5py

    words = np.array(["B", "NK", "T"], dtype="S")
    with h5py.File(path, "w") as opened:
        for key, value in obsm.items():
            opened.create_dataset(f"obsm/{key}", data=value, compression="gzip")
        if old:
            opened["obs/cell_type"] = KINDS.astype("i1")
            opened["obs/__categories/cell_type"] = words
        else:
            opened["obs/cell_type/codes"] = KINDS.astype("i1")
            opened["obs/cell_type/categories"] = words
        opened["obs/_index"] = np.array([f"AAAC{i}" for i in range(300)], dtype="S")
        for key, value in dict(obs).items():
            opened[f"obs/{key}"] = value
    return path


@pytest.mark.integration
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "names", [("X_latent_qzm", "X_latent_qzv"), ("_scvi_latent_qzm", "_scvi_latent_qzv")]
)
def test_scvi_stores_a_variance(tmp_path, names, old):
    path = write(
        tmp_path / "cells.h5ad",
        {names[0]: MEAN, names[1]: np.exp(LOGVAR), "X_pca": MEAN},
        {"n_counts": np.arange(300.0)},
        old,
    )
    for source in (path, path.read_bytes()):
        codes = read_any_codes(source)
        assert (codes.mean == MEAN).all() and codes.logvar == pytest.approx(LOGVAR, abs=1e-5)
        assert present(codes.spread).claimed == "variance" and codes.told == ()
        assert [codes.class_names[i] for i in present(codes.labels)[:3]] == ["B", "NK", "T"]
        assert (codes.columns["n_counts"] == codes.rows).all()


@pytest.mark.integration
def test_means_alone_come_with_the_line_that_exports_both(tmp_path):
    codes = read_any_codes(write(tmp_path / "cells.h5ad", {"X_scVI": MEAN, "X_umap": MEAN[:, :2]}))
    assert codes.logvar is None and (codes.mean == MEAN).all()
    assert "return_dist=True" in str(codes.told[-1])


@pytest.mark.integration
def test_what_obsm_holds_is_listed(tmp_path):
    path = write(tmp_path / "cells.h5ad", {"X_pca": MEAN, "X_umap": MEAN[:, :2]})
    with pytest.raises(ExplorerError, match=r"X_pca \(300, 6\) float32"):
        read_any_codes(path)
    assert read_any_codes(path, names={"mean": "X_pca"}).mean.shape == (300, 6)


@pytest.mark.integration
def test_links_elsewhere_are_not_followed_and_damage_is_told(tmp_path):
    import h5py

    path = write(tmp_path / "cells.h5ad", {"X_pca": MEAN})
    with h5py.File(path, "a") as opened:
        opened["obsm/X_scVI"] = h5py.ExternalLink("/etc/passwd", "x")
        opened["obsm/X_other"] = h5py.SoftLink("/obsm/none")
    with pytest.raises(ExplorerError, match="it holds X_pca"):
        read_any_codes(path)
    content = path.read_bytes()
    with pytest.raises(ExplorerError, match="damaged"):
        read_any_codes(content[: len(content) // 2], "cells.h5ad")
    with h5py.File(tmp_path / "bomb.h5ad", "w") as opened:
        opened.create_dataset(
            "obsm/X_scVI", (10_000_000, 50), "f4", chunks=(1000, 50), compression="gzip"
        )
    with pytest.raises(ExplorerError, match="never packed so small"):
        read_any_codes(tmp_path / "bomb.h5ad")


def test_without_h5py_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ExplorerError, match="pip install h5py"):
        read_any_codes(b"\x89HDF\r\n\x1a\n" + bytes(100), "cells.h5ad")
