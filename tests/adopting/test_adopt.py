"""A VAE that was trained elsewhere becomes a run that is what it was."""

import dataclasses

import numpy as np
import pytest
import torch

import explorer
from explorer.adopting import measure
from explorer.analysis.collapse.diagnose import diagnose_run
from explorer.elbo.evaluation import evaluate_elbo
from explorer.errors import ExplorerError
from explorer.export.payload import describe_figures
from explorer.library import Library, find_lack
from explorer.models.adopted.probe import probe
from explorer.runs.run import Run
from tests.helpers import present
from tests.models.adopted.onnx_writer import digits_decoder, digits_encoder
from tests.models.adopted.strangers import adopt_own, shipped, strange_decoder, strange_encoder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def run(tmp_path_factory, root):
    """The digits model in two ONNX files, adopted with the images that it was trained on."""
    folder = tmp_path_factory.mktemp("runs")
    for name, data in (("enc", digits_encoder("std")), ("dec", digits_decoder("minus-one"))):
        (folder / f"{name}.onnx").write_bytes(data)
    return explorer.adopt(
        folder / "stranger",
        encode=folder / "enc.onnx",
        decode=str(folder / "dec.onnx"),
        images="digits",
        likelihood="bernoulli",
        binarise=True,
        name="Stranger",
        data_root=root,
    )


def read(run):
    """Return what a run says of how its model was read."""
    return present(run.info.model.adopted)


def test_its_figures_are_those_of_the_model_that_it_is(run):
    own = explorer.open_run("digits-2d")
    expected = own.info.results["test"]
    assert run.info.best_split == "test"
    assert run.info.best_results["elbo"] == pytest.approx(expected["elbo"], abs=0.05)
    np.testing.assert_allclose(
        run.info.best_results["kl_per_dim"], expected["kl_per_dim"], atol=0.05
    )
    found, stored = present(run.codes()), present(own.codes())
    np.testing.assert_array_equal(found.ids, stored.ids)
    np.testing.assert_array_equal(found.labels, stored.labels)


def test_its_model_opens_from_plain_files_and_gives_the_same_figures(run):
    again = Run(run.path)
    images = explorer.load_dataset("digits").split("test").images
    found = evaluate_elbo(again.model, images, seed=0).to_dict()
    assert found["elbo"] == pytest.approx(run.info.best_results["elbo"], abs=1e-4)
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        "run.json",
        "viewer.json",
        "codes.npz",
        "layers.json",
        "checkpoint.safetensors",
    }


def test_it_says_how_it_was_read_and_what_its_self_test_found(run):
    info = run.info
    assert run.name == "Stranger" and info.status.state == "finished" and info.config is None
    assert (info.model.kind, present(info.model.likelihood).binarise) == ("layers", True)
    assert read(run)["spread"] == "sd" and read(run)["output"] == "signed"
    assert read(run)["report"]["passed"]
    assert info.beta == pytest.approx(1, rel=0.2)  # By its weights alone.


def test_it_has_what_pages_ask_of_a_run(run):
    needs = ("model", "codes", "density", "shares", "map", "images", "ended")
    assert find_lack(run, needs) is None
    assert find_lack(run, ["config"]) == "config"
    assert present(Library(run.path.parent).images_of(run)).name == "digits"
    verdicts = [d.verdict for d in diagnose_run(run, causes=False).dimensions]
    assert verdicts == ["active", "active"]


def test_a_beta_that_is_told_goes_before_the_implied_one(tmp_path, root):
    model, images = shipped("digits-2d")
    run = adopt_own(tmp_path / "run", model, images, beta=2, data_root=root)
    assert run.info.beta == 2 and read(run)["beta"]["implied"]["beta"] < 1.3
    assert describe_figures(run)["implied"] is False


def test_a_beta_that_nobody_told_is_shown_as_read_off_the_weights(run):
    figures = describe_figures(run)
    assert figures["beta"] == run.info.beta and figures["implied"] is True
    assert describe_figures(explorer.open_run("digits-2d"))["implied"] is False


# Images.


@pytest.mark.parametrize("given", ["bytes", "unit", "signed", "tensor", "flat grey"])
def test_arrays_of_any_convention_are_kept_so_that_pages_find_them(given, tmp_path):
    model, images = shipped("digits-2d")
    arrays = {
        "bytes": images,
        "unit": images / np.float32(255),
        "signed": images / np.float32(127.5) - 1,
        "tensor": torch.from_numpy(np.array(images)) / 255,
        "flat grey": images[:, 0],
    }
    labels = np.arange(len(images)) % 3
    run = adopt_own(tmp_path / "mine", model, arrays[given], labels=labels, data_root=tmp_path)
    kept = present(Library(tmp_path, tmp_path).images_of(run))
    np.testing.assert_array_equal(kept.images, images)
    assert run.info.best_split == "all" and kept.name == present(run.info.dataset).name == "mine"
    assert present(run.info.dataset).class_names == ("0", "1", "2")


def test_models_of_the_same_images_name_one_data_set(tmp_path):
    model, images = shipped("digits-2d")
    names = []
    for name in ("first", "second"):
        run = adopt_own(tmp_path / name, model, images, data_root=tmp_path)
        names.append(present(run.info.dataset).name)
    assert names == ["first", "first"]


def test_images_of_another_size_are_kept_as_the_networks_take_them(tmp_path):
    model, images = shipped("strokes-10d")
    small = images[:, :, 2:26, 2:26]
    run = adopt_own(tmp_path / "run", model, small, reading={"fit": "pad"}, data_root=tmp_path)
    kept = present(Library(tmp_path, tmp_path).images_of(run))
    assert run.info.model.shape == kept.shape == (1, 28, 28)
    np.testing.assert_array_equal(kept.images[:, :, 2:26, 2:26], small)


# What cannot be read, or not wholly.


def test_what_no_file_can_hold_leaves_codes_figures_and_pictures(tmp_path):
    model, images = shipped("digits-2d")

    def encode(x):
        return model.encode_parameters(x if x.mean() > -1 else -x)

    with pytest.warns(UserWarning, match="adopt --encoder E --decoder D.*codes and pictures alone"):
        run = explorer.adopt(
            tmp_path / "run",
            encode=encode,
            decode=model.decoder,
            images=images,
            likelihood="bernoulli",
            binarise=True,
            data_root=tmp_path,
        )
    assert not run.info.has_model and find_lack(run, ["codes", "images"]) is None
    assert run.info.best_results["elbo"] == pytest.approx(-23.04, abs=0.1)
    assert len(diagnose_run(run).dimensions) == 2
    (step,) = run.snapshot_steps()
    assert present(run.snapshot(step).reconstructions).shape == (16, 1, 8, 8)


def test_readings_that_fit_alike_are_warned_of_and_kept(tmp_path, root, monkeypatch):
    model, images = shipped("digits-2d")
    given = {
        "encode": strange_encoder(model, spread="log-sd"),
        "decode": strange_decoder(model),
        "images": images,
        "likelihood": "bernoulli",
        "binarise": True,
        "data_root": root,
    }

    def undecided(*pair):
        (fit, *_) = probe(*pair)
        other = dataclasses.replace(fit.reading, spread="log-variance")
        return [fit, dataclasses.replace(fit, reading=other, beta=4 * present(fit.beta))]

    monkeypatch.setattr(measure, "probe", undecided)
    with pytest.warns(UserWarning, match="2 readings .* fit alike: spread log-sd.*β 0.99.*β 4"):
        run = explorer.adopt(tmp_path / "run", **given)
    assert [fit["spread"] for fit in read(run)["also_fits"]] == ["log-variance"]
    with pytest.warns(UserWarning, match="fit alike"):
        run = explorer.adopt(tmp_path / "four", beta=4, **given)
    assert read(run)["spread"] == "log-variance"  # The told β decides.


@pytest.mark.parametrize(
    "beta, implied, asked", [(None, 4.0, True), (4, 4.0, False), (None, None, False)]
)
def test_a_beta_is_asked_for_where_it_would_decide_and_was_not_told(
    beta, implied, asked, tmp_path, root, monkeypatch
):
    model, images = shipped("digits-2d")

    def undecided(*pair):
        (fit, *_) = probe(*pair)
        return [fit, dataclasses.replace(fit, beta=implied)]

    monkeypatch.setattr(measure, "probe", undecided)
    with pytest.warns(UserWarning, match="fit alike") as warned:
        adopt_own(tmp_path / "run", model, images, beta=beta, data_root=root)
    assert ("tell beta, or what you know" in str(warned[0].message)) is asked


def test_what_is_known_of_a_reading_is_taken(tmp_path, root):
    model, images = shipped("digits-2d")
    run = explorer.adopt(
        tmp_path / "run",
        encode=strange_encoder(model, spread="log-sd"),
        images=images,
        decode=strange_decoder(model),
        likelihood="bernoulli",
        binarise=True,
        reading={"spread": "log-variance"},
        data_root=root,
    )
    assert read(run)["spread"] == "log-variance"


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"likelihood": "mse"}, "a squared error is gaussian"),
        ({"likelihood": "gaussian", "sigma2": -1}, "above 0"),
        ({"images": "nowhere"}, "no images 'nowhere'"),
        ({"images": "strokes"}, "takes images|do not fit"),
        ({"reading": {"speed": 3}}, "no 'speed'"),
        ({"reading": "guess"}, "probe"),
        ({"beta": -1}, "weight of KL"),
        ({"decode": torch.nn.Linear(3, 64)}, "takes no code"),
        ({"encode": "gone.onnx"}, "gone.onnx"),
    ],
)
def test_what_is_refused_is_one_sentence_and_leaves_nothing(change, sentence, tmp_path, root):
    model, _ = shipped("digits-2d")
    given = {
        "encode": model.encode_parameters,
        "decode": model.decoder,
        "images": "digits",
        "likelihood": "bernoulli",
        "data_root": root,
    }
    with pytest.raises(ExplorerError, match=sentence):
        explorer.adopt(tmp_path / "run", **(given | change))
    assert list(tmp_path.iterdir()) == []


def test_another_run_is_replaced_only_when_told_and_only_by_a_whole_one(run, root):
    model, images = shipped("digits-2d")
    given = {
        "encode": model.encode_parameters,
        "decode": model.decoder,
        "images": images,
        "data_root": root,
    }
    with pytest.raises(ExplorerError, match="holds another run"):
        explorer.adopt(run.path, likelihood="bernoulli", **given)
    with pytest.raises(ExplorerError):
        explorer.adopt(run.path, likelihood="bernoulli", overwrite=True, **(given | {"decode": 3}))
    assert Run(run.path).name == "Stranger"
