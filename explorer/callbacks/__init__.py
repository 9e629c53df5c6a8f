"""Callbacks that write a run from other people's trainers, which are imported when one is made."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.callbacks.lightning_run import LightningRun
    from explorer.callbacks.scvi_run import ScviRun

_HOMES = {
    "LightningRun": "explorer.callbacks.lightning_run",
    "ScviRun": "explorer.callbacks.scvi_run",
}

__all__ = ["LightningRun", "ScviRun"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'explorer.callbacks' has no attribute {name!r}")
