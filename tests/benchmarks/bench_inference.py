"""Analysis against straightforward code: certified posterior, log p(x), diagnosis.

One thread; medians of process time over interleaved rounds, since the machine is shared. The
straightforward versions do the same job with torch.distributions and no caching. The fixed
256 × 256 grid is the usual way, but it certifies nothing (and on MNIST is wrong by nats), so the
certified answers are also compared with a uniform grid fine enough for the same images.
"""

import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal

from explorer.analysis.inference.likelihood import estimate_log_px
from explorer.analysis.inference.posterior_grid import PosteriorGrid, build_grid
from explorer.analysis.representation.information import decompose_rate
from explorer.datasets import load_dataset
from explorer.elbo.encoding import draw_targets
from explorer.models.base import Model
from explorer.runs.store import open_run
from tests.benchmarks.plain import mnist_folder

SAMPLES = 5000
CODES, LATENTS = 10_000, 20


def main(quick: bool = False) -> None:
    """Print one table: seconds per image, ratio to the straightforward version."""
    torch.set_num_threads(1)
    rounds = 3 if quick else 7
    run = open_run("mnist-2d")
    images = load_dataset("mnist", data_root=mnist_folder()).split("test").images[:500]
    x = draw_targets(run.model, np.asarray(images), seed=0)
    start = time.process_time()
    codes = run.model.encode_parameters(x)[0].detach()
    grid = build_grid(run.model, codes)
    print(
        f"grid of mnist-2d, once per model: {time.process_time() - start:.1f} s, "
        f"{len(grid.side)} cells"
    )
    print("| job | ours | straightforward | ratio |\n|---|---|---|---|")
    bench_posterior(run.model, x, grid, rounds)
    bench_log_px(run.model, x, rounds)
    bench_diagnosis(1 if quick else 3)


def bench_posterior(model: Model, x: Tensor, grid: PosteriorGrid, rounds: int) -> None:
    """Certified log p(x), moments and gap per image against grids of fixed spacing."""
    from explorer.analysis.inference.exact import infer_posterior

    ours, plain, certified = [], [], 0
    for number in range(20 * rounds):
        image = x[number : number + 1]
        seconds, found = timed(partial(infer_posterior, model, image, grid))
        ours.append(seconds)
        certified += int(found.certified[0])
        if number < rounds:
            plain.append(timed(partial(plain_grid, model, image, 256))[0])
    text = f"certified posterior, one image ({certified} of {len(ours)} certified)"
    print_row(f"{text}; against a fixed 256² grid, uncertified", ours, plain)
    batch = [timed(lambda: infer_posterior(model, x[:100], grid))[0] / 100]
    print_row("the same, 100 images together, per image", batch, plain)


def bench_log_px(model: Model, x: Tensor, rounds: int) -> None:
    """Importance-weighted log p(x), 5000 samples."""
    ours, plain = [], []
    for number in range(rounds):
        image = x[number : number + 1]
        ours.append(timed(partial(estimate_log_px, model, image, SAMPLES))[0])
        plain.append(timed(partial(plain_log_px, model, image))[0])
    print_row(f"log p(x), {SAMPLES} samples, one image, with ESS and Pareto k̂", ours, plain)


def bench_diagnosis(rounds: int) -> None:
    """The rate's split of 10,000 × 20 codes, the costly part of a diagnosis."""
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 0.9, (CODES, LATENTS))
    logvar = np.log(0.2) + rng.normal(0, 0.4, (CODES, LATENTS))
    ours = [timed(lambda: decompose_rate(mean, logvar))[0] for _ in range(rounds)]
    # A tenth of the codes is scored under all components; the rest would take as long each.
    tenth = CODES // 10
    plain = [10 * timed(lambda: plain_split(mean, logvar, tenth))[0] for _ in range(rounds)]
    print_row(f"diagnose {CODES} × {LATENTS} (plain: extrapolated from a tenth)", ours, plain)


@torch.no_grad()
def plain_grid(model: Model, image: Tensor, size: int) -> float:
    """Return log p(x) on a fixed grid over ±10, decoded anew for each image."""
    axis = torch.linspace(-10, 10, size)
    z = torch.cartesian_prod(axis, axis)
    parts = []
    for chunk in z.split(4096):
        prior = Normal(0.0, 1.0).log_prob(chunk).sum(1)
        parts.append(model.decode(chunk).log_prob(image) + prior)
    return float(torch.logsumexp(torch.cat(parts).double(), 0)) + 2 * math.log(20 / (size - 1))


@torch.no_grad()
def plain_log_px(model: Model, image: Tensor) -> float:
    """Return the importance-weighted log p(x) as papers write it."""
    q = model.encode(image)
    z = q.sample(torch.Size([SAMPLES]))[:, 0]
    prior = Normal(0.0, 1.0).log_prob(z).sum(1)
    log_weights = model.decode(z).log_prob(image) + prior - q.log_prob(z)
    return float(torch.logsumexp(log_weights, 0)) - math.log(SAMPLES)


def plain_split(mean: np.ndarray, logvar: np.ndarray, count: int) -> float:
    """Return the total correlation of `count` codes under all components, all dimensions kept."""
    mu, scale = torch.from_numpy(mean), torch.from_numpy(np.exp(0.5 * logvar))
    z = mu[:count] + scale[:count] * torch.randn(count, mu.shape[1], dtype=mu.dtype)
    joint, marginal = [], []
    for chunk in z.split(20):
        each = Normal(mu, scale).log_prob(chunk[:, None])
        joint.append(each.sum(2).logsumexp(1) - math.log(len(mu)))
        marginal.append((each.logsumexp(1) - math.log(len(mu))).sum(1))
    return float((torch.cat(joint) - torch.cat(marginal)).mean())


def timed(job: Callable[[], Any]) -> tuple[float, Any]:
    """Return the process time of a job in seconds, and its result."""
    start = time.process_time()
    result = job()
    return time.process_time() - start, result


def print_row(job: str, ours: list[float], plain: list[float]) -> None:
    """Print medians in milliseconds and their ratio."""
    a, b = statistics.median(ours), statistics.median(plain)
    print(f"| {job} | {1e3 * a:.0f} ms | {1e3 * b:.0f} ms | {b / a:.1f}× |", flush=True)


if __name__ == "__main__":
    main()
