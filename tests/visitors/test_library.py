"""Nobody's run is seen, changed or trained on by another, and everybody keeps to the limits."""

import dataclasses

import numpy as np
import pytest

from explorer.config import BudgetConfig, Config, ModelConfig
from explorer.datasets import ImageDataset
from explorer.datasets.own.store import keep_images
from explorer.errors import ExplorerError
from explorer.models import build_model
from explorer.visitors.library import count_parameters, measure_bytes
from explorer.visitors.passes import LECTURER, Visitor

ANNA, BELA = Visitor("a" * 32), Visitor("b" * 32)
LECTURES = Visitor(LECTURER, LECTURER)
SHORT = Config(model=ModelConfig(hidden=(8,)), budget=BudgetConfig(seconds=5), device="cpu")


def some_images(name):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    return ImageDataset(name, pixels)


def test_each_sees_the_shipped_runs_and_their_own(house, own_run):
    anna, bela = house.library(ANNA), house.library(BELA)
    own_run(anna)
    assert [run.id for run in anna.runs() if anna.is_own(run)] == ["secret"]
    assert [run.id for run in bela.runs() if bela.is_own(run)] == []
    assert "mnist-2d" in {run.id for run in bela.runs()}
    assert "secret" not in {run.id for run in house.library(LECTURES).runs()}


@pytest.mark.parametrize(
    "guess",
    [
        "secret", "../../{id}/runs/secret", "{id}/secret", "{id}/runs/secret", ".visitors/of",
        "../secret", "runs/secret", "/{home}/runs/secret",
    ],
)  # fmt: skip
def test_anothers_run_is_opened_by_no_name(house, own_run, guess):
    run = own_run(house.library(ANNA))
    named = guess.format(id=ANNA.id, home=run.path.parents[1])
    for visitor in (BELA, LECTURES):
        with pytest.raises(ExplorerError):
            house.library(visitor).find(named)
        with pytest.raises(ExplorerError):
            house.library(visitor).own.delete(named)


def test_anothers_run_is_neither_named_nor_trained_on(house, own_run):
    run = own_run(house.library(ANNA))
    bela = house.library(BELA)
    with pytest.raises(ExplorerError, match="seen by all"):
        bela.describe(run, "mine", [])
    with pytest.raises(ExplorerError, match="seen by all"):
        bela.start(SHORT, path=run.path)
    with pytest.raises(ExplorerError, match="seen by all"):
        bela.submit_family({"a": SHORT}, run.path.parent / "family")


def test_a_shipped_run_is_named_by_nobody(house):
    anna = house.library(ANNA)
    shipped = anna.find("digits-2d")
    with pytest.raises(ExplorerError, match="seen by all"):
        anna.describe(shipped, "mine", [])


def test_own_runs_are_named_and_deleted(house, own_run):
    anna = house.library(ANNA)
    anna.describe(own_run(anna), "new", ["tag"])
    assert (anna.find("secret").name, anna.find("secret").tags) == ("new", ("tag",))
    anna.own.delete("secret")
    assert not anna.own.has("secret")


def test_own_images_are_seen_by_their_owner_alone(house):
    anna, bela = house.library(ANNA), house.library(BELA)
    keep_images(some_images("pets"), "pets", data_root=anna.data_root)
    keep_images(some_images("operators"), "operators")
    assert [own.name for own in anna.own_sets()] == ["pets"]
    assert bela.own_sets() == []
    for library, name in ((bela, "pets"), (anna, "operators"), (bela, "operators")):
        for ask in (library.images, library.image_shape, library.remove_images):
            with pytest.raises(ExplorerError, match="no data set"):
                ask(name)
        with pytest.raises(ExplorerError, match="no data set"):
            library.start(dataclasses.replace(SHORT, dataset=name))
    assert anna.images("pets").shape == (1, 8, 8)
    anna.remove_images("pets")
    assert anna.own_sets() == []


def test_uploads_of_two_wait_apart(house):
    assert house.library(ANNA).readings is not house.library(BELA).readings
    assert house.library(ANNA).readings is house.library(ANNA).readings


def test_nothing_is_downloaded_for_visitors(house):
    anna = house.library(ANNA)
    assert anna.absent_sets() == []
    with pytest.raises(ExplorerError, match="downloads no data sets"):
        anna.download("mnist")


def test_a_training_waits_in_the_visitors_own_folder(house):
    anna, bela = house.library(ANNA), house.library(BELA)
    run = anna.start(SHORT, "mine")
    assert anna.find(run.id).name == "mine"
    assert run.path.is_relative_to(house.home / "of" / ANNA.id / "runs")
    assert run.id not in {other.id for other in bela.runs()}


@pytest.mark.parametrize(
    ("limits", "config", "reason"),
    [
        ({"seconds": 4}, SHORT, "may take 4 seconds"),
        ({"parameters": 100}, SHORT, "may have 100 parameters"),
        ({"megabytes": 1e-9}, SHORT, "may take"),
    ],
)
def test_what_is_over_a_limit_is_one_sentence(open_house, own_run, limits, config, reason):
    anna = open_house(**limits).library(ANNA)
    own_run(anna)
    with pytest.raises(ExplorerError, match=reason):
        anna.start(config)


def test_so_many_trainings_and_runs_and_no_more(open_house):
    anna = open_house(waiting=1).library(ANNA)
    anna.start(SHORT)
    with pytest.raises(ExplorerError, match="1 trainings here at a time"):
        anna.start(SHORT)
    bela = open_house(runs=1).library(BELA)
    bela.start(SHORT)
    with pytest.raises(ExplorerError, match="keep 1 runs"):
        bela.start(SHORT)


def test_what_is_over_a_limit_is_counted(open_house):
    house = open_house(waiting=1, upload_megabytes=1)
    anna = house.library(ANNA)
    for _ in range(2):
        with pytest.raises(ExplorerError):
            anna.admit_upload(2_000_000)
    assert house.refused == 2
    with pytest.raises(ExplorerError):
        anna.images("another's")
    assert house.refused == 2, "a wrong name is over no limit"


def test_an_upload_has_to_be_allowed_and_small(open_house):
    house = open_house(upload_megabytes=1)
    house.library(ANNA).admit_upload(10**6)
    with pytest.raises(ExplorerError, match="may have 1 MB"):
        house.library(ANNA).admit_upload(10**6 + 1)
    house.mode = dataclasses.replace(house.mode, uploads=False)
    with pytest.raises(ExplorerError, match="takes no files"):
        house.library(ANNA).admit_upload(1)


def test_the_lecturer_has_no_limits_and_the_servers_own_runs(open_house, own_run):
    house = open_house(runs=1, waiting=1, seconds=1, megabytes=1e-9)
    lecturer = house.library(LECTURES)
    own_run(lecturer, "prepared")
    assert lecturer.own.folder == house.folder
    assert [run.id for run in lecturer.runs() if lecturer.is_own(run)] == ["prepared"]
    lecturer.start(SHORT)
    lecturer.start(SHORT)


def test_weights_are_counted_without_being_made():
    model = build_model(SHORT.model, (1, 8, 8))
    assert count_parameters(SHORT, (1, 8, 8)) == sum(w.numel() for w in model.parameters())
    # Two layers of 4,096 × 4,096 in the encoder, two in the decoder, and what joins them.
    large = dataclasses.replace(SHORT, model=ModelConfig(hidden=(4096, 4096)))
    assert count_parameters(large, (1, 64, 64)) > 4 * 4096**2


def test_a_folder_is_as_large_as_its_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "deep" / "b").write_bytes(bytes(5))
    assert measure_bytes(tmp_path) == 15 and measure_bytes(tmp_path / "nowhere") == 0
