"""Latent Explorer: look inside a variational autoencoder and see where its ELBO goes.

Importing this package is light; torch is loaded by the first function that needs it.

    import explorer
    run = explorer.open_run("mnist-2d")
    posterior = run.model.encode(x)      # a torch.distributions object
    images = run.model.decode(posterior.mean).mean
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.adopting.adopt import adopt
    from explorer.adopting.replay import replay
    from explorer.analysis.collapse.diagnose import diagnose, diagnose_codes
    from explorer.config import Config
    from explorer.datasets import load_dataset
    from explorer.datasets.own.read import read_images
    from explorer.errors import ExplorerError
    from explorer.notebook.show import lens, show, timeline
    from explorer.paths import runs_folder
    from explorer.recipes import default_config
    from explorer.runs.store import open_run
    from explorer.runs.writer import RunWriter
    from explorer.training.loop import train

_HOMES = {
    "Config": "explorer.config",
    "ExplorerError": "explorer.errors",
    "RunWriter": "explorer.runs.writer",
    "adopt": "explorer.adopting.adopt",
    "default_config": "explorer.recipes",
    "diagnose": "explorer.analysis.collapse.diagnose",
    "diagnose_codes": "explorer.analysis.collapse.diagnose",
    "lens": "explorer.notebook.show",
    "load_dataset": "explorer.datasets",
    "open_run": "explorer.runs.store",
    "read_images": "explorer.datasets.own.read",
    "replay": "explorer.adopting.replay",
    "runs_folder": "explorer.paths",
    "show": "explorer.notebook.show",
    "timeline": "explorer.notebook.show",
    "train": "explorer.training.loop",
}

__all__ = [
    "Config",
    "ExplorerError",
    "RunWriter",
    "adopt",
    "default_config",
    "diagnose",
    "diagnose_codes",
    "lens",
    "load_dataset",
    "open_run",
    "read_images",
    "replay",
    "runs_folder",
    "show",
    "timeline",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'explorer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
