"""What is my β? Say what a pasted loss means, and what to change."""

import argparse
import sys
from pathlib import Path

from explorer.commands.output import report
from explorer.errors import ExplorerError
from explorer.files import read_limited

LONGEST_PASTE = 200_000


def tell_beta(options: argparse.Namespace) -> None:
    """Print the β and σ² that a loss as written stands for, and the line that corrects it."""
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
    understood = read_loss(read_paste(options.loss), data, read_values(options.set))
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
    report(options.json, values, "\n".join(lines))


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
    for pair in given or []:
        name, _, number = pair.partition("=")
        try:
            values[name.strip()] = float(number)
        except ValueError as error:
            raise ExplorerError(
                f"--set gives a number to a name, such as beta=4; it is {pair!r}."
            ) from error
    return values
