"""The films of Train and of the β lab as they play: 1,000 points, 200 frames, twelve models.

Pages of their own, with the components as the app sends them. Milliseconds a frame are of the
drawing alone, of the page's main thread (script, layout, style, paint) and, in CPU time, of all of
the browser's processes: that holds on a busy machine, where frames/s are the machine's.
"""

import base64
import statistics
from typing import Any

import numpy as np

from explorer.app.text import sentences
from explorer.browser import read_styles
from explorer.export.bundle import bundle_component
from explorer.export.film import choose_frames, encode_log, encode_pictures
from tests.benchmarks.bench_map import browser, served

FRAMES, POINTS, MODELS, LATENTS = 200, 1000, 12, 10
SECONDS = 3.0
RATE_AIM, COST_AIM = 30, 8

PAGE = """<!doctype html><meta charset="utf-8"><style>
:root {{ --st-text-color: #222; --st-font: sans-serif; --role-reconstruction: #2a6f97;
  --role-kl: #b5179e; --role-caption: #666; --role-grid: #ccc; --role-prior: #888; --role-gap: #999;
  --role-ground: #fff; --role-text: #111; --role-beta: #a01a58; --role-sigma: #386641; }}
body {{ width: 1180px; margin: 20px auto; }}
{style}</style>
<div id="here"><div class="{root}"></div></div>
<script type="module">
import mount from "./{room}.js";
const data = await (await fetch("./{room}.json")).json();
mount({{ data: [data], parentElement: document.getElementById("here"),
  setStateValue() {{}}, setTriggerValue() {{}} }});
window.ready = true;
</script>"""

PLAY = """
async ([root, hand, seconds]) => {
  const part = document.querySelector("." + root)[root];
  const film = hand ? part[hand] : part;
  const draw = part.draw.bind(part);
  const costs = [];
  part.draw = () => {
    const began = performance.now();
    draw();
    costs.push(performance.now() - began);
  };
  film.at = 0;
  const began = performance.now();
  film.play();
  while (performance.now() - began < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    if (!film.playing) film.play();
  }
  film.button.click();
  part.draw = draw;
  return { costs, spent: performance.now() - began };
}
"""


def make_member(rng: np.random.Generator, beta: float) -> dict[str, Any]:
    """A training of ten clusters that come apart."""
    labels = np.arange(POINTS) % 10
    centres = rng.normal(0, 1.2, (10, 2))[labels]
    noise = rng.normal(0, 0.4, (POINTS, 2))
    pictures = rng.integers(0, 256, (FRAMES, 10, 1, 28, 28), np.uint8)
    frames = []
    for step in range(FRAMES):
        codes = (centres * step / FRAMES + noise + rng.normal(0, 0.02, noise.shape)) * 1000
        frames.append(
            {
                "step": 10 * step,
                "codes": base64.b64encode(codes.round().astype("<i2").tobytes()).decode("ascii"),
                "made": encode_pictures(pictures[step]),
            }
        )
    log = [
        {
            "step": 10 * step,
            "reconstruction": 200 - 80 * step / FRAMES + beta,
            "kl": 20 * step / FRAMES / beta,
            "kl_per_dim": [20 * step / FRAMES / beta / LATENTS] * LATENTS,
            "beta": beta,
        }
        for step in range(FRAMES)
    ]
    return {"frames": frames, "log": encode_log(log), "labels": labels.tolist()}


def describe_stage(rng: np.random.Generator) -> dict[str, Any]:
    """Return what Train sends of a training."""
    member = make_member(rng, 1.0)
    assert len(choose_frames(range(FRAMES))) == FRAMES
    return member | {
        "run": "bench",
        "axes": [0, 1],
        "names": list("0123456789"),
        "rings": True,
        "beta": "1",
        "inputs": encode_pictures(rng.integers(0, 256, (10, 1, 28, 28), np.uint8)),
        "words": sentences("stage."),
    }


def describe_lab(rng: np.random.Generator) -> dict[str, Any]:
    """Return what the β lab sends of twelve models."""
    betas = np.geomspace(0.1, 40, MODELS)
    members = []
    for place, beta in enumerate(betas):
        member = make_member(rng, float(beta))
        labels = member.pop("labels")
        members.append(
            member
            | {
                "name": f"m{place}", "id": f"bench/m{place}", "at": [place],
                "marks": [f"{beta:.2g}"], "names": [f"β {beta:.2g}"],
                "beta": float(beta), "final": member["log"][-1],
                "split": "test", "logged": "train",
            }
        )  # fmt: skip
    return {
        "sweep": "bench", "placing": "", "members": members, "reference": 0, "is_cut": False,
        "axes": [{"name": "beta", "label": "β", "values": [m["names"][0] for m in members]}],
        "reach": 3.5, "labels": labels, "classes": list("0123456789"), "dimensions": ["z1", "z2"],
        "inputs": encode_pictures(rng.integers(0, 256, (6, 1, 28, 28), np.uint8)),
        "rings": True, "theory": None, "start": {"model": "m5", "step": None},
        "words": sentences("lab."),
    }  # fmt: skip


def measure(page: Any, devtools: Any, root: str, hand: str) -> dict[str, float]:
    """Play for a while; return frames/s and milliseconds a frame."""
    processes = page.context.browser.new_browser_cdp_session()

    def spent() -> tuple[float, float]:
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        main = next(each["value"] for each in metrics if each["name"] == "TaskDuration")
        info = processes.send("SystemInfo.getProcessInfo")["processInfo"]
        return main, sum(each["cpuTime"] for each in info)

    before = spent()
    found = page.evaluate(PLAY, [root, hand, SECONDS])
    main, whole = (1000 * (b - a) for a, b in zip(before, spent(), strict=True))
    frames = len(found["costs"])
    return {
        "rate": 1000 * frames / found["spent"],
        "draw": statistics.median(found["costs"]),
        "late": sorted(found["costs"])[int(0.95 * frames)],
        "main": main / frames,
        "whole": whole / frames,
    }


def main(quick: bool = False) -> None:
    """Print one table."""
    import json

    rng = np.random.default_rng(0)
    pages: dict[str, bytes] = {}
    for room, root, data in (
        ("film", "stage", describe_stage(rng)),
        ("lab", "lab", describe_lab(rng)),
    ):
        style = read_styles(room)
        pages[f"{room}.html"] = PAGE.format(style=style, root=root, room=room).encode()
        pages[f"{room}.js"] = bundle_component(room).encode()
        pages[f"{room}.json"] = json.dumps(data).encode()
    print(
        f"| film, {FRAMES} frames of {POINTS:,} points | frames/s (aim ≥ {RATE_AIM}) "
        f"| drawing, median ms | p95 | main thread, ms a frame (aim ≤ {COST_AIM}) "
        "| all processes, CPU ms |"
    )
    print("|---|---|---|---|---|---|")
    with served(pages) as address, browser() as chromium:
        for label, room, root, hand in (
            ("Train", "film", "stage", ""),
            (f"β lab, {MODELS} models: steps", "lab", "lab", "film"),
            (f"β lab, {MODELS} models: β", "lab", "lab", "sweep"),
        ):
            page = chromium.new_page(viewport={"width": 1280, "height": 720})
            devtools = page.context.new_cdp_session(page)
            devtools.send("Performance.enable")
            page.goto(f"{address}/{room}.html")
            page.wait_for_function("window.ready", timeout=60_000)
            page.evaluate(PLAY, [root, hand, 0.5])
            rounds = [measure(page, devtools, root, hand) for _ in range(1 if quick else 5)]
            rate, draw, late, busy, whole = (
                statistics.median(each[name] for each in rounds) for name in rounds[0]
            )
            print(
                f"| {label} | {rate:.0f} | {draw:.1f} | {late:.1f} | {busy:.1f} | {whole:.1f} |",
                flush=True,
            )
            page.close()
