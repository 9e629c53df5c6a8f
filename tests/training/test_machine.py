"""The machine: spin, device and precision, and one thread or two with the same weights."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from explorer.config import BudgetConfig, Config, ModelConfig, OptimiserConfig
from explorer.errors import ExplorerError
from explorer.models import products
from explorer.training import machine
from explorer.training.machine import (
    ThreadChoice,
    choose_arithmetic,
    choose_device,
    choose_spin_count,
    loading_libraries,
    one_thread,
    threads_agree,
)
from explorer.training.single import SingleEngine

IMAGES = (np.random.default_rng(0).random((1024, 1, 28, 28)) * 255).astype(np.uint8)
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("adapts", "load", "cores", "spins"),
    [
        (True, 0.0, 2, ("10000", "1000")),
        (False, 0.0, 2, ("1000",)),
        (True, 0.0, 8, ("1000",)),
        (True, 1.5, 2, ("0",)),
        (False, 9.0, 8, ("0",)),
    ],
)
def test_only_a_training_that_notices_a_busy_machine_spins_for_long(
    monkeypatch, adapts, load, cores, spins
):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert choose_spin_count(adapts) in spins


def test_the_users_own_spin_count_stands(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    machine.set_spin_count("0")
    assert os.environ["GOMP_SPINCOUNT"] == "7"


def test_bfloat16_is_taken_where_it_was_measured_to_cost_nothing(monkeypatch):
    monkeypatch.setattr(products, "has_bfloat16", lambda: True)

    def arithmetic(matmul_precision="auto", device=CPU, **model):
        optimiser = OptimiserConfig(matmul_precision=matmul_precision)
        config = Config(model=ModelConfig(**{"hidden": (8,), **model}), optimiser=optimiser)
        return choose_arithmetic(config, device)

    assert arithmetic() == "bfloat16"
    assert arithmetic("float32") == "float32"
    assert arithmetic(likelihood="gaussian") == "float32"
    assert arithmetic(device=torch.device("cuda")) == "float32"
    assert arithmetic(network="linear", hidden=()) == "float32"
    assert arithmetic("bfloat16", likelihood="gaussian") == "bfloat16"
    assert arithmetic("bfloat16", precision="float64") == "float64"
    monkeypatch.setattr(products, "has_bfloat16", lambda: False)
    assert arithmetic() == "float32"


def test_a_device_is_chosen_or_told_to_be_absent(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    assert choose_device("auto", "float64").type == "cpu"
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(ExplorerError, match="no cuda device"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ExplorerError, match="no mps device"):
        choose_device("mps")


def live(choice, seconds, cost):
    """Spend `seconds` on updates that take cost(threads) each; return the share on one thread."""
    spent, alone = 0.0, 0.0
    while spent < seconds:
        took = cost(choice.threads)
        spent += took
        alone += took * (choice.threads == 1)
        choice.note(took)
    return alone / spent


def test_it_follows_the_machine(two_threads):
    choice = ThreadChoice(True)
    assert choice.counts == [2, 1]
    assert live(choice, 30, {1: 0.006, 2: 0.004}.get) < 0.1
    # Another process takes the second core, and leaves again.
    assert live(choice, 1.0, {1: 0.007, 2: 0.05}.get) > 0.5
    assert live(choice, 60, {1: 0.007, 2: 0.05}.get) > 0.95
    live(choice, machine.LONGEST_WAIT, {1: 0.006, 2: 0.004}.get)
    assert live(choice, 30, {1: 0.006, 2: 0.004}.get) < 0.1
    choice.restore()
    assert torch.get_num_threads() == 2


def test_a_switch_that_costs_a_moment_does_not_hide_what_is_faster(two_threads):
    choice = ThreadChoice(True)
    choice.use(1)
    spent, alone, before = 0.0, 0.0, 1
    while spent < 20:
        threads = choice.threads
        took = {1: 0.001, 2: 0.0007}[threads] + 0.01 * (threads != before)
        spent, alone, before = spent + took, alone + took * (threads == 1), threads
        choice.note(took)
    assert alone < 0.1 * spent


def test_a_hopeless_trial_ends_with_its_first_update(two_threads):
    choice = ThreadChoice(True)
    choice.use(1)
    trials, spent = [0], 0.0
    while spent < 20:
        took = {1: 0.005, 2: 0.1}[choice.threads]
        if choice.threads == 1:
            trials.append(0)
        trials[-1] += choice.threads == 2
        spent += took
        choice.note(took)
    assert max(trials) == 1 and sum(trials) > 3


@pytest.mark.parametrize(("is_free", "threads"), [(False, 2), (True, 3), (True, 1)])
def test_there_is_a_choice_between_one_and_two_alone(two_threads, is_free, threads):
    torch.set_num_threads(threads)
    choice = ThreadChoice(is_free)
    live(choice, 5, {1: 0.001, 2: 0.1}.get)
    assert choice.counts == [1]
    choice.restore()
    assert torch.get_num_threads() == threads


def test_there_is_none_where_the_weights_might_depend_on_it():
    def agree(arithmetic="bfloat16", device=CPU, batch=128, **model):
        return threads_agree(Config(model=ModelConfig(**model)), arithmetic, device, batch)

    assert agree()
    assert not agree(arithmetic="float32")
    assert not agree(batch=16)
    assert not agree(likelihood="gaussian")
    assert not agree(network="conv", hidden=(8,))
    assert not agree(device=torch.device("cuda"))


def test_one_thread_is_given_back(two_threads):
    with pytest.raises(KeyError), one_thread():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 2


@pytest.mark.skipif(
    not products.has_bfloat16(), reason="This processor does not multiply in bfloat16."
)
@pytest.mark.parametrize(
    "batch_size", [32, *(pytest.param(size, marks=pytest.mark.slow) for size in (128, 512))]
)
def test_the_weights_are_the_same_on_one_thread_and_two(two_threads, batch_size):
    weights = []
    for count in (1, 2):
        torch.set_num_threads(count)
        config = Config(
            model=ModelConfig(hidden=(400,), latent_dim=20),
            optimiser=OptimiserConfig(batch_size=batch_size, matmul_precision="bfloat16"),
            budget=BudgetConfig(steps=20),
        )
        engine = SingleEngine(config, IMAGES, CPU)
        assert engine.threads_agree
        for step in range(20):
            engine.step(step, 20, [1.0])
        weights.append(torch.cat([p.detach().flatten() for p in engine.model.parameters()]))
    assert torch.equal(*weights)


@pytest.mark.skipif(sys.platform != "linux", reason="Faults are counted by Linux.")
def test_an_update_takes_no_fresh_pages():
    """Counted in a process of its own, whose memory no other test has stirred."""
    code = """
import resource
import numpy as np, torch
from explorer.config import Config, ModelConfig
from explorer.training.single import SingleEngine
torch.set_num_threads(1)
images = np.zeros((256, 1, 28, 28), np.uint8)
engine = SingleEngine(Config(model=ModelConfig(hidden=(400,))), images, torch.device("cpu"))
def faults(updates):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for step in range(updates):
        engine.step(step, 100, [1.0])
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / updates
faults(10)
print(faults(30))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert float(answer.stdout) < 30  # Some 300 where memory is given back after each update.


def test_libraries_load_without_a_look_for_garbage_and_are_out_of_sight_then():
    before = gc.get_freeze_count()
    with pytest.raises(ImportError), loading_libraries():
        assert not gc.isenabled()
        kept: list[list[int]] = [[] for _ in range(1000)]
        raise ImportError("A library that is not there.")
    assert gc.isenabled() and gc.get_freeze_count() >= before + len(kept)
    gc.disable()
    with loading_libraries():
        pass
    assert not gc.isenabled(), "what was off stays off"
    gc.enable()
