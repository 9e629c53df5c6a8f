"""A run directory as one zip file."""

import io
import zipfile
from typing import Any


def zip_run(run: Any) -> bytes:
    """Return the run directory as a zip file of one folder; hidden files are left out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(run.path.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                archive.write(path, f"{run.path.name}/{path.relative_to(run.path)}")
    return stream.getvalue()
