"""A family of β trained together against its members one after the other."""

import itertools
import statistics
import time

import numpy as np
import torch

from explorer.config import BudgetConfig, Config, ModelConfig, OptimiserConfig
from explorer.training.family import FamilyEngine, family_configs
from explorer.training.single import SingleEngine

BETAS = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def main(quick: bool = False) -> None:
    torch.set_num_threads(1)
    images = np.random.default_rng(0).integers(0, 256, (6000, 1, 28, 28), dtype=np.uint8)
    rounds = 3 if quick else 9
    ones = [1.0] * len(BETAS)
    print(f"{len(BETAS)} models, K = 2, Bernoulli, one thread, {rounds} interleaved rounds")
    print("| network | batch | family, images/s | one by one, images/s | ratio |")
    print("|---|---|---|---|---|")
    for hidden, batch in (((128,), 128), ((128, 64), 128), ((128, 64), 256), ((400,), 128)):
        ratios, together, alone = [], [], []
        config = Config(
            dataset="mnist",
            model=ModelConfig(hidden=hidden),
            optimiser=OptimiserConfig(batch_size=batch),
            budget=BudgetConfig(steps=1),
            device="cpu",
        )
        configs = list(family_configs(config, BETAS).values())
        family = FamilyEngine(configs, images, torch.device("cpu"))
        singles = [SingleEngine(member, images, torch.device("cpu")) for member in configs]
        steps = itertools.count()
        turn = itertools.cycle(singles)
        for _ in range(rounds):
            together.append(_rate(lambda f=family, s=steps: f.step(next(s), 10**6, ones), batch))
            alone.append(
                _rate(lambda t=turn, s=steps: next(t).step(next(s), 10**6, [1.0]), batch / 8)
            )
            ratios.append(together[-1] / alone[-1])
        name = "-".join(map(str, (784, *hidden, 2)))
        print(
            f"| {name} | {batch} | {8 * statistics.median(together):,.0f} "
            f"| {8 * statistics.median(alone):,.0f} | {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}) |"
        )


def _rate(step, images: float, seconds: float = 1.0) -> float:
    """Return images per second of CPU time, which other processes do not share."""
    for _ in range(3):
        step()
    count, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        step()
        count += 1
    return count * images / (time.process_time() - began)
