"""A run directory as one zip file."""

import io
import zipfile
from typing import Any


def zip_run(run: Any) -> bytes:
    """Return the run directory as a zip file of one folder.

    Hidden files are left out, and links that lead elsewhere: a run may come from anybody.
    """
    home = run.path.resolve()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(run.path.rglob("*")):
            inside = path.resolve().is_relative_to(home)
            if inside and path.is_file() and not path.name.startswith("."):
                archive.write(path, f"{run.path.name}/{path.relative_to(run.path)}")
    return stream.getvalue()
