"""Where things lie: shipped resources, the user's cache, data and runs folders.

A checkout keeps `pretrained/` and `.streamlit/` at its top level; a wheel carries them inside
the package. Everything that needs one of them asks here.
"""

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Return the shipped file or folder `name` (for example "pretrained"), wheel or checkout."""
    for candidate in (PACKAGE / "_shipped" / name, PACKAGE.parent / name):
        if candidate.exists():
            return candidate
    return PACKAGE.parent / name


def cache_folder() -> Path:
    """Return the user's cache folder (LATENT_EXPLORER_CACHE overrides the platform's choice)."""
    if chosen := os.environ.get("LATENT_EXPLORER_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "latent-explorer"


def runs_folder() -> Path:
    """Return the default folder for runs (LATENT_EXPLORER_RUNS, else ~/latent-explorer-runs)."""
    return Path(os.environ.get("LATENT_EXPLORER_RUNS") or Path.home() / "latent-explorer-runs")


def data_roots(data_root: str | os.PathLike[str] | None = None) -> list[Path]:
    """Return the folders searched for torchvision data sets, most specific first."""
    chosen = [data_root, os.environ.get("LATENT_EXPLORER_DATA")]
    return [Path(root) for root in chosen if root] + [cache_folder() / "data"]
