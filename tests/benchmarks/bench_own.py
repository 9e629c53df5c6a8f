"""Decoders of 64 × 64 pictures in colour under the hand: by the page, a worker, the server.

Pictures a second while the pointer moves at 60 Hz, and while nothing else is asked. Rates are given
beside the page's own frames: on two cores the browser paints in software beside the worker.
"""

import tempfile
from pathlib import Path
from typing import Any

from explorer.config import BudgetConfig, Config, ModelConfig
from explorer.export.networks import count_multiply_adds
from explorer.export.page import wrap_payload
from explorer.export.payload import build_payload
from explorer.text import sentences
from tests.benchmarks.bench_map import FRAMES, browser, make_run, open_page, served
from tests.browser.conftest import Server
from tests.browser.explore_page import MAP

SHAPE = (3, 64, 64)
SECONDS = 4.0
APP = "document.querySelector('#explorer').explorer"
DECODERS = {
    (16, 32, 64): "≥ 30",
    (32, 64, 64, 64): "≥ 30",
    (32, 64, 128, 256): "≥ 15",
}
"""Filters of the encoder, mirrored by the decoder, and the rate to reach."""


def make_config(hidden: tuple[int, ...]) -> ModelConfig:
    """A convolutional model of coloured pictures with six latents."""
    return ModelConfig(
        network="conv",
        hidden=hidden,
        latent_dim=6,
        likelihood="gaussian",
        binarise=False,
    )


def measure_pages(chromium: Any, seconds: float) -> None:
    """Hover over pages of decoders of several sizes, each in a file of its own."""
    runs = {hidden: make_run(make_config(hidden), 2000, SHAPE) for hidden in DECODERS}
    pages = {
        f"{len(hidden)}-{hidden[-1]}.html": wrap_payload(
            build_payload(run, None, sentences("en", "explore."), half=True), "bench"
        )
        for hidden, run in runs.items()
    }
    print("| decoder | multiply-adds | decoded by | pictures/s | frames/s | aim |")
    print("|---|---|---|---|---|---|")
    with served(pages) as address:
        for (hidden, run), name in zip(runs.items(), pages, strict=True):
            page = open_page(chromium, f"{address}/{name}")
            by = page.evaluate(f"{APP}.model.constructor.name")
            page.evaluate(f"{APP}.map.tiles.forget()")
            found = page.evaluate(FRAMES, ["hover", seconds])
            cost = count_multiply_adds(run.model.decoder, (6,)) / 1e6
            print(
                f"| conv {'-'.join(map(str, hidden))} | {cost:.1f} M | {by} | "
                f"{found['decodes']:.0f} | {found['frames']:.0f} | {DECODERS[hidden]} |",
                flush=True,
            )
            page.close()


def measure_server(chromium: Any, seconds: float) -> None:
    """Hover over a model whose weights are too many for the browser."""
    from explorer.training.loop import train

    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        config = Config(model=ModelConfig(hidden=(2000, 1500)), budget=BudgetConfig(steps=3))
        train(config, runs / "bench")
        server = Server(runs)
        try:
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"{server.url}/?model=bench")
            page.wait_for_function(f"{MAP}?.shadowRoot.querySelector('.lx')?.explorer?.painted > 0")
            page.wait_for_timeout(6000)
            frames = FRAMES.replace(
                "document.querySelector('#explorer')", f"{MAP}.shadowRoot.querySelector('.lx')"
            )
            found = page.evaluate(frames, ["hover", seconds])
            print(
                f"| MLP of 2 × 3 M weights | 3 M | server | {found['decodes']:.0f} "
                f"| {found['frames']:.0f} | ≥ 12 |"
            )
        finally:
            server.stop()


def main(quick: bool = False) -> None:
    """Print the table."""
    seconds = 1.5 if quick else SECONDS
    with browser() as chromium:
        measure_pages(chromium, seconds)
        measure_server(chromium, seconds)


if __name__ == "__main__":
    main()
