"""List runs, and measure one on its images."""

import argparse
from typing import TYPE_CHECKING, Any

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands
from explorer.commands.output import progress_line, report
from explorer.errors import ExplorerError
from explorer.paths import runs_folder
from explorer.runs.words import describe_result

if TYPE_CHECKING:
    from explorer.datasets import ImageDataset
    from explorer.runs.run import Run


def add_runs(commands: Commands) -> None:
    """Add `runs` and its options."""
    runs = commands.add_parser("runs", help="list runs", parents=[AS_JSON])
    runs.add_argument("--runs", metavar="DIR", help=f"the folder (default: {runs_folder()})")
    runs.set_defaults(command=list_runs)


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


def add_evaluate(commands: Commands) -> None:
    """Add `evaluate` and its options."""
    evaluate = commands.add_parser(
        "evaluate", help="measure the ELBO of a run", parents=[AS_JSON, DATA_ROOT]
    )
    evaluate.add_argument("run", metavar="RUN", help="a pretrained name, a run's id or directory")
    evaluate.add_argument("--dataset", metavar="D", help="other images than those it was made from")
    evaluate.add_argument(
        "--split", choices=("train", "validation", "test", "all"), help="default: as the run has it"
    )
    evaluate.add_argument("--limit", type=int, metavar="N", help="use the first N images")
    evaluate.add_argument(
        "--importance-samples", type=int, metavar="K", help="also estimate log p(x) with K samples"
    )
    evaluate.add_argument("--seed", type=int, default=0)
    evaluate.set_defaults(command=evaluate_run)


def evaluate_run(options: argparse.Namespace) -> None:
    """Measure ELBO, reconstruction and KL, and log p(x) where asked for."""
    from explorer.elbo.encoding import draw_targets
    from explorer.elbo.evaluation import evaluate_elbo
    from explorer.runs.store import open_run

    run = open_run(options.run)
    split = options.split or (not options.dataset and run.info.best_split) or "test"
    images = find_images(run, options.dataset, split, options.data_root, options.limit)
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
    result["bits_per_dim_at_most"] = bound_bits(run.model, result)
    text = describe_result(result)
    if "log_px" in result:
        text += f", log p(x) {result['log_px']:.2f} nats ({options.importance_samples} samples)"
    if result.get("bits_per_dim") is not None:
        text += f", {result['bits_per_dim']:.3f} bits per dimension"
    elif result["bits_per_dim_at_most"] is not None:
        text += f", at most {result['bits_per_dim_at_most']:.3f} bits per dimension"
    report(options.json, {"run": run.id, "split": split, **result}, f"{run.name}: {text}")


def bound_bits(model: Any, result: dict[str, Any]) -> float | None:
    """Return the bits per dimension that the ELBO promises, None without one or without values."""
    import numpy as np

    from explorer.analysis.inference.likelihood import bits_of_values

    bits = bits_of_values(model, np.array(result["elbo"])) if "kl" in result else None
    return None if bits is None else float(bits)


def find_images(
    run: "Run", dataset: str | None, split: str, data_root: str | None, limit: int | None
) -> Any:
    """Return uint8 images (N, C, H, W) of the run's own data set, or of a named one."""
    images = named_images(run, dataset, data_root).split(split).images
    if limit is not None and limit < 1:
        raise ExplorerError(f"--limit must be at least 1; it is {limit}.")
    return images[:limit]


def named_images(run: "Run", dataset: str | None, data_root: str | None) -> "ImageDataset":
    """Return a named data set, or the one that a run was made from."""
    from explorer.datasets import load_dataset

    return load_dataset(dataset, data_root=data_root) if dataset else own_images(run, data_root)


def own_images(run: "Run", data_root: str | None) -> "ImageDataset":
    """Return the data set that a run was made from, whatever it is called now."""
    from explorer.datasets import DATASETS, load_dataset
    from explorer.runs.images import find_images_of, is_named

    known = run.info.dataset
    if known is None:
        raise ExplorerError("This run does not say which images it was made from: use --dataset.")
    if not is_named(known):
        # Any images may have that name.
        raise ExplorerError(
            f"This run calls its images '{known.name}' but does not tell their pixels: say "
            f"--dataset {known.name} if they are those."
        )
    found = find_images_of(known, data_root)
    if found is None:
        if known.name in DATASETS:
            load_dataset(known.name, data_root=data_root)  # Says how to get it, if it is missing.
        raise ExplorerError(
            f"The images of this run ('{known.name}') are not at hand: name others with --dataset."
        )
    return found
