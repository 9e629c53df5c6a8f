"""scvi-tools writes a run through the callback: epochs, film, codes, the last weight of the KL."""

from types import SimpleNamespace

import numpy as np
import pytest

from explorer.callbacks.scvi_run import describe_weight
from explorer.datasets.torchvision_mend import import_datasets
from explorer.runs.check import check_run
from explorer.runs.run import Run
from tests.helpers import present

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]  # Its own.


@pytest.fixture(scope="module", params=["observed", "learned"])
def trained(request, tmp_path_factory):
    """A model of 200 cells after 8 of 40 warm-up epochs, and its run."""
    import_datasets()
    import anndata
    import scvi

    from explorer.callbacks import ScviRun

    generator = np.random.default_rng(0)
    cells = anndata.AnnData(generator.poisson(2.0, (200, 30)).astype(np.float32))
    cells.obs["cell_type"] = generator.choice(["T", "B"], 200)
    scvi.settings.seed = 0
    scvi.model.SCVI.setup_anndata(cells)
    observed = request.param == "observed"
    model = scvi.model.SCVI(cells, n_latent=3, n_hidden=8, use_observed_lib_size=observed)
    folder = tmp_path_factory.mktemp("scvi") / "cells"
    model.train(
        max_epochs=8,
        accelerator="cpu",
        enable_progress_bar=False,
        plan_kwargs={"n_epochs_kl_warmup": 40},
        callbacks=[ScviRun(folder, model, labels="cell_type", every=2)],
    )
    return SimpleNamespace(model=model, run=Run(folder), cells=cells, observed=observed)


def test_the_epochs_are_those_of_scvis_history(trained):
    points, history = trained.run.metrics("train"), trained.model.history
    assert check_run(trained.run.path) == [] and len(points) == 8
    for name, key in (("reconstruction_loss_train", "reconstruction"), ("kl_local_train", "kl")):
        told = history[name].iloc[:, 0].astype(float)
        assert [point[key] for point in points] == pytest.approx(told.tolist(), rel=0.01)
    assert [point["beta"] for point in points] == pytest.approx([epoch / 40 for epoch in range(8)])


def test_the_shares_are_zs_and_left_out_where_the_kl_has_another_part(trained):
    has_shares = ["kl_per_dim" in point for point in trained.run.metrics("train")]
    assert has_shares == [trained.observed] * 8


def test_the_last_weight_of_the_kl_stands_in_the_run(trained):
    info = trained.run.info
    assert info.status.message == "The weight of the KL ended at 0.2: 8 of 40 warm-up epochs."
    assert info.beta == 0.2 and info.status.state == "finished"


def test_codes_labels_and_frames_are_the_models(trained):
    mean, variance = trained.model.get_latent_representation(return_dist=True)
    codes = present(trained.run.codes())
    np.testing.assert_allclose(codes.mean, mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.exp(codes.logvar), variance, rtol=1e-4)
    words = np.array(trained.run.info.dataset.class_names)[codes.labels]
    assert words.tolist() == trained.cells.obs["cell_type"].tolist()
    assert trained.run.snapshot_steps() == [2, 4, 6, 8]


def test_a_warm_up_that_is_over_is_not_spoken_of():
    plan = SimpleNamespace(
        n_epochs_kl_warmup=None, n_steps_kl_warmup=100, current_epoch=9, global_step=100
    )
    assert describe_weight(plan, 1.0) == "The weight of the KL ended at 1."
