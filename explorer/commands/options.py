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
