"""The latent map in headless Chromium: decodes, frame rates, first paint, click to Python.

Times are medians of the browser's own clock. Without a GPU the browser paints in software, so the
frame rates are those of a slow machine. The closest peer, a tfjs page with one fixed 2-D model,
reaches 19 frames/s while hovering on two such cores.
"""

import json
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from explorer.config import BudgetConfig, Config, ModelConfig
from explorer.export.page import wrap_payload
from explorer.export.payload import build_payload
from explorer.models import VAE
from explorer.text import sentences
from tests.browser.conftest import Server
from tests.chromium import CHROMIUM, FLAGS

SHAPE = (1, 28, 28)
SECONDS = 2.0
SIZES = [10_000, 100_000, 1_000_000, 3_000_000]

FIRST_PAINT = """
(() => {
  const look = () => {
    const app = document.querySelector('#explorer')?.explorer;
    if (app?.painted > 0) window.firstPaint = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
# Input at 60 Hz by the clock, frames as the browser manages to paint them.
FRAMES = """
async ([kind, seconds]) => {
  const app = document.querySelector('#explorer').explorer;
  const canvas = app.map.top, box = canvas.getBoundingClientRect();
  const { x, y } = app.map.view;
  let frames = 0, painted = app.painted, stop = false, n = 0;
  const count = () => { frames += 1; if (!stop) requestAnimationFrame(count); };
  requestAnimationFrame(count);
  const move = () => {
    n += 1;
    if (kind === 'hover') {
      const at = { clientX: box.left + box.width * (0.5 + 0.35 * Math.sin(n / 19)),
                   clientY: box.top + box.height * (0.5 + 0.35 * Math.cos(n / 23)) };
      canvas.dispatchEvent(new PointerEvent('pointermove', { ...at, bubbles: true }));
    } else {
      app.map.view.x = x + Math.sin(n / 15);
      app.map.view.y = y + Math.cos(n / 17) - 1;
      app.map.viewChanged(true);
    }
  };
  const timer = setInterval(move, 1000 / 60), begin = performance.now();
  await new Promise((done) => setTimeout(done, 1000 * seconds));
  clearInterval(timer);
  stop = true;
  const spent = (performance.now() - begin) / 1000;
  app.map.view.x = x;
  app.map.view.y = y;
  return { frames: frames / spent, decodes: (app.painted - painted) / spent };
}
"""
DECODES = """
() => {
  const app = document.querySelector('#explorer').explorer;
  const z = () => Float32Array.from({ length: app.size }, () => 3 * Math.random() - 1.5);
  const points = Array.from({ length: 300 }, z), times = [];
  for (const point of points) {
    const begin = performance.now();
    app.model.picture(point);
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  const whole = performance.now();
  for (const point of points) app.model.picture(point);
  return { median: (performance.now() - whole) / points.length, p95: times[285] };
}
"""
SOCKET = """
(() => {
  const Native = window.WebSocket;
  window.wire = [];
  window.WebSocket = class extends Native {
    constructor(...all) {
      super(...all);
      this.addEventListener('message', (m) => wire.push(['in', performance.now(), m.data.size ?? m.data.byteLength]));
    }
    send(data) {
      wire.push(['out', performance.now(), data.byteLength ?? data.length]);
      super.send(data);
    }
  };
})();
"""  # noqa: E501


def make_run(config: ModelConfig, count: int, shape: tuple[int, int, int] = SHAPE) -> Any:
    """A model with random weights and `count` codes in ten clusters."""
    torch.manual_seed(0)
    model = VAE(config, shape).eval()
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, count)
    centres = rng.normal(0, 1.2, (10, config.latent_dim))
    mean = (centres[labels] + rng.normal(0, 0.35, (count, config.latent_dim))).astype(np.float32)
    logvar = np.full_like(mean, -4)
    codes = SimpleNamespace(mean=mean, logvar=logvar, labels=labels, ids=np.arange(count))
    dataset = SimpleNamespace(name="mnist", shape=shape, class_names=tuple("0123456789"))
    facts: dict[str, Any] = {
        "config": None,
        "beta": None,
        "best_split": None,
        "best_results": {},
        "timing": {},
    }
    info = SimpleNamespace(dataset=dataset, model=SimpleNamespace(is_beta_implied=False), **facts)
    return SimpleNamespace(id="bench", name="bench", info=info, model=model, codes=lambda: codes)


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, CHROMIUM)))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@contextmanager
def served(pages: dict[str, bytes]) -> Iterator[str]:
    """Serve the pages from a folder, as a plain web server would."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with tempfile.TemporaryDirectory() as folder:
        for name, page in pages.items():
            (Path(folder) / name).write_bytes(page)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def open_page(chromium: Any, address: str) -> Any:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(FIRST_PAINT)
    page.goto(address)
    page.wait_for_function("window.firstPaint > 0", timeout=60_000)
    page.wait_for_timeout(1500)
    return page


def measure_decodes(chromium: Any) -> None:
    configs = {
        "MLP 2-128-256-512-784": (ModelConfig(), "≤ 2"),
        "conv 32·7·7 → 16 → 1": (
            ModelConfig(network="conv", hidden=(16, 32, 64), latent_dim=2),
            "≤ 8",
        ),
        "conv 64·7·7 → 32 → 1": (
            ModelConfig(network="conv", hidden=(32, 64), latent_dim=2),
            "≤ 8",
        ),
    }
    pages = {
        f"{number}.html": _build_page(config, 1000)
        for number, (config, _) in enumerate(configs.values())
    }
    with served(pages) as address:
        print("| decode | median ms | p95 ms | aim |\n|---|---|---|---|")
        for number, (label, (_, aim)) in enumerate(configs.items()):
            page = open_page(chromium, f"{address}/{number}.html")
            found = page.evaluate(DECODES)
            print(f"| {label} | {found['median']:.2f} | {found['p95']:.2f} | {aim} |", flush=True)
            page.close()


def measure_points(chromium: Any, counts: list[int]) -> None:
    print("| points | first paint s | hover frames/s | decodes/s | pan frames/s |")
    print("|---|---|---|---|---|")
    for count in counts:
        with served({"map.html": _build_page(ModelConfig(), count)}) as address:
            page = open_page(chromium, f"{address}/map.html")
            first = page.evaluate("window.firstPaint") / 1000
            hover = page.evaluate(FRAMES, ["hover", SECONDS])
            pan = page.evaluate(FRAMES, ["pan", SECONDS])
            print(
                f"| {count:,} | {first:.2f} | {hover['frames']:.0f} | {hover['decodes']:.0f} "
                f"| {pan['frames']:.0f} |",
                flush=True,
            )
            page.close()


def _build_page(config: ModelConfig, count: int) -> bytes:
    payload = build_payload(make_run(config, count), None, sentences("en", "explore."))
    return wrap_payload(payload, "bench")


def measure_server(chromium: Any, clicks: int) -> None:
    from explorer.training.loop import train

    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        config = Config(model=ModelConfig(hidden=(64,)), budget=BudgetConfig(steps=100))
        train(config, runs / "bench")
        server = Server(runs)
        try:
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(SOCKET)
            page.goto(f"{server.url}/?model=bench")
            page.wait_for_selector(".lx .toolbar", timeout=60_000)
            page.wait_for_timeout(3000)
            box = page.locator(".map canvas.overlay").bounding_box()
            page.evaluate("wire.length = 0")
            for n in range(120):
                page.mouse.move(box["x"] + 100 + 3 * n, box["y"] + 150)
            hovered = page.evaluate("wire.length")
            times = []
            for n in range(clicks):
                page.evaluate("wire.length = 0")
                page.mouse.click(box["x"] + 120 + 15 * n, box["y"] + 90 + 11 * n)
                page.wait_for_timeout(700)
                wire = json.loads(page.evaluate("JSON.stringify(wire)"))
                sent = next(t for way, t, _ in wire if way == "out")
                times.append(max(t for way, t, _ in wire if way == "in") - sent)
                last = wire
            size = sum(size for way, _, size in last if way == "out")
            print("\n| server | value | aim |\n|---|---|---|")
            print(f"| messages while hovering 120 moves | {hovered} | 0 |")
            median = statistics.median(times)
            print(f"| click to the end of Python's rerun, median ms | {median:.0f} | ≤ 150 |")
            print(f"| bytes sent per click | {size} | |")
        finally:
            server.stop()


def main(quick: bool = False) -> None:
    with browser() as chromium:
        measure_decodes(chromium)
        print()
        measure_points(chromium, SIZES[:2] if quick else SIZES)
        measure_server(chromium, 5 if quick else 15)


if __name__ == "__main__":
    main()
