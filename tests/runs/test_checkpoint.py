"""Weights, optimiser and random state: put away and taken back without a trace."""

import dataclasses
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save

from explorer.config import Config, ModelConfig
from explorer.errors import ExplorerError
from explorer.runs.checkpoint import (
    load_model,
    pack_training,
    pack_weights,
    read_checkpoint,
    unpack_training,
)
from explorer.runs.info import DatasetInfo
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from explorer.training.single import SingleEngine
from tests.helpers import present

CONFIG = Config(model=ModelConfig(hidden=(8,)), device="cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (300, 1, 4, 4), dtype=np.uint8)


def an_engine(config=CONFIG, steps=5):
    engine = SingleEngine(config, IMAGES, torch.device("cpu"))
    for step in range(steps):
        engine.step(step, 20, [1.0])
    return engine


def a_run(path, content, config=CONFIG):
    dataset = DatasetInfo("own", (1, 4, 4))
    writer = RunWriter(path, config=config, model_kind="config", dataset=dataset)
    writer.save_checkpoint(content)
    return Run(path)


def weights(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


def pack(engine, **metadata):
    return pack_training(engine.model, engine.optimiser, engine.generator, metadata)


def test_training_goes_on_as_if_nothing_had_happened(tmp_path):
    engine = an_engine()
    run = a_run(tmp_path / "run", pack(engine, step=5, beta=None))
    fresh = an_engine(steps=0)
    content, metadata = read_checkpoint(run)
    unpack_training(content, fresh.model, fresh.optimiser, fresh.generator)
    assert metadata == {"step": 5, "beta": None, "complete": False}
    for step in range(5, 20):
        engine.step(step, 20, [1.0])
        fresh.step(step, 20, [1.0])
    assert torch.equal(weights(engine.model), weights(fresh.model))
    assert torch.equal(engine.generator.get_state(), fresh.generator.get_state())


def test_a_checkpoint_before_the_first_step_is_one_too(tmp_path):
    run = a_run(tmp_path / "run", pack(an_engine(steps=0), step=0))
    fresh = an_engine(steps=0)
    unpack_training(read_checkpoint(run)[0], fresh.model, fresh.optimiser, fresh.generator)
    fresh.step(0, 20, [1.0])
    assert torch.equal(weights(fresh.model), weights(an_engine(steps=1).model))


def test_final_weights_may_be_halved_but_are_read_in_the_models_precision(tmp_path):
    engine = an_engine()
    whole = a_run(tmp_path / "whole", pack_weights(engine.model))
    half = a_run(tmp_path / "half", pack_weights(engine.model, torch.float16))
    assert torch.equal(weights(load_model(whole)), weights(engine.model))
    model = load_model(half)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    torch.testing.assert_close(weights(model), weights(engine.model), rtol=1e-3, atol=1e-6)
    assert read_checkpoint(half)[1] == {"complete": True}
    sizes = [(run.path / "checkpoint.safetensors").stat().st_size for run in (half, whole)]
    assert sizes[0] < sizes[1]


def test_a_fixed_variance_is_the_configs_and_is_never_rounded(tmp_path):
    model_config = dataclasses.replace(CONFIG.model, likelihood="gaussian", sigma2=0.05)
    config = dataclasses.replace(CONFIG, model=model_config)
    content = pack_weights(an_engine(config).model, torch.float16)
    model = load_model(a_run(tmp_path / "run", content, config))
    assert present(model.likelihood.sigma2()).item() == pytest.approx(0.05, rel=1e-6)


def test_a_loaded_model_is_for_looking(tiny_run):
    model = tiny_run.model
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert tiny_run.model is model
    posterior = model.encode(torch.zeros(2, 1, 8, 8))
    assert model.decode(posterior.mean).mean.shape == (2, 1, 8, 8)


def test_an_unfinished_run_has_a_model_too(tmp_path):
    engine = an_engine()
    run = a_run(tmp_path / "run", pack(engine, step=5))
    assert torch.equal(weights(run.model), weights(engine.model))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x08\0\0\0\0\0\0\0{broken}"])
def test_a_broken_file_is_told(tmp_path, content):
    run = a_run(tmp_path / "run", content)
    with pytest.raises(ExplorerError, match="weights of run run cannot be read"):
        load_model(run)


def test_half_a_file_is_told(tiny_run, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ExplorerError, match="cannot be read"):
        load_model(Run(tmp_path / "run"))


def test_a_run_without_weights_is_told(tmp_path):
    RunWriter(
        tmp_path / "run", config=CONFIG, model_kind="config", dataset=DatasetInfo("own", (1, 4, 4))
    )
    with pytest.raises(ExplorerError, match="has no weights"):
        load_model(Run(tmp_path / "run"))


def test_weights_of_another_model_are_told(tmp_path):
    other = dataclasses.replace(CONFIG, model=ModelConfig(hidden=(9,)))
    run = a_run(tmp_path / "run", pack(an_engine(), step=5), other)
    with pytest.raises(ExplorerError, match="do not fit its config"):
        load_model(run)
    engine = an_engine(other, steps=0)
    with pytest.raises(ExplorerError, match="cannot be continued here"):
        unpack_training(read_checkpoint(run)[0], engine.model, engine.optimiser, engine.generator)


@pytest.mark.parametrize("notes", ["[]", "3", "[" * 9000, "{"])
def test_notes_that_are_no_table_are_told(tmp_path, notes):
    content = save({"model.weight": torch.zeros(2)}, {"explorer": notes})
    with pytest.raises(ExplorerError, match="weights of run run cannot be read"):
        read_checkpoint(a_run(tmp_path / "run", content))
