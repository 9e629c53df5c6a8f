"""Train a model, fit one, train a grid of them."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands, add_new_run
from explorer.commands.output import progress_line, report
from explorer.config import DEVICES, FITS
from explorer.config.model import LIKELIHOOD_NAMES, NETWORK_NAMES
from explorer.errors import ExplorerError
from explorer.paths import runs_folder
from explorer.runs.words import describe_result

if TYPE_CHECKING:
    from explorer.analysis.questions.how_many import LatentCount
    from explorer.analysis.questions.linear_oracle import LinearOracle
    from explorer.config import Config
    from explorer.runs.run import Run
    from explorer.runs.sweeps import Sweep


def add_train(commands: Commands) -> None:
    """Add `train` and its options."""
    train = commands.add_parser(
        "train",
        help="train a model and write its run directory",
        parents=[AS_JSON, DATA_ROOT],
        argument_default=argparse.SUPPRESS,
    )
    train.add_argument(
        "--config", metavar="FILE", help="a run's config in TOML; options override it"
    )
    train.add_argument("--dataset", metavar="D", help="digits, strokes, shapes, mnist, …")
    train.add_argument("--latent-dim", type=int, metavar="K")
    train.add_argument("--beta", type=float, metavar="B")
    train.add_argument("--likelihood", choices=LIKELIHOOD_NAMES)
    train.add_argument("--network", choices=NETWORK_NAMES)
    train.add_argument("--batch-size", type=int, metavar="B")
    budget = train.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, metavar="S", help="time budget (default: 30)")
    budget.add_argument("--epochs", type=float, metavar="E")
    budget.add_argument("--steps", type=int, metavar="T")
    train.add_argument("--seed", type=int, metavar="N")
    train.add_argument("--device", choices=DEVICES)
    add_new_run(train)
    train.set_defaults(command=train_run)


def train_run(options: argparse.Namespace) -> None:
    """Train, with a progress line on a terminal."""
    make_run(config_from_options(options), options)


def add_fit(commands: Commands) -> None:
    """Add `fit` and its options."""
    fit = commands.add_parser(
        "fit",
        help="fit a linear model at once: probabilistic PCA, factor analysis, ICA",
        parents=[AS_JSON, DATA_ROOT],
        argument_default=argparse.SUPPRESS,
    )
    fit.add_argument("--model", choices=tuple(FITS), required=True)
    fit.add_argument("--dataset", metavar="D", help="digits (default), strokes, mnist, …")
    fit.add_argument("--latent-dim", type=int, metavar="K", help="default: 2")
    fit.add_argument("--seed", type=int, metavar="N")
    add_new_run(fit)
    fit.set_defaults(command=fit_run)


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


def add_sweep(commands: Commands) -> None:
    """Add `sweep` and its options."""
    sweep = commands.add_parser(
        "sweep",
        help="train a grid of models, one run directory each",
        parents=[AS_JSON, DATA_ROOT],
        argument_default=argparse.SUPPRESS,
    )
    sweep.add_argument("--config", metavar="FILE", help="a run's config in TOML to start from")
    sweep.add_argument("--dataset", metavar="D", help="digits, strokes, shapes, mnist, …")
    sweep.add_argument("--beta", type=float, nargs="+", metavar="B", dest="betas")
    sweep.add_argument("--latent-dim", type=int, nargs="+", metavar="K", dest="latent_dims")
    sweep.add_argument("--seeds", type=int, nargs="+", metavar="N")
    sweep.add_argument("--likelihood", choices=LIKELIHOOD_NAMES)
    sweep.add_argument("--network", choices=NETWORK_NAMES)
    sweep.add_argument("--batch-size", type=int, metavar="B")
    budget = sweep.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, metavar="S", help="of each run (default: 30)")
    budget.add_argument("--epochs", type=float, metavar="E")
    budget.add_argument("--steps", type=int, metavar="T")
    sweep.add_argument("--device", choices=DEVICES)
    sweep.add_argument("--out", metavar="DIR", required=True, help="the sweep's folder")
    sweep.add_argument("--overwrite", action="store_true", help="replace an earlier sweep at --out")
    where = sweep.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="local processes (default: cores)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that is there")
    where.add_argument(
        "--together", action="store_true", help="train all β as one family in one process"
    )
    sweep.set_defaults(command=train_sweep)


def train_sweep(options: argparse.Namespace) -> None:
    """Train a grid of models; running it again skips what is complete and resumes what is not."""
    from explorer.export.report.words import say_count, say_oracle
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
    answers = count_in_sweep(sweep, given.get("data_root"))
    for beta, (found, oracle) in answers.items():
        lines.append(f"β = {beta:g}: {say_count(found, 'en')}")
        if oracle is not None:
            lines.append(f"         {say_oracle(oracle, found.members, 'en')}")
    values = {"sweep": str(sweep.path), "kind": sweep.kind, "runs": rows, "failed": failed}
    values["latents"] = [
        {"beta": beta, **found.to_dict(), "theory": None if theory is None else theory.to_dict()}
        for beta, (found, theory) in answers.items()
    ]
    report(given.get("json", False), values, "\n".join(lines))
    if failed:
        name, message = next(iter(failed.items()))
        raise ExplorerError(f"{len(failed)} of {len(configs)} runs failed; {name}: {message}")


def count_in_sweep(
    sweep: "Sweep", data_root: str | None = None
) -> "dict[float, tuple[LatentCount, LinearOracle | None]]":
    """Return how many latents are enough and the linear theory, for each β whose runs say it.

    Those are finished ones of two numbers of latents at least.
    """
    from explorer.analysis.questions.floor import find_floor
    from explorer.analysis.questions.how_many import count_in_runs
    from explorer.analysis.questions.linear_oracle import find_oracle
    from explorer.library import Library

    by_beta: dict[float, list[Run]] = {}
    for name, run in sweep.runs().items():
        if run.info.status.state == "finished" and {"elbo", "kl"} <= {*run.info.best_results}:
            by_beta.setdefault(sweep.configs[name].objective.beta, []).append(run)
    found: dict[float, tuple[LatentCount, LinearOracle | None]] = {}
    for beta, runs in by_beta.items():
        if len({run.info.latent_dim for run in runs}) < 2:
            continue
        images = Library(data_root=data_root).images_of(runs[0])
        floor = None if images is None else find_floor(runs[0], images)
        oracle = None if images is None else find_oracle(runs, images)
        found[beta] = count_in_runs(runs, floor=floor), oracle
    return found


def describe_states(states: dict[str, str]) -> str:
    """Return how many runs are in which state."""
    counts = {state: list(states.values()).count(state) for state in dict.fromkeys(states.values())}
    return "   ".join(f"{count} {state}" for state, count in counts.items())


def config_from_options(options: argparse.Namespace) -> "Config":
    """Return the config that --config and the other options describe."""
    from explorer.config import LONGEST_TOML, BudgetConfig, Config
    from explorer.datasets import image_shape
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
        dataset = given.get("dataset", "digits")
        shape = image_shape(dataset, given.get("data_root"))
        # A budget in updates may take any time: it gets the recipe of a long one.
        counted = "steps" in given or "epochs" in given
        seconds = given.get("seconds", LONG_BUDGET if counted else 30.0)
        config = default_config(dataset, latent_dim, seconds, given.get("network"), shape)
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
