"""Make a run of a VAE that was trained elsewhere, from files."""

import argparse
import warnings
from typing import TYPE_CHECKING, Any

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands
from explorer.commands.output import progress_line, report
from explorer.errors import ExplorerError
from explorer.runs.words import describe_run

if TYPE_CHECKING:
    from explorer.adopting.files import ModelFiles
    from explorer.adopting.told import Told
    from explorer.runs.run import Run


FOREIGN = argparse.ArgumentParser(add_help=False)
FOREIGN.add_argument(
    "--images",
    metavar="D",
    required=True,
    help="a data set's name, or a folder, .zip, .npz or .parquet of pictures",
)
FOREIGN.add_argument(
    "--likelihood",
    metavar="L",
    required=True,
    help="that the loss meant: bernoulli, continuous-bernoulli, gaussian, laplace, …",
)
FOREIGN.add_argument(
    "--sigma2",
    type=float,
    metavar="V",
    help="a pixel's variance in the decoder's units: gaussian, laplace, discretized-logistic",
)
FOREIGN.add_argument("--binarise", action="store_true", help="pixels were drawn 0 or 1")
FOREIGN.add_argument("--beta", type=float, metavar="B", help="β of its training, where known")
FOREIGN.add_argument(
    "--reading",
    nargs="+",
    default=[],
    metavar="KEY=VALUE",
    help="what is known: layout, scale, shift, fit, heads, spread, output, output_layout",
)
FOREIGN.add_argument("--name", metavar="N", help="what to call it")
FOREIGN.add_argument("--out", metavar="DIR", required=True, help="the run directory")
FOREIGN.add_argument("--overwrite", action="store_true", help="replace an earlier run at --out")


def add_adopt(commands: Commands) -> None:
    """Add `adopt` and its options."""
    adopt = commands.add_parser(
        "adopt",
        help="make a run of a VAE that was trained elsewhere",
        parents=[AS_JSON, DATA_ROOT, FOREIGN],
    )
    adopt.add_argument("--encoder", metavar="FILE", help="an ONNX file")
    adopt.add_argument("--decoder", metavar="FILE", help="an ONNX file")
    adopt.add_argument(
        "--weights", metavar="FILE", help="in their place: safetensors, or a state_dict (.pt)"
    )
    adopt.add_argument(
        "--layers", metavar="FILE", help="of the weights (default: layers.json beside them)"
    )
    adopt.set_defaults(command=adopt_run)


def adopt_run(options: argparse.Namespace) -> None:
    """Read, test and measure the model in a process of its own, and print what was found."""
    from explorer.adopting.files import ModelFiles

    given = ("encoder", "decoder", "weights", "layers")
    files = ModelFiles(**{part: getattr(options, part) for part in given})
    adopt_and_tell(files, gather_told(options), options)


def add_replay(commands: Commands) -> None:
    """Add `replay` and its options."""
    replay = commands.add_parser(
        "replay",
        help="make one run with its film of checkpoints of a VAE that was trained elsewhere",
        parents=[AS_JSON, DATA_ROOT, FOREIGN],
    )
    replay.add_argument(
        "--checkpoints",
        nargs="+",
        required=True,
        metavar="STEP=FILE",
        help="weights: safetensors, or a state_dict (.pt)",
    )
    replay.add_argument(
        "--layers", metavar="FILE", required=True, help="the layers.json of all of them"
    )
    replay.add_argument(
        "--betas", type=float, nargs="+", metavar="B", help="β of each checkpoint, where it changed"
    )
    replay.set_defaults(command=replay_run)


def replay_run(options: argparse.Namespace) -> None:
    """Make one run of checkpoints in a process of its own, and print what was found."""
    from explorer.adopting.files import ModelFiles
    from explorer.adopting.place import order_checkpoints

    pairs = [read_checkpoint(written) for written in options.checkpoints]
    checkpoints = order_checkpoints(pairs, options.beta, options.betas)
    files = ModelFiles(layers=options.layers, checkpoints=checkpoints)
    adopt_and_tell(files, gather_told(options), options)


def gather_told(options: argparse.Namespace) -> "Told":
    """Return what is told of a foreign model."""
    from explorer.adopting.told import Told

    names = ("images", "likelihood", "sigma2", "binarise", "beta", "name")
    told = {name: getattr(options, name) for name in names}
    return Told(**told, reading=dict(map(read_setting, options.reading)))


def adopt_and_tell(files: "ModelFiles", told: "Told", options: argparse.Namespace) -> None:
    """Have files adopted, and print what was found of them."""
    from explorer.adopting.files import adopt_files

    with warnings.catch_warnings(record=True) as noted, progress_line() as show:
        warnings.simplefilter("always")
        run, doubt = adopt_files(
            options.out,
            files,
            told,
            overwrite=options.overwrite,
            data_root=options.data_root,
            progress=lambda step: show(f"{step} …"),
        )
    report_adopted(options.json, run, doubt, [str(one.message) for one in noted])


def report_adopted(as_json: bool, run: "Run", doubt: str, notes: list[str]) -> None:
    """Print what was found of a model, what must be asked of its reading, and what was noted."""
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
        "notes": notes,
    }
    lines = [describe_run(str(run.path), info), *filter(None, [doubt, *notes])]
    report(as_json, values, "\n".join(lines))


def read_checkpoint(text: str) -> tuple[int, str]:
    """Return the step and the path of what is written as 1000=a.pt."""
    step, equals, path = text.partition("=")
    if not (equals and path and step.isascii() and step.isdecimal() and len(step) < 13):
        raise ExplorerError(f"--checkpoints takes STEP=FILE, such as 1000=a.pt, not {text[:60]!r}.")
    return int(step), path


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
