"""Write a folder of static pages: the app's pictures for those who have no server."""

import argparse
from pathlib import Path

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands
from explorer.commands.output import progress_line, report
from explorer.errors import ExplorerError
from explorer.files import describe_bytes
from explorer.text import LANGUAGES


def add_site(commands: Commands) -> None:
    """Add `site` and its options."""
    site = commands.add_parser(
        "site",
        help="write a folder of static pages: maps, reports, a sweep, images under the lens",
        parents=[AS_JSON, DATA_ROOT],
    )
    site.add_argument("runs", metavar="RUN", nargs="*", help="runs, each with pages of its own")
    site.add_argument("--out", metavar="DIR", required=True, help="the folder to write")
    site.add_argument(
        "--sweep",
        metavar="NAME",
        action="append",
        default=[],
        dest="sweeps",
        help="a sweep over β, as one page; may be repeated",
    )
    site.add_argument(
        "--lens",
        metavar="N",
        type=int,
        default=0,
        dest="lenses",
        help="images of each model of two latents that one may be the encoder of",
    )
    site.add_argument(
        "--lang",
        metavar="L",
        nargs="+",
        choices=tuple(LANGUAGES),
        default=["en"],
        dest="languages",
        help="languages, the first at the top: en, zh-Hans, zh-Hant",
    )
    site.add_argument("--title", default="", help="what stands over the start page")
    site.add_argument(
        "--learn", action="store_true", help="the chapters of Learn that need no server"
    )
    site.add_argument(
        "--exercises", metavar="FILE", help="questions in TOML, which `grade` marks the answers to"
    )
    site.add_argument("--overwrite", action="store_true", help="write into a folder that has files")
    site.set_defaults(command=build_pages)


def build_pages(options: argparse.Namespace) -> None:
    """Write the site of some runs, and print where it begins."""
    from explorer.export.site.build import build_site
    from explorer.export.site.learn import CHAPTERS
    from explorer.library import Library
    from explorer.runs.store import open_run

    out = Path(options.out)
    if out.exists() and any(out.iterdir()) and not options.overwrite:
        raise ExplorerError(f"{out} is not empty: name another folder, or add --overwrite.")
    exercises = None
    if options.exercises is not None:
        from explorer.export.exercises.sheet import read_sheet

        exercises = read_sheet(options.exercises)
    runs = [open_run(name) for name in options.runs]
    with progress_line() as show:
        site = build_site(
            runs,
            Library(data_root=options.data_root),
            languages=tuple(dict.fromkeys(options.languages)),
            title=options.title,
            sweeps=options.sweeps,
            lenses=options.lenses,
            learn=tuple(CHAPTERS) if options.learn else (),
            exercises=exercises,
            progress=lambda part: show(f"{part:.0%}"),
        )
    size = site.write(out)
    values = {
        "out": str(out),
        "files": len(site.files),
        "bytes": size,
        "left_out": site.left_out,
        "data": {p: len(c) for p, c in site.files.items() if p.startswith("data/")},
    }
    told = [f"Left out: {line}" for line in site.left_out]
    told.append(f"{out / 'index.html'}: {len(site.files)} files, {describe_bytes(size)}.")
    report(options.json, values, "\n".join(told))
