"""A site's pages beside a bare static page with one canvas: first paint, and the map usable.

Pages of one web server, opened in turn, each in a profile of its own. Milliseconds from the
navigation; a ratio is of two visits in a row.
"""

import functools
import http.server
import shutil
import statistics
import tempfile
import threading
from pathlib import Path

ROUNDS = 15
BARE = """<!doctype html><title>A canvas</title><h1>A canvas</h1><canvas id="bare"></canvas>
<script>document.getElementById("bare").getContext("2d").fillRect(20, 20, 200, 100);</script>
"""
PAGES = {
    "a bare page": "bare.html",
    "start page": "index.html",
    "a map": "models/mnist-2d/index.html",
    "an image under the lens": "models/mnist-2d/lens-1.html",
}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(quick: bool = False) -> None:
    """Print one table: first paint and when the page can be used."""
    from playwright.sync_api import sync_playwright

    from explorer.export.site.build import build_site
    from explorer.library import Library
    from explorer.runs.store import open_run
    from tests.chromium import CHROMIUM, FLAGS

    path = next(filter(None, map(shutil.which, CHROMIUM)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        build_site([open_run("mnist-2d")], Library(), lenses=1).write(Path(folder))
        (Path(folder) / "bare.html").write_text(BARE, encoding="utf-8")
        handler = functools.partial(_Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            address = f"http://127.0.0.1:{server.server_port}"
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in PAGES}
            for _ in range(3 if quick else ROUNDS):
                for name, page in PAGES.items():
                    found[name].append(visit(browser, f"{address}/{page}"))
            browser.close()
            server.shutdown()
    print("| page of a site, ms | first paint | beside the bare page's | usable |")
    print("|---|---|---|---|")
    bare = [paint for paint, _ in found["a bare page"]]
    for name, visits in found.items():
        paint = statistics.median(first for first, _ in visits)
        ratio = statistics.median(first / b for (first, _), b in zip(visits, bare, strict=True))
        usable = statistics.median(ready for _, ready in visits)
        print(f"| {name} | {paint:.0f} | {ratio:.2f} | {usable:.0f} |")


def visit(browser, address: str) -> tuple[float, float]:
    """Return when a page in a new profile painted first, and when it could be used, in ms."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(address, wait_until="load")
    if "/models/" in address:
        page.wait_for_selector("[data-ready]", state="attached")
    usable = page.evaluate("() => performance.now()")
    entry = "performance.getEntriesByName('first-contentful-paint')[0]"
    while (paint := page.evaluate(f"() => {entry}?.startTime ?? null")) is None:
        page.wait_for_timeout(5)
    context.close()
    return float(paint), float(usable)
