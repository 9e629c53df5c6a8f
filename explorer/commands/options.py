"""What commands add themselves to, and the options that many of them share."""

import argparse
from typing import Any, Protocol


class Commands(Protocol):
    """What argparse's `add_subparsers` returns; it has no public name there."""

    def add_parser(self, name: str, **settings: Any) -> argparse.ArgumentParser:
        """Add a command and return its parser."""


AS_JSON = argparse.ArgumentParser(add_help=False)
AS_JSON.add_argument("--json", action="store_true", help="end with one JSON object")
DATA_ROOT = argparse.ArgumentParser(add_help=False)
DATA_ROOT.add_argument("--data-root", metavar="DIR", help="where torchvision data sets lie")


def add_subject(
    command: argparse.ArgumentParser,
    codes: str = "anyone's codes: .npz, .npy, .parquet, .csv or .h5ad",
) -> None:
    """Add what is looked at: a run or a sweep, or a file of `codes` in its place."""
    command.add_argument(
        "run", metavar="RUN", nargs="?", help="a run or a sweep, unless --codes is given"
    )
    command.add_argument("--codes", metavar="FILE", help=codes)


def add_new_run(command: argparse.ArgumentParser) -> None:
    """Add where the run is written that a command makes."""
    command.add_argument("--out", metavar="DIR", help="the run directory (default: a new one)")
    command.add_argument("--overwrite", action="store_true", help="replace an earlier run at --out")
