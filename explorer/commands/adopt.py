"""Make a run of a VAE that was trained elsewhere, from files."""

import argparse
from typing import Any

from explorer.commands.output import progress_line, report
from explorer.errors import ExplorerError
from explorer.runs.words import describe_run


def adopt_run(options: argparse.Namespace) -> None:
    """Read, test and measure the model in a process of its own, and print what was found."""
    from explorer.adopting.files import adopt_files

    with progress_line() as show:
        run, doubt = adopt_files(
            options.out,
            encoder=options.encoder,
            decoder=options.decoder,
            weights=options.weights,
            layers=options.layers,
            images=options.images,
            likelihood=options.likelihood,
            sigma2=options.sigma2,
            binarise=options.binarise,
            reading=dict(map(read_setting, options.reading)),
            beta=options.beta,
            name=options.name,
            overwrite=options.overwrite,
            data_root=options.data_root,
            progress=lambda step: show(f"{step} …"),
        )
    info = run.info
    adopted: Any = info.model.adopted
    split, found = info.best_split, info.best_results
    test = adopted["report"]
    values = {
        "run": str(run.path),
        "split": split,
        **found,
        "reading": adopted["fit"],
        "also_fits": adopted["also_fits"],
        "beta": adopted["beta"],
        "self_test": {"passed": test["passed"], "findings": test["findings"]},
        "question": doubt or None,
    }
    lines = [describe_run(str(run.path), info), *filter(None, [doubt])]
    report(options.json, values, "\n".join(lines))


def read_setting(text: str) -> tuple[str, Any]:
    """Return what is known of a reading, such as spread=log-sd or scale=2."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ExplorerError(f"--reading takes KEY=VALUE, such as spread=log-sd, not {text[:60]!r}.")
    if key not in ("scale", "shift"):
        return key, value
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError as error:
        raise ExplorerError(f"--reading {key}= takes numbers, one or one per channel.") from error
    return key, numbers[0] if len(numbers) == 1 else numbers
