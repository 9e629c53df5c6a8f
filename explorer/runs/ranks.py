"""Which process of a distributed training this one is: only the first writes its run."""

import os
import sys

_LOCAL = ("LOCAL_RANK", "NODE_RANK")
_LAUNCHED = ("SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
"""As Slurm's srun, Open MPI's mpirun and MPICH's mpiexec number what they start."""


def is_first_rank() -> bool:
    """Tell whether this process is the first of its training, or the only one.

    A process group of torch that has begun knows best; else RANK, which torchrun sets, else
    LOCAL_RANK and NODE_RANK, which Lightning sets, else the number that a launcher gave. What is no
    whole number from 0 on is no rank.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    for names in (("RANK",), _LOCAL, *((name,) for name in _LAUNCHED)):
        ranks = [rank for rank in map(_read_rank, names) if rank is not None]
        if ranks:
            return not any(ranks)
    return True


def _read_rank(name: str) -> int | None:
    value = os.environ.get(name, "").strip()
    return int(value) if value.isdecimal() else None
