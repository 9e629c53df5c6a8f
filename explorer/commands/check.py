"""Check a run directory that anybody may have written against its format."""

import argparse
import json

from explorer.commands.options import AS_JSON, Commands
from explorer.commands.output import report
from explorer.errors import ExplorerError

FAULTY = 2


def add_check(commands: Commands) -> None:
    """Add `check` and its options."""
    check = commands.add_parser(
        "check", help="tell what is wrong with a run directory, and where", parents=[AS_JSON]
    )
    check.add_argument("directory", metavar="DIR", nargs="?", help="a run, or a folder of runs")
    check.add_argument("--schema", action="store_true", help="print the JSON Schema of a run")
    check.set_defaults(command=check_folder)


def check_folder(options: argparse.Namespace) -> int:
    """Print each fault of a run directory; the exit code is 2 where there is one."""
    if options.schema:
        from explorer.runs.schema import read_schema

        print(json.dumps(read_schema(), indent=2, ensure_ascii=False))
        return 0
    if options.directory is None:
        raise ExplorerError("Name the run directory to check, or ask for --schema.")
    from explorer.runs.check import describe_faults

    values = describe_faults(options.directory)
    runs, faults = values["runs"], values["faults"]
    if len(runs) == 1:
        lines = [row["text"] for row in faults] or [f"{runs[0]} is a run that every page can read."]
    else:
        lines = [f"{row['run']}/{row['text']}" for row in faults]
        lines = lines or [f"All {len(runs):,} are runs that every page can read."]
    report(options.json, values, "\n".join(lines))
    return FAULTY if faults else 0
