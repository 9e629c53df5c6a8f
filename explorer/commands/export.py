"""Save a run as one HTML file: the page's own export, without the page."""

import argparse
from pathlib import Path

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands
from explorer.commands.output import report
from explorer.errors import ExplorerError
from explorer.files import describe_bytes, replace_file
from explorer.text import LANGUAGES


def add_export(commands: Commands) -> None:
    """Add `export` and its options."""
    page = commands.add_parser(
        "export",
        help="save a run as one HTML file that opens offline",
        parents=[AS_JSON, DATA_ROOT],
    )
    page.add_argument("run", metavar="RUN", help="a run's id, or its folder")
    page.add_argument("--out", metavar="FILE", help="the file to write (default: RUN.html)")
    page.add_argument("--overwrite", action="store_true", help="replace an earlier file")
    page.add_argument("--language", choices=tuple(LANGUAGES), default="en")
    page.set_defaults(command=export_run)


def export_run(options: argparse.Namespace) -> None:
    """Write the map of a run, its networks and pictures as one file that opens offline."""
    from explorer.export.page import PAGE_IMAGE_BYTES, build_page
    from explorer.export.pictures import find_pictures
    from explorer.library import Library, find_lack
    from explorer.runs.store import open_run
    from explorer.text import sentences

    run = open_run(options.run)
    if find_lack(run, ("model", "map")):
        raise ExplorerError(f"{run.id} has no model with a latent map: it cannot become a page.")
    out = Path(options.out or f"{run.path.name}.html")
    if out.exists() and not options.overwrite:
        raise ExplorerError(f"{out} is already there: name another file, or add --overwrite.")
    images = Library(data_root=options.data_root).images_of(run)
    pictures = find_pictures(run, images, PAGE_IMAGE_BYTES)
    words = sentences(options.language, "explore.")
    page = build_page(run, pictures, words, language=options.language)
    replace_file(out, lambda stream: stream.write(page))
    values = {"run": run.id, "file": str(out), "bytes": len(page)}
    report(options.json, values, f"{out}: {run.name}, {describe_bytes(len(page))}.")
