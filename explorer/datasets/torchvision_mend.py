"""The one place that imports torchvision, mending its import beside a CPU-only torch.

The registry's torchvision wheel for Linux is built for CUDA; without CUDA its compiled operators
stay unregistered and the import stops at the first that it decorates. Declaring the schemas is
enough for data sets and transforms; the operators themselves (`ops.nms`, `io.read_image`) stay
unavailable.
"""

import importlib
import sys
from typing import Any

MISSING_OPERATOR = "operator torchvision::nms does not exist"

# torch forgets the schemas when their Library is collected.
_libraries: list[Any] = []


def import_datasets() -> Any:
    """Return the module torchvision.datasets, mending exactly the missing-operator error."""
    try:
        return importlib.import_module("torchvision.datasets")
    except RuntimeError as error:
        if str(error) != MISSING_OPERATOR:
            raise
    _forget("torchvision")
    _declare_operators()
    return importlib.import_module("torchvision.datasets")


def _forget(package: str) -> None:
    for name in list(sys.modules):
        if name == package or name.startswith(package + "."):
            del sys.modules[name]


def _declare_operators() -> None:
    library: Any = importlib.import_module("torch.library").Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)
