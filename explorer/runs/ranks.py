"""Which process of a distributed training this one is: only the first writes its run."""

import os
import sys

_LOCAL = ("LOCAL_RANK", "NODE_RANK")


def is_first_rank() -> bool:
    """Tell whether this process is the first of its training, or the only one.

    A process group of torch that has begun knows best; else RANK, which torchrun sets, else
    LOCAL_RANK and NODE_RANK, which Lightning sets, else SLURM_PROCID.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    if "RANK" in os.environ:
        return _is_zero("RANK")
    if any(name in os.environ for name in _LOCAL):
        return all(map(_is_zero, _LOCAL))
    return _is_zero("SLURM_PROCID")


def _is_zero(name: str) -> bool:
    return os.environ.get(name, "0").strip() in ("", "0")
