"""The command line: `latent-explorer app | train | fit | adopt | evaluate | diagnose | report | …`.

argparse, because `--help` must answer in well under half a second and the standard library's
parser costs none of it. Commands add their options themselves and import what they need when they
run. With --json the last line of standard output is one JSON object.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from explorer.commands.adopt import add_adopt, add_replay
from explorer.commands.app import add_app
from explorer.commands.check import add_check
from explorer.commands.data import add_data
from explorer.commands.diagnose import add_diagnose
from explorer.commands.disentangle import add_disentangle
from explorer.commands.export import add_export
from explorer.commands.grade import add_grade
from explorer.commands.loss import add_beta
from explorer.commands.output import spell_what_is_missing
from explorer.commands.report import add_report
from explorer.commands.runs import add_evaluate, add_runs
from explorer.commands.site import add_site
from explorer.commands.training import add_fit, add_sweep, add_train, train_run
from explorer.errors import ExplorerError, shorten
from explorer.training.machine import choose_spin_count, set_spin_count

COMMANDS = (
    add_app,
    add_train,
    add_fit,
    add_adopt,
    add_replay,
    add_sweep,
    add_evaluate,
    add_beta,
    add_diagnose,
    add_report,
    add_export,
    add_site,
    add_grade,
    add_disentangle,
    add_data,
    add_check,
    add_runs,
)
"""What adds each command, in the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 for what the user can mend."""
    spell_what_is_missing()
    options = build_parser().parse_args(arguments)
    set_spin_count(choose_spin_count(may_choose_threads(options)))
    try:
        code: int | None = options.command(options)
    except ExplorerError as error:
        print(f"latent-explorer: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("latent-explorer: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # A full disk, a name that no file can have: the user's to mend.
        place = f": {shorten(str(error.filename), 200)}" if error.filename else ""
        print(f"latent-explorer: {error.strerror or error}{place}.", file=sys.stderr)
        return 2
    return code or 0


def may_choose_threads(options: argparse.Namespace) -> bool:
    """Tell a training whose model may be one that learns the same on one thread and two."""
    changed = {"config", "network", "likelihood"} & vars(options).keys()
    return options.command is train_run and not changed


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="latent-explorer",
        description="Look inside a variational autoencoder, live, and see where its ELBO goes.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
