"""How long a visitor waits for Explore, beside a bare Streamlit page with one canvas component.

Pages are opened in turn, each in a profile of its own, from servers that were visited before, once
more with what the browser has kept, and from servers whose first visitor this is. Milliseconds from
the navigation to the first frame in which something is there; a ratio is of two visits in a row.
"""

import statistics
import sys
from pathlib import Path
from typing import Any

ROUNDS = 9
COLD_ROUNDS = 3
BARE = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).with_name("bare_page.py"))]
BARE_FLAGS = "--server.port {port} --server.headless true --browser.gatherUsageStats false"
VISITS = ("a fresh profile", "once more", "a server's first visitor")

WATCH = """
window.seen = {};
const see = (name, is) => { if (is && !(name in seen)) seen[name] = performance.now(); };
const look = () => {
  const places = "[data-testid=stBidiComponentIsolated], #first-frame .early";
  const hosts = [...document.querySelectorAll(places)];
  const roots = hosts.map((host) => host.shadowRoot).filter(Boolean);
  const app = roots.map((root) => root.querySelector(".lx")?.explorer).find(Boolean);
  see("sentence", document.querySelector(".explorer-lede, h1"));
  see("usable", app?.painted && !app.map.baseDirty);
  see("usable", roots.some((root) => root.querySelector("canvas.bare")));
  if (!("usable" in seen)) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def measure_opening(browser: Any, runs: Path, quick: bool = False) -> None:
    """Print what is there when, in milliseconds and beside the bare page."""
    found: dict[str, list[dict[str, dict[str, float]]]] = {visit: [] for visit in VISITS}
    for _ in range(1 if quick else COLD_ROUNDS):
        servers = start_servers(runs)
        found[VISITS[2]].append({name: visit(browser, at.url)[0] for name, at in servers.items()})
        stop(servers)
    servers = start_servers(runs)
    for at in servers.values():
        visit(browser, at.url)
    for _ in range(1 if quick else ROUNDS):
        both = {name: visit(browser, at.url, 2) for name, at in servers.items()}
        for again in (0, 1):
            found[VISITS[again]].append({name: times[again] for name, times in both.items()})
    stop(servers)
    print(
        "| Explore, ms | sentence | map | bare page's canvas | sentence / canvas | map / canvas |"
    )
    print("|---|---|---|---|---|---|")
    for name, rounds in found.items():
        print(tell(name, rounds))
    print()


def start_servers(runs: Path) -> dict[str, Any]:
    from tests.browser.conftest import Server

    return {"bare": Server(runs, BARE, BARE_FLAGS), "ours": Server(runs)}


def stop(servers: dict[str, Any]) -> None:
    for server in servers.values():
        server.stop()


def visit(browser: Any, address: str, times: int = 1) -> list[dict[str, float]]:
    """Open a page `times` over in one new profile; return when what was there, in ms."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.add_init_script(WATCH)
    seen = []
    for _ in range(times):
        page = context.new_page()
        page.goto(address, wait_until="commit")
        page.wait_for_function("'usable' in window.seen", timeout=120_000)
        seen.append(page.evaluate("window.seen"))
        page.close()
    context.close()
    return seen


def tell(name: str, rounds: list[dict[str, dict[str, float]]]) -> str:
    """Return a row: medians, and medians of the ratios with their quartiles."""

    def middle(page: str, what: str) -> str:
        return f"{statistics.median(pair[page][what] for pair in rounds):.0f}"

    def ratio(what: str) -> str:
        ratios = sorted(pair["ours"][what] / pair["bare"]["usable"] for pair in rounds)
        low, high = ratios[len(ratios) // 4], ratios[(3 * len(ratios)) // 4]
        return f"{statistics.median(ratios):.2f} ({low:.2f} to {high:.2f})"

    cells = [middle("ours", "sentence"), middle("ours", "usable"), middle("bare", "usable")]
    return f"| {' | '.join([name, *cells, ratio('sentence'), ratio('usable')])} |"
