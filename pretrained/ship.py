"""Put a finished run under pretrained/: `python pretrained/ship.py RUN NAME [--codes N]`.

The film is thinned, codes can be cut to a sample, the host's name is left out, and a card with the
measured figures is written. The recipe beside it must be the config that made the run. --holes
measures how random codes decode, --diagnosis which latents are in use and why the others are not,
for machines that do not have the images.
"""

import argparse
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from explorer.analysis.collapse.diagnose import diagnose_run
from explorer.analysis.representation.codebook import measure_usage
from explorer.analysis.representation.holes import (
    RANDOM_CODES,
    SOURCES,
    draw_codes,
    measure_holes,
    pick_images,
)
from explorer.config import FITS, Config
from explorer.datasets import load_dataset
from explorer.elbo.evaluation import evaluate_elbo
from explorer.files import replace_file, replace_json
from explorer.runs.info import RunInfo
from explorer.runs.run import Run

HERE = Path(__file__).resolve().parent
FRAMES = 16
LOG_POINTS = 120
DIAGNOSED = 2000
"""As many images as the Collapse page judges by."""
FITTED = {
    "ppca": "Probabilistic PCA (scikit-learn's PCA)",
    "fa": "Factor analysis (scikit-learn's FactorAnalysis)",
    "ica": "Independent component analysis (scikit-learn's FastICA)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("name")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--codes", type=int, default=None, help="keep so many codes, evenly spread")
    parser.add_argument("--data-root", help="where torchvision data sets lie")
    parser.add_argument("--holes", action="store_true", help="measure holes.json too")
    parser.add_argument("--diagnosis", action="store_true", help="measure diagnosis.json too")
    options = parser.parse_args()
    target = HERE / options.name
    ship(Run(options.run), target, options.frames, options.codes, options.data_root)
    if options.holes:
        write_holes(Run(target), options.data_root)
    if options.diagnosis:
        write_diagnosis(Run(target), options.data_root)


def ship(
    run: Run, target: Path, frames: int, codes: int | None, data_root: str | None = None
) -> None:
    """Copy what a shipped run needs from `run` to `target`."""
    info = run.info
    if info.status.state != "finished":
        raise SystemExit(f"{run} is {info.status.state}, not finished.")
    recipe = target / "recipe.toml"
    if recipe.is_file() and Config.from_toml(recipe.read_text(encoding="utf-8")) != info.config:
        raise SystemExit(f"{recipe} does not describe the config of {run}.")
    target.mkdir(parents=True, exist_ok=True)
    assert info.config is not None
    if not recipe.is_file():
        recipe.write_text(info.config.to_toml(), encoding="utf-8")
    status = dataclasses.replace(info.status, pid=0, host="")
    info = dataclasses.replace(info, status=status, results=measure(run, data_root))
    replace_json(target / "run.json", info.to_dict())
    shutil.copyfile(run.path / "checkpoint.safetensors", target / "checkpoint.safetensors")
    copy_metrics(run, target)
    copy_film(run, target, frames)
    copy_codes(run, target, codes)
    (target / "README.md").write_text(describe(target.relative_to(HERE).as_posix(), info), "utf-8")


def measure(run: Run, data_root: str | None) -> dict:
    """Evaluate the stored weights again, so that the card is of what is shipped."""
    info = run.info
    assert info.dataset is not None
    dataset = load_dataset(info.dataset.name, data_root=data_root)
    return {
        split: evaluate_elbo(run.model, dataset.split(split).images).to_dict()
        for split in info.results
    }


def copy_metrics(run: Run, target: Path) -> None:
    lines = []
    for split in ("train", "validation"):
        points = run.metrics(split)
        chosen = sorted(set(np.linspace(0, len(points) - 1, LOG_POINTS).astype(int)))
        lines += [points[index] for index in chosen] if points else []
    lines.sort(key=lambda point: (point["step"], point["split"]))
    text = "".join(json.dumps(round_floats(point)) + "\n" for point in lines)
    replace_file(target / "metrics.jsonl", lambda stream: stream.write(text.encode()))


def round_floats(point: dict) -> dict:
    """Keep six significant digits, which is more than a figure shows."""
    return json.loads(json.dumps(point), parse_float=lambda digits: float(f"{float(digits):.6g}"))


def copy_film(run: Run, target: Path, frames: int) -> None:
    steps = run.snapshot_steps()
    kept = {steps[index] for index in np.linspace(0, len(steps) - 1, frames).astype(int)}
    folder = target / "snapshots"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for step in kept:
        name = f"{step:09d}.npz"
        with np.load(run.path / "snapshots" / name) as archive:
            values = {key: archive[key] for key in archive.files}
        # Input images belong to their data set; what the model made of them is ours to ship.
        if run.info.dataset and run.info.dataset.name not in ("strokes", "shapes", "colour-shapes"):
            values.pop("inputs", None)
        np.savez_compressed(folder / name, **values)


def copy_codes(run: Run, target: Path, count: int | None) -> None:
    codes = run.codes()
    assert codes is not None
    chosen: slice | np.ndarray = slice(None)
    if count is not None and count < len(codes.ids):
        chosen = np.linspace(0, len(codes.ids) - 1, count).astype(int)
    values: dict[str, Any] = {"ids": codes.ids[chosen].astype(np.int32)}
    if codes.indices is None:
        values["mean"] = codes.mean[chosen]
    else:
        values["indices"] = codes.indices[chosen]
    if codes.logvar is not None:
        values["logvar"] = codes.logvar[chosen]
    if codes.labels is not None:
        values["labels"] = codes.labels[chosen].astype(np.uint8)
    replace_file(target / "codes.npz", lambda stream: np.savez_compressed(stream, **values))


def write_holes(run: Run, data_root: str | None) -> None:
    """Store the figures of random codes, as the comparison of models shows them."""
    info, codes = run.info, run.codes()
    assert info.dataset is not None
    images = pick_images(load_dataset(info.dataset.name, data_root=data_root))
    found = {}
    for source in SOURCES if info.latent_kind != "categorical" else ("prior",):
        z = draw_codes(run.model, source, RANDOM_CODES, codes=codes.mean if codes else None)
        found[source] = round_floats(measure_holes(run.model, z, *images).to_dict())
    replace_json(run.path / "holes.json", found)


def write_diagnosis(run: Run, data_root: str | None) -> None:
    """Store the verdicts with their causes, as the Collapse page shows them."""
    info = run.info
    assert info.dataset is not None
    images = load_dataset(info.dataset.name, data_root=data_root).held_out().images[:DIAGNOSED]
    replace_json(run.path / "diagnosis.json", round_floats(diagnose_run(run, images).to_dict()))


def describe(name: str, info: RunInfo) -> str:
    """Return the card: what it is, what was measured, and the command that makes it again."""
    config = info.config
    assert config is not None and info.dataset is not None
    split = "test" if "test" in info.results else "all"
    result = info.results[split]
    kl = [f"{value:.3f}" for value in sorted(result.get("kl_per_dim", []), reverse=True)]
    hidden = "-".join(str(units) for units in config.model.hidden)
    minutes = info.timing["seconds"] / 60
    code = "" if config.model.latent == "gaussian" else f"{config.model.latent} code, "
    if config.model.latent == "categorical":
        code = f"a codebook of {config.model.codebook} × {config.model.code_size} numbers, "
    if config.model.prior == "mixture":
        code += f"a learned prior of {config.model.prior_components} normals, "
    if config.model.noise:
        code += f"noise σ = {config.model.noise:g}, "
    weight = f"β = {config.objective.beta:g}, " if config.model.latent == "gaussian" else ""
    places = "code positions" if config.model.latent == "categorical" else "latents"
    made = (
        f"{config.model.network} {hidden}, {info.latent_dim} {places}, {code}"
        f"{config.model.likelihood} likelihood, {weight}trained on "
        f"`{info.dataset.name}` for {info.status.step:,} updates of "
        f"{config.optimiser.batch_size} images ({minutes:.0f} minutes of a shared CPU)."
    )
    command = f"train --config pretrained/{name}/recipe.toml --out {name}"
    if config.method in FITS:
        made = (
            f"{FITTED[config.method]}, {info.latent_dim} latents, {config.model.likelihood} "
            f"likelihood, fitted to the training images of `{info.dataset.name}` in "
            f"{info.timing['seconds']:.0f} seconds."
        )
        command = f"fit --model {config.method} --dataset {info.dataset.name} --out {name}"
    measured = f"{result['elbo']:.2f} ± {result['elbo_standard_error']:.2f}"
    notes: list[str] = []
    if config.model.latent == "categorical":
        codes = Run(HERE / name).codes()
        assert codes is not None and codes.indices is not None
        usage = measure_usage(codes.indices, config.model.codebook)
        notes = [
            f"KL to the uniform prior over the codebook is the constant {info.latent_dim} · "
            f"ln {usage.entries} = {usage.rate:.1f} nats for every image, and left out. Usage: "
            f"{usage.used} of {usage.entries} entries, perplexity {usage.perplexity:.1f} ± "
            f"{usage.perplexity_error:.1f} over {usage.images:,} images.",
            "",
        ]
    lines = [
        f"# {name}",
        "",
        made,
        "",
        f"Measured on the {split} split ({result['images']:,} images, {result['draws']} draws "
        "each), nats per image:",
        "",
        "| ELBO | reconstruction | KL | KL per dimension, sorted |",
        "|---|---|---|---|",
        f"| {measured if 'kl' in result else 'none'} | "
        f"{result['reconstruction']:.2f} | "
        f"{format(result['kl'], '.2f') if 'kl' in result else 'none'} | "
        f"{', '.join(kl[:20])}{' …' if len(kl) > 20 else ''} |",
        "",
        *notes,
        "Made by:",
        "",
        f"    latent-explorer {command}",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
