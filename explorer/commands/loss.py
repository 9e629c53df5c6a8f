"""What is my β? Say what a pasted loss means, and what to change."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from explorer.commands.options import AS_JSON, Commands
from explorer.commands.output import report
from explorer.errors import ExplorerError
from explorer.files import read_limited

LONGEST_PASTE = 200_000


UNANSWERED = 2


def add_beta(commands: Commands) -> None:
    """Add `beta` and its options."""
    beta = commands.add_parser(
        "beta", help="say which β a pasted loss stands for", parents=[AS_JSON]
    )
    beta.add_argument("loss", metavar="LOSS", help="the lines as they stand, a .py file, or -")
    beta.add_argument(
        "--shape",
        type=int,
        nargs="+",
        default=[1, 28, 28],
        metavar="N",
        help="C H W of your images, or the number of features (default: 1 28 28)",
    )
    beta.add_argument("--latents", type=int, default=20, metavar="K")
    beta.add_argument("--batch-size", type=int, metavar="B")
    beta.add_argument("--range", type=float, nargs=2, default=[0.0, 1.0], metavar=("LOW", "HIGH"))
    beta.add_argument("--standardised", action="store_true", help="mean 0 and variance 1")
    beta.add_argument("--sigma2", type=float, help="the squared error per pixel that you reach")
    beta.add_argument("--set", action="append", metavar="NAME=NUMBER", help="a name's value")
    beta.add_argument(
        "--correct",
        action="append",
        metavar="FIELD=VALUE",
        help="what was understood wrongly, or not at all, such as kl_latents=mean",
    )
    beta.set_defaults(command=tell_beta)


def tell_beta(options: argparse.Namespace) -> int:
    """Print the β and σ² that a loss as written stands for, and the line that corrects it.

    The exit code is 2 where something must be said first, on which β depends.
    """
    from explorer.analysis.loss.answer import correct
    from explorer.analysis.loss.effective import effective_loss
    from explorer.analysis.loss.read import read_loss
    from explorer.analysis.loss.sentences import describe_meaning, say_doubt
    from explorer.analysis.loss.understood import Data

    data = Data(
        shape=tuple(options.shape),
        latents=options.latents,
        batch_size=options.batch_size,
        low=options.range[0],
        high=options.range[1],
        standardised=options.standardised,
    )
    read = read_loss(read_paste(options.loss), data, read_values(options.set))
    understood = correct(read, read_pairs(options.correct, "--correct"))
    meaning = effective_loss(understood, data, sigma2=options.sigma2)
    values = {
        "understood": understood.to_dict(),
        **meaning.to_dict(),
        "doubts": [say_doubt(doubt) for doubt in understood.doubts],
        "text": describe_meaning(meaning),
    }
    lines = [*(f"! {doubt}" for doubt in values["doubts"]), *values["text"]]
    if meaning.corrected:
        lines += ["", meaning.corrected]
    if meaning.asks:
        lines.append(f"  with {say_options(meaning.asks)}")
    report(options.json, values, "\n".join(lines))
    return UNANSWERED if meaning.asks else 0


def say_options(asks: Sequence[str]) -> str:
    """Return the options that answer what is asked.

    >>> say_options(["kl_sizes", "batch_size"])
    '--correct kl_batch=sum|mean, --correct kl_latents=sum|mean, --batch-size N'
    """
    from explorer.analysis.loss.answer import ANSWERED_BY, NUMBERS
    from explorer.analysis.loss.understood import CHOICES

    told = []
    for asked in asks:
        if asked == "batch_size":
            told.append("--batch-size N")
            continue
        for name in ANSWERED_BY.get(asked, (asked,)):
            value = "NUMBER" if name in NUMBERS else "|".join(CHOICES[name][:4])
            told.append(f"--correct {name}={value}")
    return ", ".join(told)


def read_paste(given: str) -> str:
    """Return the loss: the text itself, what a file holds, or "-" for standard input."""
    if given == "-":
        return sys.stdin.read(LONGEST_PASTE)
    path = Path(given)
    looks_like_a_file = "\n" not in given and given.endswith(".py")
    if not looks_like_a_file:
        return given
    try:
        return read_limited(path, LONGEST_PASTE).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise ExplorerError(f"{given} cannot be read as a loss: give a file of text.") from error


def read_values(given: list[str] | None) -> dict[str, float]:
    """Return numbers by name from NAME=NUMBER."""
    values = {}
    for name, number in read_pairs(given, "--set").items():
        try:
            values[name] = float(number)
        except ValueError as error:
            raise ExplorerError(
                f"--set gives a number to a name, such as beta=4; it is {name}={number}."
            ) from error
    return values


def read_pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """Return values by name from NAME=VALUE."""
    pairs = {}
    for pair in given or []:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise ExplorerError(f"{option} takes NAME=VALUE; it is {pair!r}.")
        pairs[name.strip()] = value.strip()
    return pairs
