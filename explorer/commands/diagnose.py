"""Find collapsed latent dimensions, of a run or of anyone's codes."""

import argparse
import contextlib

from explorer.commands.output import report
from explorer.commands.runs import find_images
from explorer.errors import ExplorerError


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
                split = (not options.dataset and run.info.best_split) or "test"
                images = find_images(run, options.dataset, split, options.data_root, None)
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
