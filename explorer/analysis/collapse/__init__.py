"""Which latents are in use, which are not, since when, and why.

`implied_beta` and `expected_survivors` can be called from here; torch is loaded only then.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.analysis.collapse.beta_of_weights import expected_survivors, implied_beta

_HOMES = {
    "expected_survivors": "explorer.analysis.collapse.beta_of_weights",
    "implied_beta": "explorer.analysis.collapse.beta_of_weights",
}

__all__ = ["expected_survivors", "implied_beta"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'explorer.analysis.collapse' has no attribute {name!r}")
