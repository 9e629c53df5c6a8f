"""Write the answer on a run, or on anyone's codes, as one page to send."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands, add_subject
from explorer.commands.output import progress_line, report
from explorer.errors import ExplorerError
from explorer.text import LANGUAGES

if TYPE_CHECKING:
    from explorer.export.report.gather import Report
    from explorer.export.report.sweep_page import SweepReport
    from explorer.runs.sweeps import Sweep


def add_report(commands: Commands) -> None:
    """Add `report` and its options."""
    sheet = commands.add_parser(
        "report",
        help="write the answer on a run or codes as one page to send",
        parents=[AS_JSON, DATA_ROOT],
    )
    add_subject(sheet)
    sheet.add_argument("--out", metavar="FILE", required=True, help="the page, such as report.html")
    sheet.add_argument(
        "--beta", type=float, metavar="B", help="β of its training, for a run that does not tell it"
    )
    sheet.add_argument("--language", choices=tuple(LANGUAGES), default="en")
    sheet.add_argument("--overwrite", action="store_true", help="replace an earlier page at --out")
    sheet.add_argument("--seed", type=int, default=0)
    sheet.set_defaults(command=make_report)


def make_report(options: argparse.Namespace) -> None:
    """Write the page, and print where it lies with the answer in one sentence."""
    if (options.run is None) == (options.codes is None):
        raise ExplorerError("Give either a run or --codes FILE.")
    if options.beta is not None and options.codes is not None:
        raise ExplorerError("--beta goes with a run: of codes alone no β is asked.")
    from explorer.export.report.page import build_report
    from explorer.export.report.sweep_page import build_sweep_report, say_answer
    from explorer.export.report.words import say_headline
    from explorer.files import replace_file
    from explorer.runs.sweeps import find_sweep

    out = Path(options.out)
    if out.exists() and not options.overwrite:
        raise ExplorerError(f"{out} is there already: choose another name, or give --overwrite.")
    sweep = None if options.run is None else find_sweep(options.run)
    if sweep is not None:
        of_sweep = gather_of_sweep(sweep, options)
        page = build_sweep_report(of_sweep, options.language)
        replace_file(out, lambda stream: stream.write(page))
        answer = say_answer(of_sweep, options.language)
        written = {"out": str(out), "headline": answer, "language": options.language}
        report(options.json, written | of_sweep.to_dict(), f"{answer}\n{out} ({len(page):,} bytes)")
        return
    found = gather(options)
    page = build_report(found, options.language)
    replace_file(out, lambda stream: stream.write(page))
    answer = say_headline(found.found, options.language)
    values = {"out": str(out), "headline": answer, "language": options.language, **found.to_dict()}
    report(options.json, values, f"{answer}\n{out} ({len(page):,} bytes)")


def gather_of_sweep(sweep: "Sweep", options: argparse.Namespace) -> "SweepReport":
    """Return what the report on a sweep says."""
    from explorer.export.report.sweep_page import gather_sweep
    from explorer.library import Library

    if options.beta is not None:
        raise ExplorerError("--beta goes with a run: a sweep says its own.")
    first = next(iter(sweep.runs().values()), None)
    images = None if first is None else Library(data_root=options.data_root).images_of(first)
    return gather_sweep(sweep, images)


def gather(options: argparse.Namespace) -> "Report":
    """Return what the report says, with a line of progress."""
    from explorer.export.report.gather import gather_codes, gather_run

    with progress_line() as show:
        if options.codes is not None:
            from explorer.analysis.collapse.judged import judge_file

            judged = judge_file(
                options.codes, seed=options.seed, progress=lambda part: show(f"{part:.0%}")
            )
            return gather_codes(judged)
        from explorer.adopting.told import check_beta
        from explorer.library import Library
        from explorer.runs.store import open_run

        library = Library(data_root=options.data_root)
        run = open_run(options.run)
        return gather_run(
            run,
            library.images_of(run),
            diagnosis=None if options.beta is not None else library.stored(run, "diagnosis"),
            beta=check_beta(options.beta),
            seed=options.seed,
            progress=lambda part: show(f"{part:.0%}"),
        )
