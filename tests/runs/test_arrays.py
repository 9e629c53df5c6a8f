"""Codes, labels and pictures of a run: what a page cannot show is told to who writes it."""

import numpy as np
import pytest
import torch

from explorer.config import Config, ModelConfig
from explorer.errors import ExplorerError
from explorer.runs.arrays import LARGEST_ENTRY, tidy_codes, tidy_frame
from explorer.runs.info import DatasetInfo
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from tests.helpers import begin_run, present

DATASET = DatasetInfo("own", (1, 4, 4), ("cat", "dog"))
MEAN = np.linspace(-1, 1, 12).reshape(6, 2)


@pytest.fixture
def writer(tmp_path):
    return begin_run(tmp_path / "run", dataset=DATASET)


@pytest.mark.parametrize(
    "labels", [[0, 1] * 3, np.array([0.0, 1] * 3), np.array([False, True] * 3)]
)
def test_labels_are_class_numbers(writer, labels):
    writer.save_codes(MEAN, labels=labels)
    found = present(Run(writer.path).codes())
    assert present(found.labels).tolist() == [0, 1] * 3 and present(found.labels).dtype.kind in "iu"
    assert found.ids.tolist() == list(range(6))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["cat", "dog"] * 3, "labels must be whole numbers from 0 to 1"),
        ([0.5] * 6, "whole numbers"),
        ([np.nan] * 6, "whole numbers"),
        ([0, 2] * 3, "from 0 to 1"),
        ([-1] * 6, "from 0 to 1"),
        (np.eye(6), r"labels must have the shape \(6,\); it has \(6, 6\)"),
        ([0, 1], r"shape \(6,\)"),
    ],
)
def test_labels_that_no_page_can_show_are_refused(writer, labels, said):
    for write in (writer.save_codes, lambda *given, **more: writer.snapshot(1, *given, **more)):
        with pytest.raises(ExplorerError, match=said):
            write(MEAN, labels=labels)
    assert Run(writer.path).codes() is None and Run(writer.path).snapshot_steps() == []


@pytest.mark.parametrize(
    ("mean", "logvar", "said"),
    [
        (np.zeros((6, 3)), None, r"mean must have the shape \(N, 2\)"),
        (np.zeros(6), None, r"shape \(N, 2\)"),
        (np.zeros((0, 2)), None, "there are no codes"),
        (MEAN, np.zeros((5, 2)), r"logvar must have the shape \(6, 2\)"),
        ([["a", "b"]], None, "not an array of numbers"),
        ([[1.0], [1.0, 2.0]], None, "not an array of numbers"),
    ],
)
def test_what_is_no_codes_is_refused(writer, mean, logvar, said):
    for write in (writer.save_codes, lambda *given: writer.snapshot(1, *given)):
        with pytest.raises(ExplorerError, match=said):
            write(mean, logvar)


def test_pictures_become_bytes(writer):
    grey = np.linspace(0, 1, 32).reshape(2, 4, 4)
    expected = (255 * grey).round().astype(np.uint8)[:, None]
    for given in (grey, torch.from_numpy(grey[:, None]).requires_grad_(), expected):
        writer.snapshot(1, MEAN, samples=given)
        assert np.array_equal(present(Run(writer.path).snapshot(1).samples), expected)
    writer.snapshot(1, MEAN, samples=torch.ones(2, 1, 4, 4).bfloat16())
    assert (present(Run(writer.path).snapshot(1).samples) == 255).all()


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        (np.zeros((2, 1, 4, 5), np.uint8), r"of shape \(1, 4, 4\); they are \(1, 4, 5\)"),
        (np.zeros((0, 1, 4, 4), np.uint8), "must be pictures"),
        (np.zeros((4, 4), np.uint8), "must be pictures"),
        (np.full((2, 1, 4, 4), 200.0), "numbers from 0 to 1"),
        (np.full((2, 1, 4, 4), np.nan), "numbers from 0 to 1"),
        (np.zeros((2, 1, 4, 4), np.int64), "must be uint8"),
    ],
)
def test_pictures_that_no_page_can_show_are_refused(writer, pictures, said):
    with pytest.raises(ExplorerError, match=said):
        writer.snapshot(1, MEAN, reconstructions=pictures)


def test_inputs_and_reconstructions_are_pairs(writer):
    pictures = np.zeros((3, 1, 4, 4), np.uint8)
    with pytest.raises(ExplorerError, match="not one shape"):
        writer.snapshot(1, MEAN, inputs=pictures, reconstructions=pictures[:2])


def test_entries_are_those_of_the_codebook(tmp_path):
    model = ModelConfig(latent="categorical", network="conv", hidden=(4,), latent_dim=4, codebook=8)
    known = RunWriter(tmp_path / "known", config=Config(model=model)).info
    free = RunWriter(tmp_path / "free", latent_dim=4, latent_kind="categorical").info
    entries = np.array([[0, 1, 2, 7]])
    assert tidy_codes({"indices": entries}, known)["indices"].tolist() == entries.tolist()
    with pytest.raises(ExplorerError, match="from 0 to 7"):
        tidy_codes({"indices": entries + 1}, known)
    assert tidy_frame({"indices": entries + LARGEST_ENTRY - 7}, free)["indices"].max() == 65535
    # A page counts how often each entry is used, also where nobody said how many there are.
    with pytest.raises(ExplorerError, match="from -1 to 65535"):
        tidy_codes({"indices": entries + 2**30}, free)


def test_grids_of_indices_are_flattened_and_dropped_ones_kept(tmp_path):
    grid = torch.arange(24).reshape(2, 3, 4)
    grid[0, 0, 0] = -1
    with RunWriter(tmp_path / "run", latent_dim=12, latent_kind="categorical") as run:
        run.snapshot(1, grid)
        run.save_codes(grid)
        for write in (run.save_codes, lambda codes: run.snapshot(2, codes)):
            with pytest.raises(ExplorerError, match=r"an index each; these are float32 \(2, 64, 3"):
                write(torch.rand(2, 64, 3, 4))
        with pytest.raises(ExplorerError, match=r"shape \(N, 12\); it has \(2, 9\)"):
            run.save_codes(grid[:, :, :3])
        with pytest.raises(ExplorerError, match="from -1 to"):
            run.save_codes(grid - 2)
        with pytest.raises(ExplorerError, match="Every index is -1"):
            run.save_codes(0 * grid - 1)
    expected = [[-1, *range(1, 12)], list(range(12, 24))]
    assert present(present(Run(tmp_path / "run").codes()).indices).tolist() == expected
    assert present(Run(tmp_path / "run").snapshot(1).indices).tolist() == expected


def test_what_lies_on_the_disk_is_checked_like_what_is_written(writer):
    writer.save_codes(MEAN)
    np.savez(writer.path / "codes.npz", mean=MEAN, ids=["a"] * 6)
    with pytest.raises(ExplorerError, match="codes.npz of run run cannot be read: ids must be"):
        Run(writer.path).codes()
    np.savez(writer.path / "codes.npz", mean=MEAN * 1e300)
    assert np.isinf(present(Run(writer.path).codes()).mean).any()
    writer.snapshot(5, MEAN)
    np.savez(writer.path / "snapshots" / "000000005.npz", logvar=MEAN)
    with pytest.raises(ExplorerError, match="000000005.npz of run run cannot be read: .* no array"):
        Run(writer.path).snapshot(5)
