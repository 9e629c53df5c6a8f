"""A run directory as one zip file."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any


def zip_run(run: Any) -> bytes:
    """Return the run directory as a zip file of one folder.

    Hidden files are left out, and links that lead elsewhere: a run may come from anybody.
    """
    return _zip([(run, run.path.name)])


def zip_runs(runs: Sequence[Any]) -> bytes:
    """Return run directories as one zip file, each in the folder of its id, as `zip_run` does."""
    return _zip([(run, run.id) for run in runs])


def _zip(runs: Sequence[tuple[Any, str]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for run, name in runs:
            home = run.path.resolve()
            for path in sorted(run.path.rglob("*")):
                inside = path.resolve().is_relative_to(home)
                if inside and path.is_file() and not path.name.startswith("."):
                    archive.write(path, f"{name}/{path.relative_to(run.path)}")
    return stream.getvalue()
