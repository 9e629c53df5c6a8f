"""Find collapsed latent dimensions, of a run or of anyone's codes."""

import argparse
import contextlib
from typing import Any

from explorer.commands.output import progress_line, report
from explorer.commands.runs import find_images
from explorer.errors import ExplorerError


def diagnose_run(options: argparse.Namespace) -> None:
    """Print the verdict on every latent dimension."""
    if (options.run is None) == (options.codes is None):
        raise ExplorerError("Give either a run or --codes FILE.")
    if options.codes is not None:
        return diagnose_file(options)
    if options.spread or options.axes or options.per != "channel":
        raise ExplorerError("--spread, --axes and --per go with --codes.")
    from explorer.analysis.collapse import diagnose as collapse
    from explorer.runs.store import open_run

    run = open_run(options.run)
    images = None
    if run.info.has_model:
        # Images that were asked for by name must be there; others may be.
        with contextlib.nullcontext() if options.dataset else contextlib.suppress(ExplorerError):
            split = (not options.dataset and run.info.best_split) or "test"
            images = find_images(run, options.dataset, split, options.data_root, None)
    values = collapse.diagnose_run(run, images, seed=options.seed).to_dict()
    report(options.json, values, "\n".join(describe_verdicts(values)))


def diagnose_file(options: argparse.Namespace) -> None:
    """Print what must be said of a file of codes, and then the verdicts."""
    from explorer.analysis.collapse.judged import judge_file

    with progress_line() as show:
        judged = judge_file(
            options.codes,
            axes=options.axes,
            per=options.per,
            spread=options.spread,
            seed=options.seed,
            progress=lambda part: show(f"{part:.0%}"),
        )
    values = judged.to_dict()
    lines = [f"! {told['text']}" for told in values["told"]]
    report(options.json, values, "\n".join([*lines, *describe_verdicts(values)]))


def describe_verdicts(values: dict[str, Any]) -> list[str]:
    """Return a diagnosis in lines of text: the whole model, then every dimension."""
    rows = values["dimensions"]
    if values["rate"] is None:
        return [
            f"{values['active_units']} of {len(rows)} means move with the data, in about "
            f"{values['covariance_dimensions']:.2f} directions; KL needs the spread too",
            *(f"  {name_row(row)} Var μ {row['var_mean']:.3f}   {row['verdict']}" for row in rows),
        ]
    return [
        f"{values['active_units']} of {len(rows)} units active, "
        f"{values['effective_dimensions']:.2f} effective dimensions, "
        f"rate {values['rate']:.2f} nats, of {values['images']:,} items",
        *(
            f"  {name_row(row)} KL {row['kl']:7.3f} nats   Var μ {row['var_mean']:.3f}   "
            f"E σ² {row['mean_var']:.3f}   {row['verdict']}"
            for row in rows
        ),
    ]


def name_row(row: dict[str, Any]) -> str:
    """Return a dimension's name as the file counts them, from 1."""
    return f"z{row.get('dimension', row['index']) + 1:<4}"
