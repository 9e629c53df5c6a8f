"""Training against a plain tutorial loop: images per second, and time to quality on MNIST."""

import dataclasses
import itertools
import statistics
import tempfile
import time

import numpy as np
import torch

from explorer.config import ModelConfig, ObjectiveConfig, OptimiserConfig
from explorer.datasets import load_dataset
from explorer.elbo.evaluation import evaluate_elbo
from explorer.recipes import default_config
from explorer.training.loop import train
from explorer.training.machine import ThreadChoice
from explorer.training.single import SingleEngine
from tests.benchmarks.plain import mnist_folder, plain_elbo, plain_epochs

THREADS = 2
GOALS = {2: -158.0, 20: -104.0}
BUDGETS = (1.5, 2, 2.25, 2.5, 2.75, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 26)
SEEDS = (0, 1, 2)
TEST_IMAGES = 2000


def main(quick: bool = False) -> None:
    torch.set_num_threads(THREADS)
    dataset = load_dataset("mnist", data_root=mnist_folder())
    compare_speed(dataset.split("train").images, rounds=3 if quick else 11)
    if not quick:
        compare_quality(dataset.split("test").images[:TEST_IMAGES])


def compare_speed(images: np.ndarray, rounds: int, seconds: float = 3.0) -> None:
    """Alternate the two loops and print the median of the pairwise ratios."""
    base = default_config("mnist", 20)
    engines = {
        batch: SingleEngine(
            dataclasses.replace(
                base,
                model=ModelConfig(hidden=(400,), latent_dim=20),
                objective=ObjectiveConfig(),
                optimiser=OptimiserConfig(batch_size=batch),
            ),
            images,
            torch.device("cpu"),
        )
        for batch in (128, 512)
    }
    choices = {batch: ThreadChoice(engine.threads_agree) for batch, engine in engines.items()}
    chosen = {batch: choice.threads for batch, choice in choices.items()}
    plain = plain_epochs(20, binarise=False)
    steps = itertools.count()
    rates: dict[str, list[float]] = {"plain loop, batch 128": []}
    for _ in range(rounds):
        rates["plain loop, batch 128"].append(_rate(lambda: next(plain)[1], seconds, 128))
        for batch, engine in engines.items():
            # A training goes on with what it has found out of the machine; so does its next round.
            choice = choices[batch]
            choice.use(chosen[batch])
            rate = _rate(lambda e=engine: e.step(next(steps), 10**6, [1.0]), seconds, batch, choice)
            chosen[batch] = choice.threads
            choice.restore()
            rates.setdefault(f"explorer, batch {batch}", []).append(rate)
    reference = rates["plain loop, batch 128"]
    print(f"784-400-20, Bernoulli, {THREADS} threads, {rounds} interleaved rounds")
    print("| loop | images/s (median) | ratio to the plain loop |")
    print("|---|---|---|")
    for name, values in rates.items():
        ratios = [value / other for value, other in zip(values, reference, strict=True)]
        print(
            f"| {name} | {statistics.median(values):,.0f} | {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}) |"
        )


def _rate(step, seconds: float, batch: int, choice: ThreadChoice | None = None) -> float:
    for _ in range(5):
        step()
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        before = time.perf_counter()
        step()
        if choice is not None:
            choice.note(time.perf_counter() - before)
        count += 1
    return count * batch / (time.perf_counter() - began)


def compare_quality(test: np.ndarray) -> None:
    """Print how long each takes until the test ELBO on binarised MNIST passes the goal.

    Ours: the shortest time budget of a ladder whose finished run passes, logging and snapshots
    included. The plain loop: checked after every tenth of an epoch, checks not counted. Both vary
    from seed to seed, so that several are taken, by turns.
    """
    print(f"\nMedians of {len(SEEDS)} seeds (smallest to largest)")
    print("| latents | goal, nats | explorer, s | plain loop, s | ratio |")
    print("|---|---|---|---|---|")
    for latent_dim, goal in GOALS.items():
        ours, plain = [], []
        for seed in SEEDS:
            ours.append(_our_time(latent_dim, goal, test, seed))
            plain.append(_plain_time(latent_dim, goal, test, seed, limit=60 * ours[-1]))
        ratios = [other / own for own, other in zip(ours, plain, strict=True)]
        cells = " | ".join(_spread(values) for values in (ours, plain, ratios))
        print(f"| {latent_dim} | {goal} | {cells} |", flush=True)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def _our_time(latent_dim: int, goal: float, test: np.ndarray, seed: int) -> float:
    for budget in BUDGETS:
        config = default_config("mnist", latent_dim, float(budget))
        config = dataclasses.replace(config, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            run = train(config, f"{folder}/run", data_root=mnist_folder())
            elbo = float(evaluate_elbo(run.model, test, draws=1).elbo_per_image.mean())
            if elbo >= goal:
                return float(run.info.timing["seconds"])
    raise SystemExit(f"No budget up to {BUDGETS[-1]} s passes {goal} nats on this machine.")


def _plain_time(latent_dim: int, goal: float, test: np.ndarray, seed: int, limit: float) -> float:
    torch.manual_seed(seed)
    spent, began, next_check = 0.0, time.perf_counter(), 6000
    for model, seen in plain_epochs(latent_dim, binarise=True):
        if seen >= next_check:
            spent += time.perf_counter() - began
            if plain_elbo(model, test) >= goal or spent > limit:
                return spent
            next_check += 6000
            began = time.perf_counter()
    raise AssertionError


if __name__ == "__main__":
    main()
