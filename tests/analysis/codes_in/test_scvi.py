"""What scVI itself exports is read as it stands: means, variances and kinds of cells."""

import numpy as np
import pytest

from explorer.analysis.codes_in.reading import read_any_codes
from explorer.datasets.torchvision_mend import import_datasets
from tests.helpers import present

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]


def test_codes_of_a_trained_scvi_model(tmp_path):
    import_datasets()  # Lightning imports torchvision too, as it stands.
    import anndata
    import scvi

    kinds = np.array(["B", "T"] * 60)
    rates = np.where(kinds == "B", 2.0, 5.0)[:, None] * np.linspace(0.5, 1.5, 30)
    cells = anndata.AnnData(np.random.default_rng(0).poisson(rates).astype(np.float32))
    cells.obs["cell_type"] = kinds
    scvi.model.SCVI.setup_anndata(cells)
    model = scvi.model.SCVI(cells, n_latent=4, n_hidden=16)
    model.train(max_epochs=2, accelerator="cpu", enable_progress_bar=False, logger=False)
    mean, variance = model.get_latent_representation(return_dist=True)
    cells.obsm["X_latent_qzm"], cells.obsm["X_latent_qzv"] = mean, variance
    cells.write_h5ad(tmp_path / "cells.h5ad")

    codes = read_any_codes(tmp_path / "cells.h5ad")
    np.testing.assert_allclose(codes.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(present(codes.logvar), np.log(variance), atol=1e-5)
    assert [codes.class_names[i] for i in present(codes.labels)] == list(kinds)
