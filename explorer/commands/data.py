"""List data sets, get one, add or remove one's own."""

import argparse
from typing import TYPE_CHECKING, Any

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands
from explorer.commands.output import progress_line, report
from explorer.errors import ExplorerError

if TYPE_CHECKING:
    from explorer.datasets import ImageDataset


def add_data(commands: Commands) -> None:
    """Add `data` and its options."""
    data = commands.add_parser(
        "data",
        help="list data sets, get one, add your own pictures",
        usage="%(prog)s [NAME [--download] | add PATH [--name N] [--size S] [--grey] | remove N]",
        parents=[AS_JSON, DATA_ROOT],
    )
    data.add_argument("name", metavar="NAME", nargs="?", help="the data set to load; add or remove")
    data.add_argument(
        "target",
        metavar="PATH",
        nargs="?",
        help="to add: a folder, .zip, .npz, .npy or .parquet of pictures; to remove: a name",
    )
    data.add_argument("--download", action="store_true", help="fetch it if it is not there")
    data.add_argument("--name", metavar="N", dest="own_name", help="what to call yours")
    data.add_argument("--size", type=int, metavar="S", help="side in pixels (default: own, or 64)")
    data.add_argument("--grey", action="store_true", help="one channel, whatever the pictures have")
    data.add_argument("--fit", default="crop", metavar="F", help="crop (default), pad or resize")
    data.add_argument("--background", type=int, default=0, metavar="G", help="grey, 0 to 255")
    data.add_argument("--seconds", type=float, default=3600, metavar="S", help="time to read in")
    data.set_defaults(command=show_data)


def show_data(options: argparse.Namespace) -> None:
    """List the data sets, load one by name (downloading only when told to), add or remove one."""
    from explorer.datasets import DATASETS, is_available, load_dataset
    from explorer.datasets.own.store import list_own

    if options.name in ("add", "remove"):
        return change_data(options)
    if options.target is not None:
        raise ExplorerError(f"Either `data add PATH` or `data NAME`, not `data {options.name} …`.")
    if options.name is None:
        rows = {
            name: {
                "available": is_available(name, options.data_root),
                "offline": entry.offline,
                "shape": list(entry.shape),
                "description": entry.description,
            }
            for name, entry in DATASETS.items()
        }
        for own in list_own(options.data_root):
            text = f"yours: {own.images:,} images of {own.shape[1]} × {own.shape[2]} pixels"
            row = {"available": True, "offline": True, "shape": list(own.shape)}
            rows[own.name] = row | {"description": text}
        text = "\n".join(
            f"{name:15} {'ready' if row['available'] else 'needs a download':17}"
            f"{row['description']}"
            for name, row in rows.items()
        )
        report(options.json, {"datasets": rows}, text)
        return
    with progress_line() as show:
        dataset = load_dataset(
            options.name,
            data_root=options.data_root,
            download=options.download,
            progress=lambda *state: show(" ".join(str(part) for part in state)),
        )
    text = f"{dataset.name}: {len(dataset.images):,} images {dataset.shape}"
    report(options.json, describe_data(dataset), text)


def change_data(options: argparse.Namespace) -> None:
    """Add somebody's pictures as a data set, read in a process of its own, or remove one."""
    from explorer.datasets.own.store import check_name, remove_own
    from explorer.jobs.reader import read_in_worker

    if options.target is None:
        raise ExplorerError("Say which: `data add PATH --name N`, or `data remove N`.")
    if options.name == "remove":
        remove_own(options.target, options.data_root)
        return report(options.json, {"removed": options.target}, f"{options.target}: removed")
    if options.own_name is not None:
        check_name(options.own_name)
    with progress_line() as show:
        pending = read_in_worker(
            options.target,
            size=options.size,
            fit=options.fit,
            channels=1 if options.grey else None,
            background=options.background,
            data_root=options.data_root,
            seconds=options.seconds,
            progress=lambda done, total: show(f"{done:,} of {total:,} pictures"),
        )
    with pending:
        dataset = pending.keep(options.own_name or pending.dataset.name)
    assert dataset.report is not None
    values = describe_data(dataset) | {"report": dataset.report.to_dict()}
    text = "\n".join([describe_added(dataset), *dataset.report.sentences()])
    report(options.json, values, text)


def describe_added(dataset: "ImageDataset") -> str:
    """Return what is first told of a data set that was added: its classes and its splits."""
    parts = [f"{len(rows):,} {name}" for name, rows in dataset.splits.items() if name != "all"]
    classes = dataset.class_names
    named = ", ".join(classes[:8]) + (", …" if len(classes) > 8 else "")
    told = f"; {len(classes)} classes: {named}" if classes else ""
    return f"{dataset.name}: added, {', '.join(parts)}{told}"


def describe_data(dataset: "ImageDataset") -> dict[str, Any]:
    """Return what is told of a data set, as JSON can hold it."""
    return {
        "name": dataset.name,
        "images": len(dataset.images),
        "shape": list(dataset.shape),
        "classes": list(dataset.class_names),
        "factors": list(dataset.factors),
        "splits": {name: len(rows) for name, rows in dataset.splits.items()},
        "fingerprint": dataset.fingerprint,
    }
