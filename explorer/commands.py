"""What each command of the command line does: read options, call the library, print the result.

With --json the last line of standard output is one JSON object. Imports are made where they are
used, so that `--help` loads none of them.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError
from explorer.paths import PACKAGE, resource, runs_folder

if TYPE_CHECKING:
    from explorer.config import Config
    from explorer.datasets import ImageDataset
    from explorer.runs.run import Run


def open_app(options: argparse.Namespace) -> None:
    """Start the Streamlit server on app/main.py, with the shipped theme handed over by flags."""
    if not 0 <= options.port <= 65535:
        raise ExplorerError(f"A port is a number from 0 to 65535, not {options.port}.")
    try:
        with socket.create_server((options.host, options.port)):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise ExplorerError(f"The port {options.port} cannot be opened: {reason}.") from error
    environment = dict(os.environ)
    if options.runs:
        environment["LATENT_EXPLORER_RUNS"] = str(Path(options.runs).resolve())
    if options.data_root:
        environment["LATENT_EXPLORER_DATA"] = str(Path(options.data_root).resolve())
    flags = theme_flags()
    flags += ["--server.port", str(options.port), "--server.address", options.host]
    flags += ["--server.headless", "true" if options.no_browser else "false"]
    command = [sys.executable, "-m", "streamlit", "run", str(PACKAGE / "app" / "main.py"), *flags]
    folder = environment.get("LATENT_EXPLORER_RUNS") or runs_folder()
    print(f"Latent Explorer on http://{options.host}:{options.port}, runs in {folder}", flush=True)
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.call(command, env=environment))
    os.execve(sys.executable, command, environment)


def theme_flags() -> list[str]:
    """Return .streamlit/config.toml as command-line flags, for starts from any folder."""
    import tomllib

    flags: list[str] = []

    def collect(prefix: str, values: dict[str, Any]) -> None:
        for key, value in values.items():
            name = f"{prefix}{key}"
            if isinstance(value, dict):
                collect(name + ".", value)
            else:
                flags.extend([f"--{name}", value if isinstance(value, str) else json.dumps(value)])

    collect("", tomllib.loads((resource(".streamlit") / "config.toml").read_text("utf-8")))
    return flags


def train_run(options: argparse.Namespace) -> None:
    """Train, with a progress line on a terminal."""
    make_run(config_from_options(options), options)


def fit_run(options: argparse.Namespace) -> None:
    """Fit a linear model."""
    from explorer.training.fit import fit_config

    given = vars(options)
    chosen = {name: given[name] for name in ("latent_dim", "seed") if name in given}
    make_run(fit_config(given.get("dataset", "digits"), given["model"], **chosen), options)


def make_run(config: "Config", options: argparse.Namespace) -> None:
    """Write the run that the config describes, and report its figures."""
    from explorer.runs.run import new_run_id
    from explorer.training.loop import train

    default = runs_folder() / new_run_id(config.dataset, f"{config.model.latent_dim}d")
    directory = Path(getattr(options, "out", default))
    with progress_line() as show:
        run = train(
            config,
            directory,
            data_root=getattr(options, "data_root", None),
            overwrite=getattr(options, "overwrite", False),
            progress=lambda point: show(
                f"step {point['step']:,} of {point['planned_steps']:,}   "
                f"ELBO {point['elbo']:.2f} nats   {point['images_per_second']:,.0f} images/s"
            ),
        )
    info = run.info
    split = next(name for name in ("test", "all", "validation") if name in info.results)
    report(
        getattr(options, "json", False),
        {"run": str(run.path), "split": split, **info.results[split], **info.timing},
        f"{run.path}: {describe_result(info.results[split])} on {split}",
    )


def train_sweep(options: argparse.Namespace) -> None:
    """Train a grid of models; running it again skips what is complete and resumes what is not."""
    from explorer.jobs.sweep import run_sweep, sweep_configs
    from explorer.training.family import train_family

    given = vars(options)
    dims = given.get("latent_dims", [])
    # The recipe follows the first number of latents.
    alike = argparse.Namespace(**given, **({"latent_dim": dims[0]} if dims else {}))
    betas, seeds = given.get("betas", []), given.get("seeds", [])
    configs = sweep_configs(config_from_options(alike), betas, dims, seeds)
    common = {"data_root": given.get("data_root"), "overwrite": given.get("overwrite", False)}
    failed: dict[str, str] = {}
    with progress_line() as show:
        if given.get("together"):
            sweep = train_family(
                configs,
                options.out,
                progress=lambda point: show(
                    f"step {point['step']:,} of {point['planned_steps']:,}   {len(configs)} models"
                    f"   {point['images_per_second']:,.0f} images/s together"
                ),
                **common,
            )
        else:
            sweep, failed = run_sweep(
                configs,
                options.out,
                scheduler=given.get("scheduler"),
                workers=given.get("workers"),
                progress=lambda sweep: show(describe_states(sweep.states())),
                **common,
            )
    rows, lines = [], []
    for name, run in sweep.runs().items():
        info = run.info
        result = info.results.get("test") or info.results.get("all") or {}
        state = info.status.shown_state()
        objective = sweep.configs[name].objective
        rows.append({"name": name, "run": str(run.path), "state": state, "beta": objective.beta})
        rows[-1] |= {"seed": sweep.configs[name].seed, "latent_dim": info.latent_dim, **result}
        lines.append(f"{name:24} {state:9} {describe_result(result) if result else ''}")
    values = {"sweep": str(sweep.path), "kind": sweep.kind, "runs": rows, "failed": failed}
    report(given.get("json", False), values, "\n".join(lines))
    if failed:
        name, message = next(iter(failed.items()))
        raise ExplorerError(f"{len(failed)} of {len(configs)} runs failed; {name}: {message}")


def describe_states(states: dict[str, str]) -> str:
    """Return how many runs are in which state."""
    counts = {state: list(states.values()).count(state) for state in dict.fromkeys(states.values())}
    return "   ".join(f"{count} {state}" for state, count in counts.items())


def config_from_options(options: argparse.Namespace) -> "Config":
    """Return the config that --config and the other options describe."""
    from explorer.config import LONGEST_TOML, BudgetConfig, Config
    from explorer.files import read_limited
    from explorer.recipes import LONG_BUDGET, default_config

    given = vars(options)
    if "config" in given:
        try:
            # A character takes up to four bytes.
            content = read_limited(Path(given["config"]), 4 * LONGEST_TOML).decode("utf-8-sig")
        except (OSError, ValueError) as error:
            raise ExplorerError(f"The config {given['config']} cannot be read.") from error
        config = Config.from_toml(content)
    else:
        latent_dim = given.get("latent_dim", 2)
        network = given.get("network", "mlp")
        # A budget in updates may take any time: it gets the recipe of a long one.
        counted = "steps" in given or "epochs" in given
        seconds = given.get("seconds", LONG_BUDGET if counted else 30.0)
        config = default_config(given.get("dataset", "digits"), latent_dim, seconds, network)
    model = {k: given[k] for k in ("latent_dim", "likelihood", "network") if k in given}
    changes: dict[str, Any] = {k: given[k] for k in ("dataset", "seed", "device") if k in given}
    changes["model"] = dataclasses.replace(config.model, **model)
    if "beta" in given:
        changes["objective"] = dataclasses.replace(config.objective, beta=given["beta"])
    if "batch_size" in given:
        changes["optimiser"] = dataclasses.replace(config.optimiser, batch_size=given["batch_size"])
    budget = {k: given[k] for k in ("seconds", "epochs", "steps") if k in given}
    if budget:
        changes["budget"] = BudgetConfig(**budget)
    return dataclasses.replace(config, **changes)


def evaluate_run(options: argparse.Namespace) -> None:
    """Measure ELBO, reconstruction and KL, and log p(x) where asked for."""
    from explorer.elbo.encoding import draw_targets
    from explorer.elbo.evaluation import evaluate_elbo
    from explorer.runs.store import open_run

    run = open_run(options.run)
    images = find_images(run, options.dataset, options.split, options.data_root, options.limit)
    with progress_line() as show:
        result = evaluate_elbo(
            run.model,
            images,
            seed=options.seed,
            progress=lambda part: show(f"{part:.0%}"),
        ).to_dict()
        if options.importance_samples is not None:
            from explorer.analysis.inference.likelihood import estimate_log_px

            estimate = estimate_log_px(
                run.model,
                draw_targets(run.model, images, seed=options.seed),
                samples=options.importance_samples,
                seed=options.seed,
                progress=lambda part: show(f"log p(x) {part:.0%}"),
            )
            # log p(x) is of one binary draw; its own ELBO stands beside the average over draws.
            weighted = estimate.to_dict()
            result = weighted | {"log_px_elbo": weighted["elbo"]} | result
    text = describe_result(result)
    if "log_px" in result:
        text += f", log p(x) {result['log_px']:.2f} nats ({options.importance_samples} samples)"
    report(options.json, {"run": run.id, "split": options.split, **result}, f"{run.name}: {text}")


def diagnose_run(options: argparse.Namespace) -> None:
    """Print the verdict on every latent dimension."""
    from explorer.analysis.collapse import diagnose as collapse

    if (options.run is None) == (options.codes is None):
        raise ExplorerError("Give either a run or --codes FILE.npz.")
    if options.codes is not None:
        result = collapse.diagnose_file(options.codes)
    else:
        from explorer.runs.store import open_run

        run = open_run(options.run)
        images = None
        if run.info.has_model:
            with (
                contextlib.suppress(ExplorerError)
                if not options.dataset
                else contextlib.nullcontext()
            ):
                images = find_images(run, options.dataset, "test", options.data_root, None)
        result = collapse.diagnose_run(run, images, seed=options.seed)
    values = result.to_dict()
    lines = [
        f"{values['active_units']} of {len(values['dimensions'])} units active, "
        f"{values['effective_dimensions']:.2f} effective dimensions, rate {values['rate']:.2f} nats"
    ]
    lines += [
        f"  z{row['index'] + 1:<4} KL {row['kl']:7.3f} nats   Var μ {row['var_mean']:.3f}   "
        f"E σ² {row['mean_var']:.3f}   {row['verdict']}"
        for row in values["dimensions"]
    ]
    report(options.json, values, "\n".join(lines))


def find_images(
    run: "Run", dataset: str | None, split: str, data_root: str | None, limit: int | None
) -> Any:
    """Return uint8 images (N, C, H, W) of the run's own data set, or of a named one."""
    from explorer.datasets import load_dataset

    known = run.info.dataset
    name = dataset or (known.name if known else None)
    if name is None:
        raise ExplorerError("This run does not say which images it was made from: use --dataset.")
    images = load_dataset(name, data_root=data_root).split(split).images
    if limit is not None and limit < 1:
        raise ExplorerError(f"--limit must be at least 1; it is {limit}.")
    return images[:limit]


def show_data(options: argparse.Namespace) -> None:
    """List the data sets, load one by name (downloading only when told to), add or remove one."""
    from explorer.datasets import DATASETS, is_available, load_dataset
    from explorer.datasets.own.store import list_own

    if options.name in ("add", "remove"):
        return change_data(options)
    if options.target is not None:
        raise ExplorerError(f"Either `data add PATH` or `data NAME`, not `data {options.name} …`.")
    if options.name is None:
        rows = {
            name: {
                "available": is_available(name, options.data_root),
                "offline": entry.offline,
                "shape": list(entry.shape),
                "description": entry.description,
            }
            for name, entry in DATASETS.items()
        }
        for own in list_own(options.data_root):
            text = f"yours: {own.images:,} images of {own.shape[1]} × {own.shape[2]} pixels"
            row = {"available": True, "offline": True, "shape": list(own.shape)}
            rows[own.name] = row | {"description": text}
        text = "\n".join(
            f"{name:15} {'ready' if row['available'] else 'needs a download':17}"
            f"{row['description']}"
            for name, row in rows.items()
        )
        report(options.json, {"datasets": rows}, text)
        return
    with progress_line() as show:
        dataset = load_dataset(
            options.name,
            data_root=options.data_root,
            download=options.download,
            progress=lambda *state: show(" ".join(str(part) for part in state)),
        )
    text = f"{dataset.name}: {len(dataset.images):,} images {dataset.shape}"
    report(options.json, describe_data(dataset), text)


def change_data(options: argparse.Namespace) -> None:
    """Add somebody's pictures as a data set, read in a process of its own, or remove one."""
    from explorer.datasets.own.store import check_name, remove_own
    from explorer.jobs.reader import read_in_worker

    if options.target is None:
        raise ExplorerError("Say which: `data add PATH --name N`, or `data remove N`.")
    if options.name == "remove":
        remove_own(options.target, options.data_root)
        return report(options.json, {"removed": options.target}, f"{options.target}: removed")
    if options.own_name is not None:
        check_name(options.own_name)
    with progress_line() as show:
        pending = read_in_worker(
            options.target,
            size=options.size,
            fit=options.fit,
            channels=1 if options.grey else None,
            background=options.background,
            data_root=options.data_root,
            seconds=options.seconds,
            progress=lambda done, total: show(f"{done:,} of {total:,} pictures"),
        )
    with pending:
        dataset = pending.keep(options.own_name or pending.dataset.name)
    assert dataset.report is not None
    values = describe_data(dataset) | {"report": dataset.report.to_dict()}
    text = "\n".join([f"{dataset.name}: added", *dataset.report.sentences()])
    report(options.json, values, text)


def describe_data(dataset: "ImageDataset") -> dict[str, Any]:
    """Return what is told of a data set, as JSON can hold it."""
    return {
        "name": dataset.name,
        "images": len(dataset.images),
        "shape": list(dataset.shape),
        "classes": list(dataset.class_names),
        "factors": list(dataset.factors),
        "splits": {name: len(rows) for name, rows in dataset.splits.items()},
        "fingerprint": dataset.fingerprint,
    }


def list_runs(options: argparse.Namespace) -> None:
    """List the pretrained runs and those of the runs folder."""
    from explorer.library import Library

    library = Library(options.runs)
    rows = []
    for run in library.runs(first="shipped"):
        info = run.info
        result = info.best_results
        rows.append(
            {
                "id": run.id,
                "name": run.name,
                "pretrained": not library.is_own(run),
                "state": info.status.shown_state(),
                "dataset": info.dataset.name if info.dataset else None,
                "latent_dim": info.latent_dim,
                "elbo": result.get("elbo") if "kl" in result else None,
            }
        )
    unreadable = {entry.id: str(entry.reason) for entry in library.own.survey()[1]}
    lines = [
        f"{row['id']:40} {row['state']:12} {row['dataset'] or '':10} {row['latent_dim']:4} latents"
        + (f"   ELBO {row['elbo']:.2f} nats" if row["elbo"] is not None else "")
        for row in rows
    ]
    lines += [f"{run_id:40} cannot be read: {reason}" for run_id, reason in unreadable.items()]
    values = {"runs": rows, "unreadable": unreadable}
    report(options.json, values, "\n".join(lines) or "There are no runs yet.")


def describe_result(result: dict[str, Any] | Any) -> str:
    """Return ELBO, reconstruction and KL in words; no ELBO where the model has no KL."""
    if "reconstruction" not in result:  # Of a loop of the user's own.
        return "no figures of ours"
    reconstruction = f"reconstruction {result['reconstruction']:.2f}"
    if "kl" not in result or "elbo" not in result:
        return f"{reconstruction} nats per image, no KL"
    return f"ELBO {result['elbo']:.2f} = −({reconstruction} + KL {result['kl']:.2f}) nats per image"


def report(as_json: bool, values: dict[str, Any], text: str) -> None:
    """Print the human text or, with --json, one line of JSON."""
    print(json.dumps(values, allow_nan=False) if as_json else text)


@contextlib.contextmanager
def progress_line() -> Iterator[Any]:
    """Yield a function that rewrites one line of a terminal, and does nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    shown = 0.0

    def show(text: str) -> None:
        nonlocal shown
        if time.monotonic() - shown > 0.1:
            shown = time.monotonic()
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
