"""What engines start from: which images an update sees, and weights that the seed decides."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.config import Config, ModelConfig, OptimiserConfig
from explorer.datasets.rows import Rows
from explorer.training.start import Batches, start_model

CPU = torch.device("cpu")
CONFIG = Config(model=ModelConfig(hidden=(8,)), optimiser=OptimiserConfig(batch_size=30))
NUMBERED = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1).repeat(4, 2).repeat(4, 3)


def test_an_epoch_takes_each_image_at_most_once_in_an_order_of_its_own():
    batches = Batches(CONFIG, NUMBERED, CPU)
    assert (batches.size, batches.per_epoch) == (30, 3)
    epochs = []
    for epoch in range(2):
        seen = [batches.at(3 * epoch + index)[:, 0, 0, 0].tolist() for index in range(3)]
        epochs.append(sum(seen, []))
        assert len(set(epochs[-1])) == 90
    assert epochs[0] != epochs[1]
    # The order follows from the seed and the step alone, not from what was drawn before.
    assert Batches(CONFIG, NUMBERED, CPU).at(4)[:, 0, 0, 0].tolist() == epochs[1][30:60]


@pytest.mark.filterwarnings("error")
def test_images_that_lie_in_a_file_stay_there(tmp_path):
    np.save(tmp_path / "images.npy", NUMBERED)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    batches = Batches(CONFIG, mapped, CPU)
    assert batches.images.data_ptr() == mapped.ctypes.data
    assert torch.equal(batches.at(4), Batches(CONFIG, NUMBERED, CPU).at(4))


def test_images_with_gaps_between_them_are_laid_side_by_side():
    batches = Batches(CONFIG, NUMBERED[::-2], CPU)
    assert sorted(batches.images[:, 0, 0, 0].tolist()) == list(range(1, 100, 2))


def test_few_images_are_one_batch():
    batches = Batches(CONFIG, NUMBERED[:7], CPU)
    assert (batches.size, batches.per_epoch) == (7, 1)
    assert sorted(batches.at(5)[:, 0, 0, 0].tolist()) == list(range(7))


def test_a_batch_that_is_drawn_anew_may_repeat_images_and_moves_no_order():
    batches = Batches(CONFIG, NUMBERED, CPU)
    before = batches.at(0)
    draws = [batches.draw(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert draws[0].shape == (30, 1, 4, 4)
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert torch.equal(batches.at(0), before)


def test_an_untrained_model_puts_out_the_mean_image_and_its_seed_decides_the_rest():
    models = [
        start_model(dataclasses.replace(CONFIG, seed=seed), NUMBERED, CPU)[0] for seed in (0, 0, 1)
    ]
    weights = [model.state_dict()["encoder.1.weight"] for model in models]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    bias, mean = models[0].state_dict()["decoder.2.bias"], NUMBERED.mean() / 255
    assert torch.sigmoid(bias).tolist() == pytest.approx([mean] * 16, abs=0.01)


def test_rows_of_a_split_are_learnt_from_where_they_lie():
    ids = np.random.default_rng(0).permutation(100)[:70].astype(np.int64)
    rows = Rows(NUMBERED, ids)
    batches, copied = Batches(CONFIG, rows, CPU), Batches(CONFIG, NUMBERED[ids], CPU)
    assert batches.images.data_ptr() == NUMBERED.ctypes.data
    for step in range(5):
        assert torch.equal(batches.at(step), copied.at(step))
    order = [torch.Generator().manual_seed(3) for _ in range(2)]
    assert torch.equal(batches.draw(order[0]), copied.draw(order[1]))
    models = [start_model(CONFIG, images, CPU)[0] for images in (rows, NUMBERED[ids])]
    for mine, theirs in zip(*(model.parameters() for model in models), strict=True):
        assert torch.equal(mine, theirs)
