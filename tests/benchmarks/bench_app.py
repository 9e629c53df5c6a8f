"""The first frame beside a bare page's; from a slider to pixels through the server path.

In a real browser. The slider's model is too large for the browser, so every move goes to Python and
back: it is timed from the slider's input event to the frame in which the decoded picture has
changed, idle and while a job trains.
"""

import dataclasses
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from explorer.jobs.queue import LocalRunner
from explorer.recipes import default_config
from tests.benchmarks.opening import measure_opening

MOVES = 40
ROUNDS = 4

MOVE = """
(() => new Promise((resolve) => {
  const canvas = app.root.querySelector('[data-role=output]');
  const context = canvas.getContext('2d');
  const read = () => context.getImageData(0, 0, canvas.width, canvas.height).data.join();
  const before = read();
  const slider = app.root.querySelector('input[type=range]');
  const low = Number(slider.min), high = Number(slider.max);
  slider.value = String(low + (high - low) * arg);
  const began = performance.now();
  slider.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
  const wait = () => {
    const spent = performance.now() - began;
    if (spent > 3000 || read() !== before) resolve(spent);
    else requestAnimationFrame(wait);
  };
  requestAnimationFrame(wait);
}))()
"""


def main(quick: bool = False) -> None:
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import Server
    from tests.browser.explore_page import ExplorePage, ensure_run
    from tests.chromium import CHROMIUM, FLAGS

    path = next(filter(None, map(shutil.which, CHROMIUM)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = Path(folder) / "runs"
        runs.mkdir()
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        measure_opening(browser, runs, quick)
        ensure_run(runs, "large")
        server = Server(runs)
        runner = LocalRunner()
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            # The first page waits for the server's imports and for scripts that no cache has.
            page.goto(server.url)
            page.locator(".explorer-lede").wait_for(timeout=120_000)
            view = ExplorePage(page, f"{server.url}/?model=large")
            times: dict[str, list[float]] = {"idle": [], "while a job trains": []}
            for index in range(1 if quick else ROUNDS):
                times["idle"] += measure(view)
                config = dataclasses.replace(default_config("digits", 2, 60.0), seed=index)
                job = runs / f"job{index}"
                future = runner.submit(config, job)
                while not (job / "metrics.jsonl").is_file():
                    time.sleep(0.1)
                times["while a job trains"] += measure(view)
                runner.stop(job)
                future.result()
        finally:
            browser.close()
            server.stop()
            runner.close()
    print("| slider to pixels through the server | median, ms | p95, ms |")
    print("|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {statistics.median(values):.0f} | {percentile(values):.0f} |")
    ratio = percentile(times["while a job trains"]) / percentile(times["idle"])
    print(f"\np95 while a job trains / p95 idle: {ratio:.2f}")


def measure(view) -> list[float]:
    """Return milliseconds of each of MOVES moves, every one to another place."""
    spent = []
    for index in range(MOVES):
        spent.append(view.ask(MOVE, (index * 0.37) % 1.0))
        view.page.wait_for_timeout(120)
    return spent


def percentile(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    main()
